/** The table of scores: its numbers are those of the metrics, its errors those of repeated experiments. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  aupr,
  auroc,
  type DetectionInputs,
  type DetectionLine,
  detectionScore,
  energy,
  evaluateDetection,
  fitDetector,
  fprAtTpr,
  mahalanobis,
  nearestNeighbours,
} from 'tfjs-laplace';
import { key, normals } from '../../src/random/index.js';
import reference from '../metrics/reference/values.json' with { type: 'json' };
import { right } from '../support/math/laplace.js';
import { CLASSIFICATION } from '../support/predictions.js';

const DIGITS = 12;
const values = reference.detection;
const M = values.inputs.length;
const cut = (from: number, to: number): DetectionInputs => ({
  prediction: { _tag: 'classification', probabilities: values.probabilities.slice(from, to) },
  outputs: { mean: values.logits.slice(from, to) },
  features: values.inputs.slice(from, to),
});
const groups = { inside: cut(0, M - values.outside), outside: cut(M - values.outside, M) };
const detectors = {
  distance: right(fitDetector({ features: values.training, labels: values.labels }, 'mahalanobis')),
  near: right(fitDetector({ features: values.training }, nearestNeighbours({ neighbours: 5 }))),
};
const refusal = (parts: object) => E.left(expect.objectContaining({ _tag: 'LaplaceError', ...parts }));
const named = (lines: ReadonlyArray<DetectionLine>, name: string) => lines.find((line) => line.name === name) as DetectionLine;
/** Inputs whose maximum logit is a given score. */
const scored = (scores: ArrayLike<number>): DetectionInputs => ({ outputs: { mean: Array.from(scores, (s) => [-s, -s - 1]) } });

it('areas and rate of the energy are those of pytorch-ood, average precision that of scikit-learn', () => {
  const { inside, outside, scores } = right(evaluateDetection(groups));
  expect([inside, outside]).toEqual([M - values.outside, values.outside]);
  const line = named(scores, 'energy');
  expect(line.auroc.value).toBeCloseTo(values.auroc, DIGITS);
  expect(line.aupr.value).toBeCloseTo(values.aupr, DIGITS);
  expect(line.fpr95.value).toBeCloseTo(values.fpr95, DIGITS);
});

it('law: every line is what the metrics say of the scores, ties or not', () => {
  const list = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(list, list, (a, b) => {
      const own = { inside: scored(a), outside: scored(b) };
      const { scores } = right(evaluateDetection(own, { resamples: 2 }));
      expect(scores.map(({ name }) => name)).toEqual(['maximumLogit', 'energy']);
      for (const line of scores) {
        const score = (inputs: DetectionInputs) => right(detectionScore(inputs, line.name as 'energy'));
        const both = { positives: score(own.outside), negatives: score(own.inside) };
        expect(line.auroc.value).toBeCloseTo(right(auroc(both)), DIGITS);
        expect(line.aupr.value).toBeCloseTo(right(aupr(both)), DIGITS);
        expect(line.fpr95.value).toBeCloseTo(right(fprAtTpr(both)), DIGITS);
      }
    }),
  );
});

describe('takes', () => {
  it('all scores without fitting whose fields both groups have', () => {
    const full = { prediction: CLASSIFICATION, outputs: { mean: [[1, 2]], covariance: [[1, 0, 0, 1]] } };
    const names = (inside: DetectionInputs, outside: DetectionInputs) =>
      right(evaluateDetection({ inside, outside }, { resamples: 2 })).scores.map(({ name }) => name);
    expect(names(full, full)).toEqual([
      'entropy',
      'expectedEntropy',
      'mutualInformation',
      'maximumProbability',
      'maximumLogit',
      'energy',
      'outputVariance',
    ]);
    expect(names(full, { prediction: CLASSIFICATION })).not.toContain('energy');
  });

  it('scores by name, and detectors by their method', () => {
    const list = right(evaluateDetection(groups, { scores: ['entropy', detectors.distance, detectors.near], resamples: 2 }));
    expect(list.scores.map(({ name }) => name)).toEqual(['entropy', 'mahalanobis', 'nearestNeighbours']);
    const own = right(evaluateDetection(groups, { scores: { cold: energy({ temperature: 0.1 }), ...detectors }, resamples: 2 }));
    expect(own.scores.map(({ name }) => name)).toEqual(['cold', 'distance', 'near']);
    expect(own.scores.slice(1).map(({ auroc: area }) => area)).toEqual(list.scores.slice(1).map(({ auroc: area }) => area));
    const relative = right(fitDetector({ features: values.training, labels: values.labels }, mahalanobis({ relative: true })));
    expect(() => evaluateDetection(groups, { scores: [detectors.distance, relative] })).toThrow("'mahalanobis' twice");
  });
});

