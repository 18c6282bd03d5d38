/**
 * The second moments of every layer: the means of its sums, and for `kfra` also a recursion from the last layer down. The
 * recursion runs once, at the weights W that the factors carry:
 *
 *   H_L = E[Λ],   H_l = (W_{l+1} H_{l+1} W_{l+1}ᵀ) ⊙ E[φ'(z_l) φ'(z_l)ᵀ],   without the bias row of W
 *
 * (Botev, Ritter & Barber 2017, eq. 20; Ritter, Botev & Barber 2018). H_l takes the place of G. Each layer with m outputs takes
 * two matrix products, 2 (m² m' + m m'²) operations, where m' is the number of outputs of the next layer. The recursion is
 * written once for both synchronous and asynchronous linear algebra engines.
 */
import { either as E, function as F, type hkt, type monad } from 'fp-ts';
import { ofKind } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { multiply as multiplyHere, transpose } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import { FACTORS, type Factors } from './factors.js';
import type { Layout } from './layout.js';
import { type LayerMoments, means, symmetricMean } from './means.js';
import { partsOf, structured } from './structure/index.js';

/** The matrix product A B, computed by an engine. */
type Multiply<M extends hkt.URIS2> = (a: Matrix, b: Matrix) => hkt.Kind2<M, LaplaceError, Matrix>;

/**
 * The second moments of every layer of the layout, computed in plain JavaScript. For a Kronecker block `parts.input` is A
 * [P·n, n] and `parts.gradient` is G [P·m, m], both means over examples.
 *
 * @returns the moments, or `Empty` for factors without an example, or `NotFinite` for a number that is not finite.
 */
export const moments = (factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> =>
  F.pipe(
    ofKind('moments', FACTORS, factors),
    E.chain(means),
    E.chain((all) => recursed(E.Monad)(factors.layout, all, F.flow(multiplyHere, E.right))),
  );

/**
 * Applies the recursion of `kfra`, which puts H_l into `parts.gradient` of each layer. Other estimators' means come back
 * unchanged.
 */
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
