/**
 * Turns the sums of each layer into means, its second moments. For a Kronecker block, whose curvature is N (A ⊗ G), the means are
 * A = Σ a aᵀ / count [n, n] and G = Σ g gᵀ / count [m, m]. Gram matrices are made symmetric. Under `kfra`, `gradient` of every
 * layer but the last holds E[φ'(z) φ'(z)ᵀ] instead of G, and `moments.ts` computes G from it.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import type { Factors, LayerSums } from './factors.js';
import type { LayerLayout } from './layout.js';
import { gradientShape, partsOf, type Structured, structured, sumsOf } from './structure/index.js';
import type { SumShape } from './structure/structure.js';

/** The second moments of one layer, as means over examples: the matrices of `LayerSums`, divided by the number of examples. */
export type LayerMoments = Structured & {
  readonly layout: LayerLayout;
  /** W [P·n, m]. */
  readonly weights: Matrix;
  /** What each output adds to the gradient side; absent unless the estimator has `noise: 'perOutput'`. */
  readonly shares?: ReadonlyArray<Matrix>;
};

/**
 * The means of every layer of the layout. They are the second moments for every estimator except `kfra`.
 *
 * @returns the means, or `Empty` for factors without an example, or `NotFinite` for a number that is not finite.
 */
export function means(factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> {
  const { count, layout, layers, weights, shares } = factors;
  if (!(count > 0)) {
    return E.left(
      laplaceError('Empty', {
        what: 'The factors count no example',
        field: 'count',
        found: String(count),
        expected: 'at least one observed batch',
        remedy: 'Observe training data first; with a callback, check that the observed epochs were reached.',
      }),
    );
  }
  const all = layout.layers.map((layer, i) => ({
    ...meansOf(layer, weights[i] as Matrix, layers[i] as LayerSums, count),
    ...(shares && { shares: shares.map((own) => meanOf(gradientShape(layer), own.layers[i] as Matrix, count)) }),
  }));
  for (const layer of all) {
    const broken = Object.entries(partsOf(layer)).find(([, { data }]) => !data.every(Number.isFinite));
    if (broken !== undefined) return E.left(notFinite(layer.layout.name, broken[0]));
  }
  return E.right(all);
}

function meansOf(layout: LayerLayout, weights: Matrix, sums: LayerSums, count: number): LayerMoments {
  const parts = partsOf(sums);
  const all = Object.entries(sumsOf(layout)).map(([part, shape]) => [part, meanOf(shape, parts[part] as Matrix, count)] as const);
  return { ...structured(layout.structure, Object.fromEntries(all)), layout, weights };
}

const meanOf = ({ symmetric, divisor = 1 }: SumShape, sum: Matrix, count: number): Matrix =>
  symmetric ? symmetricMean(sum, count * divisor) : { ...sum, data: sum.data.map((v) => v / (count * divisor)) };

const notFinite = (layer: string, field: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: `The factors of layer '${layer}' hold a number that is not finite`,
    layer,
    field,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Look for NaN in the data or weights, or for inputs beyond the range of float32.',
  });

/** Divides square matrices [P·d, d], one for each group on top of each other, by `count`, and makes each symmetric. */
export function symmetricMean({ rows, cols: d, data }: Matrix, count: number): Matrix {
  const mean = new Float64Array(data.length);
  for (let first = 0; first < data.length; first += d * d) {
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        const [low, high] = [first + i * d + j, first + j * d + i];
        const v = ((data[low] as number) + (data[high] as number)) / (2 * count);
        mean[low] = v;
        mean[high] = v;
      }
    }
  }
  return { rows, cols: d, data: mean };
}