/** Normal scores, those outside are 1 higher: AUROC = Φ(1/√2). */
const experiment = (seed: number, n: number) => {
  const z = normals(key(seed), 2 * n);
  return { inside: z.slice(0, n), outside: z.slice(n).map((s) => s + 1) };
};
const deviation = (list: ReadonlyArray<number>) => {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / (list.length - 1));
};

it('standard errors are the deviations over repeated experiments, also of a difference', () => {
  const [n, repeats] = [200, 300];
  const compared = (seed: number, resamples: number) => {
    const { inside, outside } = experiment(seed, n);
    const noise = normals(key(10_000 + seed), 2 * n);
    const blurred = (list: Float32Array, from: number) => scored(list.map((s, i) => s + 0.5 * (noise[from + i] as number)));
    const baseline = { inside: blurred(inside, 0), outside: blurred(outside, n) };
    const own = { inside: scored(inside), outside: scored(outside) };
    return right(evaluateDetection(own, { scores: ['maximumLogit'], baseline, resamples, seed })).scores[0] as DetectionLine;
  };
  const many = Array.from({ length: repeats }, (_, seed) => compared(seed, 2));
  // Estimates of one experiment: means over ten of them. The deviation over 300 has an error of 4 %, the mean over ten bootstraps of about
  // as much; areas also differ from normal.
  const errors = Array.from({ length: 10 }, (_, seed) => compared(seed, 200));
  const mean = (list: ReadonlyArray<number>) => list.reduce((a, b) => a + b, 0) / list.length;
  for (const name of ['auroc', 'aupr', 'fpr95'] as const) {
    const tolerance = name === 'fpr95' ? 0.35 : 0.2;
    const ratio = mean(errors.map((line) => line[name].standardError)) / deviation(many.map((line) => line[name].value));
    expect(Math.abs(ratio - 1)).toBeLessThan(tolerance);
    const paired =
      mean(errors.map((line) => line[name].difference?.standardError as number)) /
      deviation(many.map((line) => line[name].difference?.value as number));
    expect(Math.abs(paired - 1)).toBeLessThan(tolerance);
  }
  // The pairs have most of their noise in common.
  const [{ auroc: area }] = errors as [DetectionLine];
  expect(area.difference?.standardError).toBeLessThan(area.standardError);
});

describe('against a baseline', () => {
  it('the same scores differ by 0, for sure', () => {
    for (const line of right(evaluateDetection(groups, { baseline: groups, resamples: 5 })).scores) {
      for (const one of [line.auroc, line.aupr, line.fpr95]) {
        expect(one.baseline).toBe(one.value);
        expect(one.difference).toEqual({ value: 0, standardError: 0 });
      }
    }
  });

  it('scores that it lacks stand alone, and other sizes are refused', () => {
    const { prediction: inside } = groups.inside;
    const { prediction: outside } = groups.outside;
    const less = { inside: { prediction: inside }, outside: { prediction: outside } } as typeof groups;
    const { scores } = right(evaluateDetection(groups, { baseline: less, resamples: 2 }));
    expect(named(scores, 'entropy').auroc).toHaveProperty('baseline');
    expect(named(scores, 'energy').auroc).not.toHaveProperty('baseline');
    expect(evaluateDetection(groups, { baseline: { inside: groups.outside, outside: groups.inside } })).toEqual(
      refusal({ field: 'baseline' }),
    );
  });
});

it('refuses groups without a common field', () => {
  expect(evaluateDetection({ inside: { features: [[1]] }, outside: { features: [[1]] } })).toEqual(refusal({ field: 'groups' }));
});
