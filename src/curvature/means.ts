/**
 * From sums to the second moments of each layer: of Kronecker blocks, whose curvature is N · (A ⊗ G), A = ΣA / count [n, n] and
 * G = ΣG / count [m, m], made symmetric. For `kfra` the place of G holds E[φ'(z) φ'(z)ᵀ], from which `moments.ts` makes it.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import type { Factors, LayerSums } from './factors.js';
import type { EigenBasis, LayerLayout } from './layout.js';

/** Second moments of one layer: means over examples. */
export type LayerMoments = {
  readonly layout: LayerLayout;
  /** W [P·n, m]. */
  readonly weights: Matrix;
} & (
  | {
      readonly _tag: 'kronecker';
      /** A [n, n], of each group [P·n, n]; of an embedding its diagonal [n, 1]. */
      readonly input: Matrix;
      /** G [m, m], of each group [P·m, m]. */
      readonly gradient: Matrix;
    }
  /** E[Ĝ ⊙ Ĝ] [P·n, m]: of the weights, or along the directions of a basis. */
  | { readonly _tag: 'diagonal'; readonly squares: Matrix; readonly basis?: EigenBasis }
  /** A [n, n]; of G the diagonal [m, 1] and its products with the layout's Ω [m, l]. */
  | { readonly _tag: 'lowRank'; readonly input: Matrix; readonly diagonal: Matrix; readonly sketch?: Matrix }
);

/**
 * Means of every layer of the layout, the moments of all estimators but `kfra`. Fails on factors without an example or with a number
 * that is not finite.
 */
export function means(factors: Factors): E.Either<LaplaceError, ReadonlyArray<LayerMoments>> {
  const { count, layout, layers, weights } = factors;
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
  const all = layout.layers.map((layer, i) => layerMoments(layer, weights[i] as Matrix, layers[i] as LayerSums, count));
  for (const mean of all) {
    const broken = brokenOf(matricesOf(mean));
    if (broken !== undefined) return E.left(notFinite(mean.layout.name, broken));
  }
  return E.right(all);
}

function layerMoments(layout: LayerLayout, weights: Matrix, sums: LayerSums, count: number): LayerMoments {
  switch (sums._tag) {
    case 'kronecker': {
      const { input, gradient } = sums;
      return {
        _tag: 'kronecker',
        layout,
        weights,
        input: mean(input, count * (layout.positions ?? 1)),
        gradient: mean(gradient, count),
      };
    }
    case 'diagonal':
      return { _tag: 'diagonal', layout, weights, squares: scaled(sums.squares, count) };
    case 'lowRank': {
      const [diagonal, sketch] = [scaled(sums.diagonal, count), sums.sketch && scaled(sums.sketch, count)];
      return { _tag: 'lowRank', layout, weights, input: mean(sums.input, count), diagonal, ...(sketch && { sketch }) };
    }
    case 'eigen':
      return { _tag: 'diagonal', layout, weights, squares: scaled(sums.squares, count), basis: sums.basis };
  }
}

/** What there is of a layer, by its name. */
function matricesOf(layer: LayerMoments): Readonly<Record<string, Matrix>> {
  switch (layer._tag) {
    case 'kronecker':
      return { input: layer.input, gradient: layer.gradient };
    case 'diagonal':
      return { squares: layer.squares };
    case 'lowRank':
      return { input: layer.input, diagonal: layer.diagonal, ...(layer.sketch && { sketch: layer.sketch }) };
  }
}

const brokenOf = (parts: Readonly<Record<string, Matrix>>): string | undefined =>
  Object.entries(parts).find(([, matrix]) => !allFinite(matrix))?.[0];

const notFinite = (layer: string, field: string): LaplaceError =>
  laplaceError('NotFinite', {
    what: `The factors of layer '${layer}' hold a number that is not finite`,
    layer,
    field,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Look for NaN in the data or weights, or for inputs beyond the range of float32.',
  });

/** A mean of Gram matrices, symmetric; of a diagonal or a single number that itself. */
const mean = (sum: Matrix, count: number): Matrix => (sum.cols === 1 ? scaled(sum, count) : symmetricMean(sum, count));

const scaled = ({ rows, cols, data }: Matrix, count: number): Matrix => ({ rows, cols, data: data.map((v) => v / count) });

/** Of square matrices, in groups on top of each other: a mean, made symmetric. */
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

const allFinite = ({ data }: Matrix): boolean => data.every(Number.isFinite);
