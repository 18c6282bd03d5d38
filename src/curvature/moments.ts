/**
 * Second moments of every layer: means of its sums, and for `kfra` the recursion, once, at the weights that the factors carry:
 *
 *   H_L = E[Λ],   H_l = (W_{l+1} H_{l+1} W_{l+1}ᵀ) ⊙ E[φ'(z_l) φ'(z_l)ᵀ],   the bias row of W left out
 *
 * (Botev, Ritter & Barber 2017, eq. 20; Ritter, Botev & Barber 2018). Two products of an engine for each layer, 2 (m² m' + m m'²)
 * operations with the next layer's m' outputs; written once for engines that are waited for and for those that are not.
 */
import { either as E, function as F, type hkt, type monad } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { multiply as multiplyHere, transpose } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import type { Factors } from './factors.js';
import type { Layout } from './layout.js';
import { type LayerMoments, means, symmetricMean } from './means.js';

type Kronecker = Extract<LayerMoments, { readonly _tag: 'kronecker' }>;

/** A B, by an engine. */
type Multiply<M extends hkt.URIS2> = (a: Matrix, b: Matrix) => hkt.Kind2<M, LaplaceError, Matrix>;

/**
 * A and G of every layer of the layout, by plain JavaScript alone. Fails on factors without an example (`Empty`) or with a number
 * that is not finite (`NotFinite`).
 */
export const moments = (factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> =>
  F.pipe(
    means(factors),
    E.chain((all) => recursed(E.Monad)(factors.layout, all, F.flow(multiplyHere, E.right))),
  );

/** Means as they are, or those of `kfra` with H_l in the place of G. */
export const recursed =
  <M extends hkt.URIS2>(M: monad.Monad2<M>) =>
  (
    { estimator }: Layout,
    layers: ReadonlyArray<LayerMoments>,
    multiply: Multiply<M>,
  ): hkt.Kind2<M, LaplaceError, ReadonlyArray<LayerMoments>> => {
    type Above = hkt.Kind2<M, LaplaceError, ReadonlyArray<LayerMoments>>;
    if (estimator !== 'kfra') return M.of(layers);
    return layers.reduceRight<Above>(
      (above, layer) =>
        M.chain(above, (done) => {
          const [next] = done as ReadonlyArray<Kronecker>;
          if (next === undefined) return M.of<LaplaceError, ReadonlyArray<LayerMoments>>([layer]);
          const kernel = kernelOf(next);
          const through = M.chain(multiply(kernel, next.gradient), (half) => multiply(half, transpose(kernel)));
          return M.map(through, (product) => [withSlopes(layer as Kronecker, product), ...done]);
        }),
      M.of([]),
    );
  };

/** W without its bias row. */
const kernelOf = ({ layout: { n, m, bias }, weights }: Kronecker): Matrix => {
  const rows = bias ? n - 1 : n;
  return { rows, cols: m, data: weights.data.subarray(0, rows * m) };
};

function withSlopes(layer: Kronecker, { rows, cols, data }: Matrix): Kronecker {
  const slopes = layer.gradient.data;
  return { ...layer, gradient: symmetricMean({ rows, cols, data: data.map((v, i) => v * (slopes[i] as number)) }, 1) };
}
