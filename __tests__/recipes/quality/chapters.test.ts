/** The numbers of the chapters, against definitions that are written out here. */
import { entropy, orThrow } from 'tfjs-laplace';
import type { Digits } from '../../../recipes/mnist/digits.js';
import type { Predictions } from '../../../recipes/mnist/predictions.js';
import { abstaining } from '../../../recipes/quality/chapters/abstaining.js';
import { foreign } from '../../../recipes/quality/chapters/foreign.js';
import { sets } from '../../../recipes/quality/chapters/sets.js';
import type { Found, Method } from '../../../recipes/quality/found.js';
import { imagesFor } from '../../../recipes/quality/images.js';
import { planFor } from '../../../recipes/quality/plan.js';
import type { Chapter } from '../../../recipes/quality/story.js';
import { compared, comparedShares } from '../../../recipes/quality/words.js';
import { uniform } from '../../../recipes/support/random.js';

const METHODS = ['map', 'mapAtBest', 'tuned'] as const satisfies ReadonlyArray<Method>;
const plan = {
  ...planFor({ quick: true }),
  training: 20,
  validation: 20,
  guarantee: 150,
  test: 200,
  foreign: 40,
  risk: 0.2,
  levels: [0.8],
  resamples: 3,
};

/** Digits of which each has its own number in its first two pixels, and its label. */
const numbered = (count: number): Digits => {
  const pixels = new Uint8Array(count * 784);
  for (let i = 0; i < count; i++) pixels.set([i >> 8, i & 255], i * 784);
  return { count, pixels, labels: Uint8Array.from({ length: count }, (_, i) => (7 * i) % 10) };
};
const images = imagesFor(plan, { training: numbered(40), test: numbered(350) });

/** Predictions that are often right, by luck of the seed. */
function predictionsFor({ labels }: Digits, seed: number): Predictions {
  const next = uniform(seed);
  const probabilities = Array.from(labels, (label) => {
    const weights = Array.from({ length: 10 }, (_, c) => next() ** 3 + (c === label ? 4 * next() : 0));
    const sum = weights.reduce((a, b) => a + b);
    return Float32Array.from(weights, (w) => w / sum);
  });
  const uncertainty = orThrow(entropy(probabilities));
  return { probabilities, entropy: uncertainty, mutualInformation: uncertainty.map((h) => h * next()), milliseconds: 0 };
}

const GROUPS = ['guarantee', 'test', 'rotated', 'noise'] as const;
const predictions = Object.fromEntries(
  GROUPS.map((group, g) => [
    group,
    Object.fromEntries(METHODS.map((method, m) => [method, predictionsFor(images[group], 10 * g + m)])),
  ]),
) as unknown as Found['predictions'];
const line = { name: 'riskCoverageArea', better: 'lower', value: 0.1, standardError: 0.01 } as const;
const scores = { riskCoverageArea: { ...line, difference: { value: -0.1, standardError: 0.01 } } };
const found = {
  plan,
  images,
  predictions,
  scores: { map: scores, mapAtBest: scores, tuned: scores },
  overBest: scores,
} as unknown as Found;

const tables = ({ blocks }: Chapter) => blocks.flatMap((block) => (block._tag === 'table' ? [block.rows] : []));
const top = (row: Float32Array): number => row.indexOf(Math.max(...row));
const isWrong = (group: 'guarantee' | 'test', method: Method, b: number): boolean =>
  top(predictions[group][method].probabilities[b] as Float32Array) !== images[group].labels[b];

it('no image has two uses', () => {
  const numbers = ({ pixels, count }: Digits) =>
    Array.from({ length: count }, (_, i) => 256 * (pixels[i * 784] as number) + (pixels[i * 784 + 1] as number));
  for (const [a, b] of [
    [images.training, images.validation],
    [images.guarantee, images.test],
  ] as const) {
    const all = [...numbers(a), ...numbers(b)];
    expect(new Set(all).size).toBe(all.length);
  }
  expect(images.guarantee.count + images.test.count).toBe(350);
});

