/** Labelled class probabilities, for properties. */
import * as fc from 'fast-check';
import type { nll } from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';

export interface Labelled {
  readonly probabilities: ReadonlyArray<ReadonlyArray<number>>;
  readonly labels: ReadonlyArray<number>;
}

/** The error of a metric. */
export const refusal = (kind: string): Error => expect.objectContaining({ _tag: 'LaplaceError', kind });

/** A distribution over C classes: weights from 1 to 1000, divided by their sum; no probability is 0. */
export const distribution = (C: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: C, maxLength: C }).map((weights) => {
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => w / sum);
  });

export const labelled: fc.Arbitrary<Labelled> = fc
  .integer({ min: 2, max: 5 })
  .chain((C) => fc.array(fc.tuple(distribution(C), fc.nat(C - 1)), { minLength: 1, maxLength: 30 }))
  .map((pairs) => ({ probabilities: pairs.map(([p]) => p), labels: pairs.map(([, y]) => y) }));

/** The mean of a metric over labels drawn from `truth` when `forecast` is predicted. */
export const expectation = (metric: typeof nll, truth: ReadonlyArray<number>, forecast: ReadonlyArray<number>): number =>
  truth.reduce((sum, p, y) => sum + p * right(metric([forecast], [y])), 0);
