/**
 * `merge` as instances of fp-ts. `concat` adds two results: factors, or the error that kept them from being made. The first error
 * wins. Laws, up to float64 rounding and for factors of disjoint parts of the data:
 *
 *   concat(concat(a, b), c) = concat(a, concat(b, c))      concat(a, b) = concat(b, a) if both are Right
 *   concat(a, empty) = concat(empty, a) = a                concat(Left e, b) = Left e
 *
 * `empty` fixes layout and weights. Factors of another layout or of other weights are a `Left`, as from `merge`.
 */
import { either as E, function as F, type monoid as M, type semigroup as S } from 'fp-ts';
import { hasFields, type Kind, ofKind } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import { emptyFactors, FACTORS, type Factors, merge } from './factors.js';

/**
 * Adds factors of disjoint parts of a data set, each a result that may have failed. It takes at least one part; `factorsMonoid`
 * takes none as well.
 *
 * @example
 * ```ts
 * import { either as E, semigroup as S } from 'fp-ts';
 * import { categorical, emptyFactors, factorsSemigroup, type Layout } from 'tfjs-laplace';
 *
 * const layout: Layout = {
 *   estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
 *   likelihood: categorical(),
 *   layers: [{ name: 'a', structure: 'kronecker', members: ['a'], groups: 1, n: 1, m: 1, bias: false }],
 *   covered: ['a'],
 *   outputs: 1,
 * };
 * const shard = (count: number) => E.right({ ...emptyFactors(layout, 'f00d', [{ rows: 1, cols: 1, data: Float64Array.of(2) }]), count });
 * const all = S.concatAll(factorsSemigroup)(shard(10))([shard(20), shard(12)]);
 * if (E.isRight(all)) all.right.count; // => 42
 * ```
 */
export const factorsSemigroup: S.Semigroup<E.Either<LaplaceError, Factors>> = {
  concat: (first, second) =>
    F.pipe(
      first,
      E.chain((a) => F.pipe(second, E.chain(merge(a)))),
    ),
};

/** What all factors of a monoid have in common. */
type Base = Pick<Factors, 'layout' | 'fingerprint' | 'weights' | 'rotations'>;

const BASE: Kind<Base> = {
  ...FACTORS,
  is: (value): value is Base => hasFields('layout', 'fingerprint', 'weights')(value),
};

/**
 * Adds factors of any number of disjoint parts of a data set: `concatAll(factorsMonoid(first))(parts)`.
 *
 * @param like any factors of the same layout at the same weights, for example those of the first part. Only their layout,
 *   fingerprint and weights are used, and with `ekfac` their rotations.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E, monoid as M } from 'fp-ts';
 * import { concatMap, from, lastValueFrom, toArray } from 'rxjs';
 * import { accumulateFactors, batches, categorical, factorsMonoid, kfac, observe } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const shards = [40, 30, 20].map((N) => ({ x: tf.randomNormal([N, 4]), y: tf.range(0, N).mod(3).toInt() }));
 * const parts = await lastValueFrom(
 *   from(shards).pipe(
 *     concatMap((data) => from(batches(data, 10)).pipe(observe(model, categorical()), accumulateFactors(kfac()))),
 *     toArray(),
 *   ),
 * );
 * const all = M.concatAll(factorsMonoid(parts[0]))(parts.map(E.right));
 * if (E.isRight(all)) all.right.count; // => 90
 * ```
 */
export function factorsMonoid(first: Base): M.Monoid<E.Either<LaplaceError, Factors>> {
  const { layout, fingerprint, weights, rotations } = orThrow(ofKind('factorsMonoid', BASE, first));
  return {
    ...factorsSemigroup,
    empty: E.right({ ...emptyFactors(layout, fingerprint, weights), ...(rotations && { rotations }) }),
  };
}