it('abstaining: counts of what is kept, and of the errors among it, are those at the threshold', () => {
  const [rows = []] = tables(abstaining(found));
  METHODS.forEach((method, m) => {
    const [, threshold, bound, abstained, kept, wrong] = rows[m] as string[];
    const own = Array.from(predictions.test[method].entropy);
    // The table has three digits of the threshold, which is an entropy of another image. No entropy of these lies as near.
    expect(own.filter((h) => Math.abs(h - Number(threshold)) < 5e-4)).toEqual([]);
    const all = own.flatMap((h, b) => (h < Number(threshold) ? [b] : []));
    expect(Number(kept)).toBe(all.length);
    expect(Number(abstained)).toBe(200 - all.length);
    expect(Number(wrong)).toBe(all.filter((b) => isWrong('test', method, b)).length);
    expect(Number.parseFloat(bound as string)).toBeLessThanOrEqual(20);
    expect(all.length).toBeGreaterThan(0);
  });
});

it('foreign images: the AUROC is the share of pairs in which the foreign image is more uncertain than the upright one', () => {
  const [rotated = [], noise = []] = tables(foreign(found));
  const shares = (group: 'rotated' | 'noise', method: Method, field: 'entropy' | 'mutualInformation'): number => {
    // The rotated ones are the first of the test images; the others stay upright.
    const inside = Array.from(predictions.test[method][field]).slice(40);
    const outside = Array.from(predictions[group][method][field]);
    return outside.flatMap((u) => inside.map((v) => (u > v ? 1 : 0) as number)).reduce((a, b) => a + b) / (40 * 160);
  };
  for (const [rows, group] of [
    [rotated, 'rotated'],
    [noise, 'noise'],
  ] as const) {
    const printed = rows.map((row) => Number.parseFloat(row[1] as string));
    const expected = [...METHODS.map((method) => shares(group, method, 'entropy')), shares(group, 'tuned', 'mutualInformation')];
    // Three digits are printed.
    expected.forEach((value, i) => expect(Math.abs(value - (printed[i] as number))).toBeLessThanOrEqual(5.1e-4));
  }
});

it('sets: LAC takes every class whose probability is at least that of the held-out labels at the level', () => {
  const [rows = []] = tables(sets(found));
  (['map', 'tuned'] as const).forEach((method, m) => {
    const { guarantee, test } = { guarantee: predictions.guarantee[method], test: predictions.test[method] };
    const given = guarantee.probabilities.map((row, b) => row[images.guarantee.labels[b] as number] as number);
    // The ⌈(n + 1) level⌉-th largest of n = 150.
    const least = given.sort((a, b) => b - a)[Math.ceil(151 * 0.8) - 1] as number;
    // Scores are 1 − p in float64, so that equal ones may differ by a rounding.
    const own = test.probabilities.map((row) => Array.from(row).flatMap((p, c) => (p >= least - 1e-12 ? [c] : [])));
    const hits = own.filter((classes, b) => classes.includes(images.test.labels[b] as number)).length;
    const [, , seen, , size] = rows[m] as string[];
    expect(seen).toBe(`${(hits / 2).toFixed(2)} %`);
    expect(size).toBe((own.flat().length / 200).toFixed(2));
  });
});

it('tells a difference only if it is more than two standard errors', () => {
  expect(compared({ value: -0.0157, standardError: 0.0021 }, 'that of the network', 'nats')).toBe(
    'lower than that of the network by 0.0157 ± 0.0021 nats',
  );
  expect(comparedShares({ value: 0.05, standardError: 0.02 }, 'before')).toBe('higher than before by 5.00 ± 2.00 %');
  expect(compared({ value: -0.004, standardError: 0.002 }, 'before')).toBe(
    'the same as before within two standard errors (−0.0040 ± 0.0020)',
  );
});
