/**
 * The two sides of a layer's weights W [P·n, m], inputs and gradients. A side has orthonormal directions U [d, d] for each group,
 * on top of each other, and the curvature along them. A plan lists the matrices to decompose and later takes the results, so it
 * serves synchronous and asynchronous engines alike.
 */
import { either as E, function as F, readonlyArray as RA } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../../errors.js';
import type { SymmetricEigen } from '../../linalg/engine.js';
import type { Matrix } from '../../types.js';

/**
 * One side: eigenvalues [P·d, 1], >= 0, and eigenvectors [P·d, d] of a factor. Without vectors the directions are the identity.
 */
export interface Side {
  readonly values: Matrix;
  readonly vectors?: Matrix;
}

/** The P matrices [d, d] of a factor [P·d, d]. */
export const groupsOf = ({ cols: d, data }: Matrix): ReadonlyArray<Matrix> =>
  Array.from({ length: data.length / (d * d) }, (_, p) => ({
    rows: d,
    cols: d,
    data: data.subarray(p * d * d, (p + 1) * d * d),
  }));

/** A side from the decompositions of its factor's groups. `side` is its name in errors: 'input' or 'gradient'. */
export const sideOf = (
  layer: string,
  side: string,
  groups: ReadonlyArray<SymmetricEigen>,
): E.Either<LaplaceError, Required<Side>> =>
  F.pipe(
    groups,
    RA.traverse(E.Applicative)((group) => semidefinite(layer, side, group)),
    E.map(joined),
  );

/** Wraps d values as a column [d, 1]. */
export const column = (data: Float64Array): Matrix => ({ rows: data.length, cols: 1, data });

/** The diagonal of Uᵀ S U for each group's share S of a factor [P·d, d], as [P·d] numbers. U is the identity if absent. */
export function alongDirections({ rows, cols: d, data }: Matrix, vectors: Matrix | undefined): Float64Array {
  const found = new Float64Array(rows);
  for (let first = 0; first < rows; first += d) {
    for (let j = 0; j < d; j++) {
      if (vectors === undefined) {
        found[first + j] = data[(first + j) * d + j] as number;
        continue;
      }
      let sum = 0;
      for (let a = 0; a < d; a++) {
        let row = 0;
        for (let b = 0; b < d; b++) row += (data[(first + a) * d + b] as number) * (vectors.data[(first + b) * d + j] as number);
        sum += row * (vectors.data[(first + a) * d + j] as number);
      }
      found[first + j] = sum;
    }
  }
  return found;
}

function joined(parts: ReadonlyArray<SymmetricEigen>): Required<Side> {
  const [first] = parts as [SymmetricEigen];
  if (parts.length === 1) return { values: column(first.values), vectors: first.vectors };
  const d = first.values.length;
  const values = new Float64Array(parts.length * d);
  const vectors = new Float64Array(parts.length * d * d);
  parts.forEach((part, p) => {
    values.set(part.values, p * d);
    vectors.set(part.vectors.data, p * d * d);
  });
  return { values: column(values), vectors: { rows: parts.length * d, cols: d, data: vectors } };
}

/**
 * By what share of its largest entry the spectral norm of a sum of float32 products may be off. Some thousand products are summed at a time,
 * and their roundings of 2⁻²⁴ add up as √1024 of them. If all d² entries are off on their own, the norm is off by 2√d times as much, 2⁻¹⁸ √d.
 * If they are off alike, it is off by d times as much; few are then off by more than two roundings.
 */
const roundingOf = (d: number): number => Math.max(Math.sqrt(d) * 2 ** -18, d * 2 ** -23);

/** Float32 has no products below 2⁻¹²⁶. So much is lost from a thousand of them. */
const LOST = 2 ** -116;

/**
 * Sets eigenvalues that rounding took below zero to 0. A matrix with eigenvalues further below zero is no second moment, and an
 * error.
 */
function semidefinite(layer: string, side: string, { values, vectors }: SymmetricEigen): E.Either<LaplaceError, SymmetricEigen> {
  const d = values.length;
  const largest = values[d - 1] as number;
  const smallest = values[0] as number;
  const rounding = roundingOf(d) * Math.abs(largest) + LOST;
  if (smallest >= -rounding) return E.right({ values: values.map((v) => Math.max(v, 0)), vectors });
  return E.left(
    laplaceError('InvalidInput', {
      what: `The ${side} factor of layer '${layer}' is not positive semi-definite`,
      layer,
      field: side,
      found: `an eigenvalue of ${smallest} beside ${largest}`,
      expected: 'eigenvalues >= 0 up to rounding',
      remedy: 'Factors are sums of outer products, so these were changed or damaged. Make them again.',
    }),
  );
}
