/** The factor of each output's total variance: in closed form for the NLL, and against a fine grid for the CRPS. */
import { crpsOf } from '../../src/metrics/crps.js';
import { varianceFactors } from '../../src/tuning/noises.js';
import { normalSource } from '../support/math/monteCarlo.js';

const N = 150;
const next = normalSource(5);
const targets = Array.from({ length: N }, () => [0.4 * next(), next()]);
const mean = targets.map(() => Float64Array.of(0, 0));
const rowsOf = (values: ReadonlyArray<number>) => targets.map(() => Float64Array.from(values));
const truth = {
  predicts: 'numbers',
  labels: targets.map((row) => Float64Array.from(row)),
  counts: targets.map(() => true),
} as never;

it.each([
  [0.01, 1],
  [1e-4, 10],
  [1e-5, 100],
  [1e-3, 1e-3],
])('is the mean squared error beside the variance, from however far: %d, %d', (...noise) => {
  const found = varianceFactors(truth, { mean, epistemic: rowsOf([0, 0]), noise: rowsOf(noise) }, 1, 'nll');
  noise.forEach((v, c) => {
    const expected = targets.reduce((sum, row) => sum + (row[c] as number) ** 2, 0) / N;
    expect((found[c] as number) * v).toBeCloseTo(expected, 12);
  });
});

it('has the least CRPS of a fine grid', () => {
  const moments = { mean, epistemic: rowsOf([0.1, 0.01]), noise: rowsOf([0.02, 5]) };
  const found = varianceFactors(truth, moments, 0.5, 'crps');
  [0.1 + 0.5 * 0.02, 0.01 + 0.5 * 5].forEach((v, c) => {
    const score = (kappa: number): number => targets.reduce((sum, row) => sum + crpsOf(row[c] as number, kappa * v), 0) / N;
    const best = score(found[c] as number);
    for (let t = -3; t <= 3; t += 0.01) expect(best).toBeLessThanOrEqual(score((found[c] as number) * Math.exp(t)) + 1e-12);
  });
});

it('leaves out rows that do not count', () => {
  const counts = targets.map((_, i) => i < 10);
  const found = varianceFactors(
    { ...(truth as object), counts } as never,
    { mean, epistemic: rowsOf([0, 0]), noise: rowsOf([1, 1]) },
    1,
    'nll',
  );
  expect(found[0]).toBeCloseTo(targets.slice(0, 10).reduce((sum, row) => sum + (row[0] as number) ** 2, 0) / 10, 12);
});
