/** What each registered likelihood says of itself, against what it does. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, customLikelihood, gaussian, heteroscedastic, poisson, type StepLikelihood } from 'tfjs-laplace';
import { likelihoodOps, type Outcome } from '../../src/likelihood/index.js';
import { REGISTERED } from '../../src/likelihood/registered.js';
import { estimate, normalSource, STANDARD_ERRORS, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows } from '../support/math/numbers.js';

const own = customLikelihood({
  name: 'correlated',
  nll: (f, y) => tf.sum(tf.square(tf.sub(tf.sum(f, 1, true), y)), 1),
  hessianRoot: (f) => tf.expandDims(tf.mul(Math.SQRT2, tf.onesLike(f)), 0),
  mean: (f) => tf.sum(f, 1, true),
  variance: (f) => tf.fill([f.shape[0], 1], 0.5),
});

/** One of each tag: the compiler names the one that is missing. */
const EXAMPLES: { readonly [T in StepLikelihood['_tag']]: Extract<StepLikelihood, { readonly _tag: T }> } = {
  categorical: categorical({ labelSmoothing: 0.1 }),
  bernoulli: bernoulli(),
  gaussian: gaussian({ noiseVariance: [0.3, 4, 1, 2] }),
  heteroscedastic: heteroscedastic(),
  poisson: poisson(),
  custom: own,
};

const [B, C] = [5, 4];
const f = inRows(take(B * C, normalSource(7)), C);
const rowsOf = (t: tf.Tensor2D): number[][] => t.arraySync();
const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0);
const close = (a: number, b: number): boolean => Math.abs(a - b) <= FLOAT32 * Math.max(1, Math.abs(b));

/** What must hold of the means of outputs [B, C], and of the same outputs with the first one raised, of each outcome. */
const HOLDS: { readonly [O in Outcome]: (mean: number[][], raised: number[][]) => void } = {
  classes: (mean, raised) => {
    for (const row of mean) expect(row.every((p) => p > 0) && row.length === C && close(sum(row), 1)).toBe(true);
    // One distribution: raising one class lowers all others.
    mean.forEach((row, b) => expect(row.slice(1).every((p, c) => (raised[b]?.[c + 1] as number) < p)).toBe(true));
  },
  labels: (mean, raised) => {
    expect(mean.flat().every((p) => p > 0 && p < 1)).toBe(true);
    expect(mean.every((row) => row.length === C)).toBe(true);
    expect(mean.some((row) => !close(sum(row), 1))).toBe(true);
    mean.forEach((row, b) => expect(raised[b]?.slice(1)).toEqual(row.slice(1)));
  },
  // A label can be any number: some mean of this seed is negative.
  numbers: (mean) => expect(Math.min(...mean.flat())).toBeLessThan(0),
  counts: (mean) => expect(Math.min(...mean.flat())).toBeGreaterThan(0),
};

it('has an example of each', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(REGISTERED.map(({ tag }) => tag).sort());
});

describe.each(Object.entries(EXAMPLES))('%s', (_, likelihood) => {
  const ops = likelihoodOps(likelihood, C);
  const predictsClasses = ops.predicts === 'classes' || ops.predicts === 'labels';

  it('predicts what it says', () => {
    const raised = f.map(([first, ...rest]) => [(first as number) + 1, ...rest]);
    HOLDS[ops.predicts](rowsOf(ops.mean(tf.tensor2d(f))), rowsOf(ops.mean(tf.tensor2d(raised))));
  });

  it('has variances of its labels exactly where these are numbers or counts, shaped as the means', () => {
    expect(ops.variance === undefined).toBe(predictsClasses);
    const [mean, variance] = [ops.mean(tf.tensor2d(f)), ops.variance?.(tf.tensor2d(f))];
    if (variance === undefined) return;
    expect(variance.shape).toEqual(mean.shape);
    expect(Math.min(...variance.dataSync())).toBeGreaterThan(0);
    // Counts, unlike numbers, vary as their mean.
    if (ops.predicts === 'counts') expect(Array.from(variance.dataSync())).toEqual(Array.from(mean.dataSync()));
  });

  it('has independent outputs exactly where its Hessian is a diagonal', () => {
    const columns = ops.hessianRoot(tf.tensor2d(f), tf.zeros([B, C])).arraySync();
    const beside = f.flatMap((__, b) =>
      Array.from({ length: C * C }, (___, i) => [Math.floor(i / C), i % C] as const)
        .filter(([c, k]) => c !== k)
        .map(([c, k]) => Math.abs(sum(columns.map((column) => (column[b]?.[c] as number) * (column[b]?.[k] as number))))),
    );
    const independent = ops.hessian?.independent === true;
    if (independent) expect(Math.max(...beside)).toBe(0);
    else expect(Math.min(...beside)).toBeGreaterThan(1e-4);
  });

  it('has closed moments, if any, that draws of the outputs agree with', () => {
    const { gaussianMoments, variance: varianceOf } = ops;
    expect(gaussianMoments !== undefined).toBe(!predictsClasses && likelihood._tag !== 'custom');
    if (gaussianMoments === undefined || varianceOf === undefined) return;
    const [mu, v] = [f[0] as number[], [0.2, 0.5, 0.1, 0.3]];
    const draws = 20_000;
    const normal = normalSource(11);
    const drawn = tf.tensor2d(
      Array.from({ length: draws }, () => mu.map((m, c) => m + Math.sqrt(v[c] as number) * normal())),
      [draws, C],
    );
    const [means, variances] = [rowsOf(ops.mean(drawn)), rowsOf(varianceOf(drawn))];
    const found = gaussianMoments(mu, v);
    expect(found).toHaveLength(means[0]?.length as number);
    found.forEach(({ mean, epistemic, noise }, t) => {
      const label = means.map((row) => row[t] as number);
      const missed = (sample: number[], expected: number): void => {
        const { mean: average, standardError } = estimate(sample);
        expect(Math.abs(average - expected)).toBeLessThanOrEqual(STANDARD_ERRORS * standardError + FLOAT32 * Math.abs(expected));
      };
      missed(label, mean);
      missed(
        label.map((m) => (m - mean) ** 2),
        epistemic,
      );
      missed(
        variances.map((row) => row[t] as number),
        noise,
      );
    });
  });

  it('says which moments it lacks', () => {
    expect(ops.missing ?? []).toEqual([]);
    if (likelihood._tag !== 'custom') return;
    const { mean: _mean, variance: _variance, ...rest } = likelihood;
    expect(likelihoodOps(customLikelihood(rest), C).missing).toEqual(['mean', 'variance']);
  });
});
