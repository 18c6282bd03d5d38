/**
 * Kronecker factors as plain data: sums over examples, never means, so that they form a commutative monoid.
 *
 *   merge(a, empty) = a      merge(a, b) = merge(b, a)      merge(merge(a, b), c) = merge(a, merge(b, c))
 *
 * (up to float64 rounding). Splits and the order of shards don't matter, and no N is needed up front: division happens once,
 * when a posterior is built (`moments.ts`). What is summed of a layer says `layout.ts`; under `kfra`
 * the gradient's place holds that recursion's sums. Martens & Grosse 2015; Botev et al. 2017.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { type EigenBasis, type LayerLayout, type Layout, sumsOf } from './layout.js';

/** Sums of one layer, by its structure (see `layout.ts`). */
export type LayerSums =
  /** Two factors; of `full` all covered weights are the one input, and the gradient is the number of examples. */
  | {
      readonly _tag: 'kronecker';
      /** Σ a aᵀ over examples (and positions, as weight sharing says), [P·n, n]; of an embedding its diagonal, [n, 1]. */
      readonly input: Matrix;
      /** Σ g gᵀ over examples and columns, [P·m, m]. */
      readonly gradient: Matrix;
    }
  /** Σ Ĝ ⊙ Ĝ over examples and columns, [P·n, m]. */
  | { readonly _tag: 'diagonal'; readonly squares: Matrix }
  /** The same in a basis, which goes with the sums. */
  | { readonly _tag: 'eigen'; readonly squares: Matrix; readonly basis: EigenBasis }
  /** Σ a aᵀ [n, n]; of Σ Λ the diagonal [m, 1] and, where it is more than that, its products with the layout's Ω [m, l]. */
  | { readonly _tag: 'lowRank'; readonly input: Matrix; readonly diagonal: Matrix; readonly sketch?: Matrix };

/**
 * Whether a layer's sums or moments are those of two factors, `input` and `gradient`.
 *
 * @example
 * ```ts
 * import { isKronecker } from 'tfjs-laplace';
 *
 * const one = { rows: 1, cols: 1, data: Float64Array.of(2) };
 * isKronecker({ _tag: 'kronecker', input: one, gradient: one }); // => true
 * isKronecker({ _tag: 'diagonal', squares: one }); // => false
 * ```
 */
export const isKronecker = <L extends { readonly _tag: string }>(layer: L): layer is Extract<L, { readonly _tag: 'kronecker' }> =>
  layer._tag === 'kronecker';

/** Curvature sums of a model over data. */
export interface Factors {
  readonly _tag: 'Factors';
  readonly layout: Layout;
  /** Of the weights at which the sums were taken, or, for training epochs, of the weights at the end. */
  readonly fingerprint: string;
  /** Those weights, W [n, m] per layer. */
  readonly weights: ReadonlyArray<Matrix>;
  /** Examples that the sums run over; where examples have weights, the sum of these. */
  readonly count: number;
  /** N: distinct examples. Less than `count` where several epochs over the same data were summed. */
  readonly datasetSize: number;
  /** Σ log p(y | f) over the counted examples, in nats. */
  readonly logLikelihood: number;
  /** Rows that were sent back through the network: of `truncated` those that were kept. Per example: `rows / count`. */
  readonly rows: number;
  readonly layers: ReadonlyArray<LayerSums>;
}

/** The identity of `merge`: no example yet. */
export function emptyFactors(layout: Layout, fingerprint: string, weights: ReadonlyArray<Matrix>): Factors {
  const layers = layout.layers.map((layer) => {
    const sums = sumsOf(layer).map(({ rows, cols }): Matrix => ({ rows, cols, data: new Float64Array(rows * cols) }));
    return layerSums(layer, sums, 0, {});
  });
  return { _tag: 'Factors', layout, fingerprint, weights, count: 0, datasetSize: 0, logLikelihood: 0, rows: 0, layers };
}

