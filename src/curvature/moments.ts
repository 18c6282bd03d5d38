/**
 * Second moments of every layer: means of its sums, and for `kfra` the recursion, once, at the weights that the factors carry:
 *
 *   H_L = E[Λ],   H_l = (W_{l+1} H_{l+1} W_{l+1}ᵀ) ⊙ E[φ'(z_l) φ'(z_l)ᵀ],   the bias row of W left out
 *
 * (Botev, Ritter & Barber 2017, eq. 20; Ritter, Botev & Barber 2018). Each layer takes two products of an engine, 2 (m² m' + m m'²)
 * operations with the m' outputs of the next layer. The recursion is written once for engines that are waited for and for those that are
 * not.
 */
import { either as E, function as F, type hkt, type monad } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { multiply as multiplyHere, transpose } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import type { Factors } from './factors.js';
import type { Layout } from './layout.js';
import { type LayerMoments, means, symmetricMean } from './means.js';
import { partsOf, structured } from './structure/index.js';

/** A B, by an engine. */
type Multiply<M extends hkt.URIS2> = (a: Matrix, b: Matrix) => hkt.Kind2<M, LaplaceError, Matrix>;

/**
 * The second moments of every layer of the layout, computed by plain JavaScript alone: `parts.input` is A and `parts.gradient` is G of a
 * Kronecker block.
 *
 * @returns `Empty` for factors without an example, `NotFinite` for a number that is not finite.
 */
export const moments = (factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> =>
  F.pipe(
    means(factors),
    E.chain((all) => recursed(E.Monad)(factors.layout, all, F.flow(multiplyHere, E.right))),
  );

/** The means as they are, or for `kfra` with H_l in the place of G. */
export const recursed =
  <M extends hkt.URIS2>(M: monad.Monad2<M>) =>
  (
    { estimator }: Pick<Layout, 'estimator'>,
    layers: ReadonlyArray<LayerMoments>,
    multiply: Multiply<M>,
  ): hkt.Kind2<M, LaplaceError, ReadonlyArray<LayerMoments>> => {
    type Above = hkt.Kind2<M, LaplaceError, ReadonlyArray<LayerMoments>>;
    if (estimator._tag !== 'kfra') return M.of(layers);
    return layers.reduceRight<Above>(
      (above, layer) =>
        M.chain(above, (done) => {
          const [next] = done;
          if (next === undefined) return M.of<LaplaceError, ReadonlyArray<LayerMoments>>([layer]);
          const kernel = kernelOf(next);
          const through = M.chain(multiply(kernel, gradientOf(next)), (half) => multiply(half, transpose(kernel)));
          return M.map(through, (product) => [withSlopes(layer, product), ...done]);
        }),
      M.of([]),
    );
  };

/** W without its bias row. */
const kernelOf = ({ layout: { n, m, bias }, weights }: LayerMoments): Matrix => {
  const rows = bias ? n - 1 : n;
  return { rows, cols: m, data: weights.data.subarray(0, rows * m) };
};

const gradientOf = (layer: LayerMoments): Matrix => partsOf(layer).gradient as Matrix;

function withSlopes(layer: LayerMoments, { rows, cols, data }: Matrix): LayerMoments {
  const slopes = gradientOf(layer).data;
  const gradient = symmetricMean({ rows, cols, data: data.map((v, i) => v * (slopes[i] as number)) }, 1);
  return { ...layer, ...structured(layer.structure, { ...partsOf(layer), gradient }) };
}
