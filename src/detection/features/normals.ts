/**
 * Normal distributions with one covariance for all classes, in coordinates in which it is the identity: with Σ = L Lᵀ and W = L⁻¹ the
 * squared Mahalanobis distance to class c is ‖W z − W μ_c‖². Fit O(N D² + D³), distance O(D² + C D).
 */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { javascriptEngine, matrix, multiply, transpose } from '../../linalg/index.js';
import { inverseRoots } from '../../linalg/small.js';
import type { NumberRows } from '../../metrics/rows.js';

/** Plain data. */
export interface Normals {
  /** W μ_c, [C][D]. */
  readonly means: ReadonlyArray<ReadonlyArray<number>>;
  /** W, [D][D], lower triangular. */
  readonly whitening: ReadonlyArray<ReadonlyArray<number>>;
}

/** Means of the classes that occur, and the covariance about them. */
export function normalsOf(features: NumberRows, labels: ArrayLike<number>, shrinkage: number): E.Either<LaplaceError, Normals> {
  const [N, D] = [features.length, features[0]?.length as number];
  const meanOf = classMeans(features, labels);
  const centred = new Float64Array(N * D);
  features.forEach((row, i) => {
    const mean = meanOf.get(labels[i] as number) as Float64Array;
    for (let d = 0; d < D; d++) centred[i * D + d] = (row[d] as number) - (mean[d] as number);
  });
  const all = matrix(N, D, centred);
  const covariance = multiply(transpose(all), all).data.map((sum) => sum / N);
  return F.pipe(
    whiteningOf(shrunk(covariance, D, shrinkage), D),
    E.map((whitening) => ({
      means: Array.from(meanOf.values(), (mean) => Array.from(whitened(whitening, mean))),
      whitening: whitening.map((row) => Array.from(row)),
    })),
  );
}

/** The mean [D] of each class that occurs, by ascending class. */
function classMeans(features: NumberRows, labels: ArrayLike<number>): ReadonlyMap<number, Float64Array> {
  const classes = Array.from(new Set(Array.from(labels))).sort((a, b) => a - b);
  return new Map(
    classes.map((y) => {
      const members = features.filter((_, i) => labels[i] === y);
      const mean = new Float64Array(members[0]?.length as number);
      for (const row of members) for (let d = 0; d < mean.length; d++) mean[d] = (mean[d] as number) + (row[d] as number);
      return [y, mean.map((sum) => sum / members.length)];
    }),
  );
}

/** (1 − s) Σ + s (tr Σ / D) I. */
function shrunk(covariance: Float64Array, D: number, s: number): Float64Array {
  let trace = 0;
  for (let d = 0; d < D; d++) trace += covariance[d * (D + 1)] as number;
  return covariance.map((value, at) => (1 - s) * value + (at % (D + 1) === 0 ? (s * trace) / D : 0));
}

function whiteningOf(covariance: Float64Array, D: number): E.Either<LaplaceError, ReadonlyArray<Float64Array>> {
  return F.pipe(
    javascriptEngine.cholesky(matrix(D, D, covariance)),
    E.bimap(
      (error) =>
        laplaceError(error.kind, {
          what: 'The covariance of the features',
          field: 'features',
          found: error.kind === 'NotPositiveDefinite' ? 'directions without variance' : error.message,
          expected: 'a positive definite matrix',
          remedy: 'Give more examples or a larger shrinkage: mahalanobis({ shrinkage: 0.1 }).',
          cause: error,
        }),
      ({ data }) => {
        const inverse = inverseRoots(data, D);
        return Array.from({ length: D }, (_, d) => inverse.subarray(d * D, (d + 1) * D));
      },
    ),
  );
}

/** W z for a lower triangular W. */
function whitened(whitening: NumberRows, z: ArrayLike<number>): Float64Array {
  return Float64Array.from(whitening, (row, d) => {
    let sum = 0;
    for (let e = 0; e <= d; e++) sum += (row[e] as number) * (z[e] as number);
    return sum;
  });
}

/** The squared distance to the nearest mean. */
export function nearest({ means, whitening }: Normals): (z: ArrayLike<number>) => number {
  const W = whitening.map((row) => Float64Array.from(row));
  const centres = means.map((mean) => Float64Array.from(mean));
  return (z) => {
    const own = whitened(W, z);
    let least = Number.POSITIVE_INFINITY;
    for (const centre of centres) {
      const squares = centre.reduce((sum, m, d) => sum + ((own[d] as number) - m) ** 2, 0);
      least = Math.min(least, squares);
    }
    return least;
  };
}