/** A layer's sums from the arrays of `sumsOf`. */
export function layerSums({ structure }: LayerLayout, sums: ReadonlyArray<Matrix>, count: number, basis: EigenBasis): LayerSums {
  const [first, second, third] = sums as [Matrix, Matrix, Matrix | undefined];
  switch (structure) {
    case 'kronecker':
    case 'embedding':
      return { _tag: 'kronecker', input: first, gradient: second };
    case 'full':
      return { _tag: 'kronecker', input: first, gradient: { rows: 1, cols: 1, data: Float64Array.of(count) } };
    case 'diagonal':
      return { _tag: 'diagonal', squares: first };
    case 'eigen':
      return { _tag: 'eigen', squares: first, basis };
    case 'lowRank':
      return { _tag: 'lowRank', input: first, diagonal: second, ...(third && { sketch: third }) };
  }
}

/**
 * Adds the factors of two disjoint parts of a data set, taken at the same weights.
 *
 * @returns `Mismatch` when layout or weights differ.
 */
export function merge(a: Factors, b: Factors): E.Either<LaplaceError, Factors> {
  if (a.fingerprint !== b.fingerprint) {
    return E.left(
      laplaceError('Mismatch', {
        what: 'Factors were taken at different weights',
        field: 'fingerprint',
        found: `${a.fingerprint} and ${b.fingerprint}`,
        expected: 'the same weights',
        remedy: 'Observe both parts with one model; for epochs of one training run use mergeEpochs.',
      }),
    );
  }
  return E.map((sum: Factors) => ({ ...sum, datasetSize: a.datasetSize + b.datasetSize }))(add(a, b));
}

/**
 * Adds the factors of two epochs over the same data, while the weights moved. The result carries the weights of `b`, the later
 * one; all else commutes.
 */
export function mergeEpochs(a: Factors, b: Factors): E.Either<LaplaceError, Factors> {
  const datasetSize = Math.max(a.datasetSize, b.datasetSize);
  return E.map((sum: Factors) => ({ ...sum, datasetSize, fingerprint: b.fingerprint, weights: b.weights }))(add(a, b));
}

function add(a: Factors, b: Factors): E.Either<LaplaceError, Factors> {
  const [left, right] = [JSON.stringify(a.layout), JSON.stringify(b.layout)];
  if (left !== right) {
    return E.left(
      laplaceError('Mismatch', {
        what: 'Factors have different layouts',
        field: 'layout',
        found: right,
        expected: left,
        remedy: 'Merge factors of one model, one likelihood and one estimator only.',
      }),
    );
  }
  return E.right({
    ...a,
    count: a.count + b.count,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    rows: a.rows + b.rows,
    layers: a.layers.map((layer, i) => both(layer, b.layers[i] as LayerSums)),
  });
}

/** Layouts are the same, and so are the tags and the bases. */
function both(a: LayerSums, b: LayerSums): LayerSums {
  if (a._tag === 'kronecker' && b._tag === 'kronecker') {
    return { _tag: a._tag, input: plus(a.input, b.input), gradient: plus(a.gradient, b.gradient) };
  }
  if (a._tag === 'eigen' && b._tag === 'eigen') {
    return { _tag: a._tag, squares: plus(a.squares, b.squares), basis: { ...a.basis, ...b.basis } };
  }
  if (a._tag === 'diagonal' && b._tag === 'diagonal') return { _tag: a._tag, squares: plus(a.squares, b.squares) };
  if (a._tag === 'lowRank' && b._tag === 'lowRank') {
    const sketch = a.sketch && b.sketch && { sketch: plus(a.sketch, b.sketch) };
    return { _tag: a._tag, input: plus(a.input, b.input), diagonal: plus(a.diagonal, b.diagonal), ...sketch };
  }
  throw laplaceError('Mismatch', { what: 'Sums of one layout have different structures', found: `${a._tag} and ${b._tag}` });
}

const plus = (a: Matrix, b: Matrix): Matrix => ({ ...a, data: a.data.map((v, i) => v + (b.data[i] as number)) });
