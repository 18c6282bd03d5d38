import { aurocDifference, placements } from '../../../recipes/mnist/auroc.js';
import { nearestToOne } from '../../../recipes/mnist/choosing.js';
import { disagreement, meanDisagreement } from '../../../recipes/mnist/members.js';
import { relativeDifference, trace } from '../../../recipes/mnist/online.js';
import { ensemble, rescaled } from '../../../recipes/mnist/predictions.js';
import { cells, differenceCells, paired, scoresOf } from '../../../recipes/mnist/scores.js';
import { mostUncertain } from '../../../recipes/mnist/uncertain.js';

const predictions = (probabilities: number[][], entropy = probabilities.map(() => 0)) => ({
  probabilities: probabilities.map((row) => Float32Array.from(row)),
  entropy,
  mutualInformation: entropy,
  milliseconds: 1,
});
const digits = { count: 4, pixels: new Uint8Array(), labels: Uint8Array.of(0, 0, 1, 1) };
const sure = predictions([
  [0.75, 0.25],
  [0.25, 0.75],
  [0.25, 0.75],
  [0.25, 0.75],
]);
const unsure = predictions(
  [
    [0.5, 0.5],
    [0.5, 0.5],
    [0.5, 0.5],
    [0.5, 0.5],
  ],
  [1, 2, 3, 2],
);

it('scores predictions', () => {
  const scores = scoresOf(sure, digits);
  expect(scores.accuracy).toBe(0.75);
  expect(scores.nll).toBeCloseTo(-(3 * Math.log(0.75) + Math.log(0.25)) / 4, 12);
  expect(scores.ece).toBeCloseTo(0, 12);
  expect(scoresOf(unsure, digits).entropy).toBe(2);
  expect(cells({ accuracy: 0.5, nll: 1.23456, ece: 0.01, entropy: 2 })).toEqual(['50.00 %', '1.2346', '1.00 %', '2.000']);
});

it('has standard errors of paired differences', () => {
  // Differences 1, 0, 0, 1: mean 0.5, variance 1/3, standard error √(1/12).
  const { mean, standardError } = paired([1, 2, 3, 4], [0, 2, 3, 3]);
  expect(mean).toBe(0.5);
  expect(standardError).toBeCloseTo(Math.sqrt(1 / 12), 12);
  // Right are 3 of 4 against the first two, for of equals the lowest class counts: differences 0, −1, 1, 1.
  expect(differenceCells(sure, unsure, digits)[0]).toBe('+25.00 ± 47.87');
  expect(differenceCells(sure, unsure, digits)[1]).toMatch(/^−0\.1308 ± /);
});

it('compares the AUROC of two scores', () => {
  expect([...placements([1, 2, 5], [0, 2, 3, 4])]).toEqual([0.25, 0.375, 1]);
  const perfect = { positives: [3, 4, 5], negatives: [0, 1, 2] };
  const useless = { positives: [0, 1, 2], negatives: [0, 1, 2] };
  expect(aurocDifference(perfect, perfect)).toEqual({ mean: 0, standardError: 0 });
  const { mean, standardError } = aurocDifference(perfect, useless);
  expect(mean).toBe(0.5);
  // Placements in the second are 1/6, 3/6, 5/6 either way: variance 1/9 of three, twice.
  expect(standardError).toBeCloseTo(Math.sqrt(2 / 27), 12);
});

it('takes the candidate that needs the least scaling, up or down', () => {
  // 1 / 0.8 = 1.25 is a smaller ratio than 1.3, and 1.4 is one than 1 / 0.6 = 1.67.
  expect(nearestToOne([{ scale: 5 }, { scale: 1.3 }, { scale: 0.8 }])).toEqual({ scale: 0.8 });
  expect(nearestToOne([{ scale: 0.6 }, { scale: 1.4 }])).toEqual({ scale: 1.4 });
});

it('gives a network another temperature', () => {
  // Squares of 3/4 and 1/4 have the ratio 9 : 1.
  const { probabilities, entropy } = rescaled(sure, 2);
  expect([...(probabilities[0] as Float32Array)]).toEqual([expect.closeTo(0.9, 7), expect.closeTo(0.1, 7)]);
  expect(entropy[0]).toBeCloseTo(-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1), 6);
});

it('counts disagreement, and averages members', () => {
  expect(disagreement(sure, unsure)).toBe(0.75);
  expect(meanDisagreement([sure, unsure, sure])).toBe(0.5);
  const both = ensemble([sure, unsure]);
  expect([...(both.probabilities[0] as Float32Array)]).toEqual([0.625, 0.375]);
  const entropy = -(0.625 * Math.log(0.625) + 0.375 * Math.log(0.375));
  expect(both.entropy[0]).toBeCloseTo(entropy, 7);
  // The members' own entropies are given as 0 and 1 here.
  expect(both.mutualInformation[0]).toBeCloseTo(entropy - 0.5, 7);
});

it('finds the most uncertain, the first of equals', () => {
  expect(mostUncertain(unsure, 3)).toEqual([2, 1, 3]);
});

it('measures matrices against each other', () => {
  const matrix = (...data: number[]) => ({ rows: 2, cols: 2, data: Float64Array.from(data) });
  expect(relativeDifference(matrix(3, 0, 0, 4), matrix(0, 0, 0, 4))).toBe(0.75);
  expect(trace(matrix(3, 9, 9, 4))).toBe(7);
});
