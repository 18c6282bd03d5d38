/** The smooth calibration error: closed forms, laws, and its standard error over repeated experiments. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { calibration, evaluate, smoothCalibration } from 'tfjs-laplace';
import { addSmoothSums, bandwidthOf, smoothErrorAt, smoothInfluence, smoothSums } from '../../src/metrics/smoothing.js';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { labelled, refusal } from './arbitraries.js';

const NARROWEST = 1 / 512;

it('residuals of one sign: the error is their mean at every bandwidth', () => {
  const sums = smoothSums([0.6, 0.7, 0.9], [0, 0, 0]);
  for (const sigma of [1, 0.3, 0.05]) expect(smoothErrorAt(sums, sigma)).toBeCloseTo(2.2 / 3, 9);
  const { ece, bandwidth } = right(smoothCalibration([[0.4], [0.3], [0.1]], [1, 1, 1]));
  expect(ece).toBeCloseTo(2.2 / 3, 9);
  expect(bandwidth).toBeCloseTo(2.2 / 3, 8);
});

it('equal scores: the error is the gap of their bin, which ECE has too', () => {
  const rows = Array.from({ length: 10 }, () => [0.2, 0.8]);
  const labels = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
  expect(right(smoothCalibration(rows, labels)).ece).toBeCloseTo(0.3, 9);
  expect(right(calibration(rows, labels)).ece).toBeCloseTo(0.3, 12);
});

it('a wide bandwidth joins what a narrow one tells apart', () => {
  // Residuals of ±0.4 around 0.4 and 0.6: they cancel where the kernel covers both.
  const sums = smoothSums([0.4, 0.6], [0, 1]);
  expect(smoothErrorAt(sums, 0.01)).toBeCloseTo(0.4, 6);
  expect(smoothErrorAt(sums, 1)).toBeLessThan(0.01);
});

it('perfect predictions have no error, at the narrowest bandwidth', () => {
  const { ece, bandwidth } = right(smoothCalibration([[1], [0]], [1, 0]));
  // Cosines that are left out.
  expect(ece).toBeLessThan(1e-8);
  expect(bandwidth).toBe(NARROWEST);
});

it('law: the bandwidth is its own error, and the error falls as the bandwidth grows', () => {
  fc.assert(
    fc.property(labelled, ({ probabilities, labels }) => {
      const { ece, bandwidth } = right(smoothCalibration(probabilities, labels, { points: 2 }));
      // The bisection knows it to 1e-9 of itself.
      if (bandwidth > NARROWEST) expect(Math.abs(ece - bandwidth)).toBeLessThan(1e-8);
      else expect(ece).toBeLessThanOrEqual(NARROWEST);
      const sums = smoothSums(
        probabilities.map(([p]) => p as number),
        labels.map((y) => (y === 0 ? 1 : 0)),
      );
      const errors = [0.02, 0.1, 0.4, 1].map((sigma) => smoothErrorAt(sums, sigma));
      // A change of sign is taken as linear between two points of the mesh.
      for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThanOrEqual((errors[i - 1] as number) + 1e-5);
    }),
    { numRuns: 40 },
  );
});

it('the curve is the residual per prediction: its distance to the diagonal, weighted by the density, is the error', () => {
  const N = 400;
  const p = Array.from(uniforms(key(3), N), (u) => 0.2 + 0.6 * u);
  const labels = Uint8Array.from(uniforms(key(4), N), (u, i) => (u < 0.5 + 0.5 * ((p[i] as number) - 0.5) ? 1 : 0));
  const points = 2001;
  const { ece, curve } = right(
    smoothCalibration(
      p.map((own) => [own]),
      labels,
      { class: 1, points },
    ),
  );
  const sum = (of: (point: (typeof curve)[number]) => number) => curve.reduce((all, point) => all + of(point), 0) / points;
  // Points with a density below 0.001 are left out.
  expect(sum(({ density }) => density)).toBeCloseTo(1, 2);
  expect(sum(({ confidence, accuracy, density }) => Math.abs(accuracy - confidence) * density)).toBeCloseTo(ece, 3);
});

it('a class against the rest: for two classes the residuals of one are those of the other, mirrored', () => {
  const rows = Array.from(uniforms(key(8), 60), (u) => [u, 1 - u]);
  const labels = Uint8Array.from(uniforms(key(9), 60), (u) => (u < 0.5 ? 1 : 0));
  const of = (one: number) => right(smoothCalibration(rows, labels, { class: one })).ece;
  expect(of(0)).toBeCloseTo(of(1), 8);
  expect(smoothCalibration(rows, labels, { class: 2 })).toEqual(E.left(refusal('InvalidInput')));
});

it('the influence of an example is the slope of the error in how often the example counts', () => {
  // Residuals of both signs, so that the error depends on the bandwidth.
  const [scores, outcomes] = [
    [0.1, 0.3, 0.35, 0.6, 0.8],
    [1, 0, 1, 0, 1],
  ];
  const N = scores.length;
  const sums = smoothSums(scores, outcomes);
  const influence = smoothInfluence(sums, bandwidthOf(sums), scores, outcomes);
  const mean = influence.reduce((sum, v) => sum + v, 0) / N;
  const errorWith = (i: number, more: number) => {
    const one = smoothSums([scores[i] as number], [outcomes[i] as number]);
    const part = { count: more, residuals: one.residuals.map((r) => more * r), scores: one.scores.map((c) => more * c) };
    return bandwidthOf(addSmoothSums(sums, part));
  };
  scores.forEach((_, i) => {
    const slope = (errorWith(i, 1e-3) - errorWith(i, -1e-3)) / 2e-3;
    // The mesh knows where the sign changes to σ/64, where the kernel is at most 0.4 / σ: with twice that, the residual (0.9 at most) over N
    // and three changes, 2 · 0.4 / 64 · 0.9 / 5 · 3.
    expect(Math.abs(slope - ((influence[i] as number) - mean) / N)).toBeLessThan(7e-3);
  });
});

it('the standard error in the table is the deviation over repeated experiments, where the error is clear', () => {
  const N = 500;
  // Too sure by a third of the distance to ½, of labels that follow u: residuals are clear on both sides.
  const experiment = (seed: number) => {
    const u = uniforms(key(2 * seed), N);
    const rows = Array.from(u, (v) => [1 - v, v]);
    const labels = Uint8Array.from(uniforms(key(2 * seed + 1), N), (w, i) => (w < 0.5 + 0.4 * ((u[i] as number) - 0.5) ? 1 : 0));
    const { metrics } = right(evaluate({ _tag: 'classification', probabilities: rows }, labels, { resamples: 2 }));
    return metrics.find(({ name }) => name === 'smoothEce') as (typeof metrics)[number];
  };
  const all = Array.from({ length: 200 }, (_, seed) => experiment(seed));
  const mean = all.reduce((sum, { value }) => sum + value, 0) / all.length;
  const deviation = Math.sqrt(all.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (all.length - 1));
  const predicted = all.reduce((sum, { standardError }) => sum + standardError, 0) / all.length;
  // A deviation over 200 experiments has a standard error of 5 %.
  expect(Math.abs(predicted / deviation - 1)).toBeLessThan(0.2);
});
