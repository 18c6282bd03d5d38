/**
 * Curvature factors as plain data. They are sums over examples, never means, and form a commutative monoid:
 *
 *   merge(a, empty) = a      merge(a, b) = merge(b, a)      merge(merge(a, b), c) = merge(a, merge(b, c))
 *
 * (up to float64 rounding). How the data are split into shards, and in which order the shards come, makes no difference. N need
 * not be known up front: the sums are divided once, when a posterior is built (`means.ts`). The structure of a layer decides
 * which sums it has (`structure/`). Under `kfra`, `gradient` holds sums over slopes φ'(z), which the recursion in `moments.ts`
 * needs. Martens & Grosse 2015; Botev et al. 2017.
 */
import { either as E, function as F } from 'fp-ts';
import { argument, hasFields, type Kind, ofKind, refined, tagged, text } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { plus } from '../linalg/matrix.js';
import { orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { type Layout, layoutDifference, type Rotation } from './layout.js';
import { joinParts, type Parts, partText, unionParts } from './parts.js';
import { gradientSide, partsOf, type Structured, structured, sumsOf } from './structure/index.js';

/**
 * The sums of one layer over examples: its structure and the structure's matrices by name.
 *
 * | structure | parts |
 * |---|---|
 * | `kronecker` | `input`: Σ a aᵀ [P·n, n] over examples (and positions, as `weightSharing` decides); `gradient`: Σ g gᵀ [P·m, m] over examples and columns |
 * | `embedding`, `inputDiagonal` | `input`: only the diagonal of Σ a aᵀ, [P·n, 1]; `gradient` as for `kronecker` |
 * | `diagonal` | `squares`: Σ Ĝ ⊙ Ĝ [P·n, m] over examples and columns |
 * | `eigen` | `squares`: the same for U_Aᵀ Ĝ U_G, with U_A and U_G from `rotations` of the factors |
 * | `full` | `gradient`: Σ ĝ ĝᵀ [W, W], ĝ the gradients of all W covered weights in one column |
 * | `lowRank` | `input` as for `kronecker`; `diagonal`: the diagonal of Σ Λ [m, 1]; `sketch`: Σ Λ Ω [m, l], absent if Λ is diagonal |
 */
export type LayerSums = Structured;

/** What one output adds to the sums of `noise: 'perOutput'`, at its present noise variance σ². */
export interface OutputShare {
  /** Σ (f − y)² / σ² over the counted examples, and over their steps. */
  readonly squares: number;
  /** What it adds to the gradient side of each layer: to `gradient`, or to `squares`. The shares of all outputs add up to that. */
  readonly layers: ReadonlyArray<Matrix>;
}

/** Curvature sums of a model over data. */
export interface Factors {
  readonly _tag: 'Factors';
  readonly layout: Layout;
  /** Identifies the model's weights at which the sums were taken. For training epochs these are the weights at the end. */
  readonly fingerprint: string;
  /** The weights that `fingerprint` identifies: W [P·n, m] for each layer. */
  readonly weights: ReadonlyArray<Matrix>;
  /** The number of examples in the sums, or the sum of their weights if examples have weights. */
  readonly count: number;
  /** N, the number of distinct examples. It is less than `count` if several epochs over the same data were summed. */
  readonly datasetSize: number;
  /** Σ log p(y | f) over the counted examples, in nats. */
  readonly logLikelihood: number;
  /**
   * The number of rows that were sent back through the network; `truncated` counts the rows that it kept. Per example: `rows /
   * count`.
   */
  readonly rows: number;
  readonly layers: ReadonlyArray<LayerSums>;
  /** How many batches of a pass are in the sums, if the pass has not ended yet (a checkpoint). */
  readonly batches?: number;
  /** Which examples of which data sets are in the sums, as far as that is known; absent if nobody named them. */
  readonly parts?: Parts;
  /** The share of each output in the sums; absent unless the estimator has `noise: 'perOutput'`. */
  readonly shares?: ReadonlyArray<OutputShare>;
  /** The directions along which `ekfac` summed, one rotation for each layer; absent for other estimators. */
  readonly rotations?: ReadonlyArray<Rotation>;
}

/** Curvature sums. */
export const FACTORS: Kind<Factors> = {
  name: 'factors',
  is: tagged<Factors>('Factors', 'layout', 'layers'),
  remedies: [
    { is: tagged('Posterior'), remedy: 'A posterior holds no sums any more: keep the factors of which it was made.' },
    { is: tagged('OpenedFactors'), remedy: 'They are still in their file: await their whole().' },
    { is: Array.isArray, remedy: 'Give them one by one; concatAll(factorsMonoid(first)) of fp-ts adds up many.' },
  ],
};

/** What factors without an example are made of. */
const LAYOUT: Kind<Factors['layout']> = {
  name: 'a layout',
  is: (value): value is Factors['layout'] => hasFields('layers', 'estimator', 'likelihood', 'covered')(value),
  remedies: [{ is: tagged('Factors'), remedy: 'Its field layout is one.' }],
};

const Matrices = refined(
  'a list of matrices { rows, cols, data }',
  (value): value is ReadonlyArray<Matrix> => Array.isArray(value) && value.every(hasFields('rows', 'cols', 'data')),
);

/** The neutral element of `merge`: factors without an example. */
export function emptyFactors(layout: Layout, fingerprint: string, weights: ReadonlyArray<Matrix>): Factors {
  orThrow(ofKind('emptyFactors', LAYOUT, layout));
  argument('emptyFactors', 'fingerprint', text, fingerprint);
  argument('emptyFactors', 'weights', Matrices, weights);
  const layers = layout.layers.map((layer) => {
    const sums = Object.entries(sumsOf(layer)).map(([part, { rows, cols }]): [string, Matrix] => [
      part,
      { rows, cols, data: new Float64Array(rows * cols) },
    ]);
    return structured(layer.structure, Object.fromEntries(sums));
  });
  const none = { squares: 0, layers: layers.map(gradientSide) };
  return {
    _tag: 'Factors',
    layout,
    fingerprint,
    weights,
    count: 0,
    datasetSize: 0,
    logLikelihood: 0,
    rows: 0,
    layers,
    ...(layout.shares !== undefined && { shares: Array.from({ length: layout.shares }, () => none) }),
  };
}

/**
 * Adds the factors of two disjoint parts of a data set, taken at the same weights. For any number of parts see `factorsMonoid`.
 *
 * @returns the sum, or `Mismatch` if layouts or weights differ (the error names the field), if factors are added to themselves, or if both
 *   hold the same examples of a data set (`accumulateFactors(…, { part })`).
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E, function as F } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, merge, observe, orThrow, type TensorData } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const factorsOf = (data: TensorData) =>
 *   lastValueFrom(from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
 * const a = await factorsOf({ x: tf.tensor2d([[1, 2], [3, 4]]), y: tf.tensor2d([[1], [2]]) });
 * const b = await factorsOf({ x: tf.tensor2d([[5, 6]]), y: tf.tensor2d([[3]]) });
 * orThrow(merge(a, b)).count; // => 3
 * F.pipe(E.right(a), E.chain(merge(b)), orThrow).count; // => 3
 * ```
 */
export function merge(b: Factors): (a: Factors) => E.Either<LaplaceError, Factors>;
export function merge(a: Factors, b: Factors): E.Either<LaplaceError, Factors>;
export function merge(...args: ReadonlyArray<unknown>): unknown {
  return ofBoth('merge', args, sum);
}

function sum(a: Factors, b: Factors): E.Either<LaplaceError, Factors> {
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
  if (a.count > 0 && a.layers.some((layer, i) => layer === b.layers[i])) return E.left(twice('layers', 'the same sums twice'));
  return F.pipe(
    joinParts(a.parts ?? [], b.parts ?? []),
    E.mapLeft((overlap) => twice('parts', `${partText(overlap)} on both sides`)),
    E.chain((parts) => add(a, b, parts)),
    E.map((both) => ({ ...both, datasetSize: a.datasetSize + b.datasetSize })),
  );
}

/**
 * Adds the factors of two epochs over the same data, between which the weights moved. The result carries the weights of the later
 * epoch. Everything else does not depend on which epoch is the later one. `pipe(earlier, mergeEpochs(later))` is the same sum.
 *
 * @returns the sum, or `Mismatch` if the layouts differ; the error names the field.
 */
export function mergeEpochs(later: Factors): (earlier: Factors) => E.Either<LaplaceError, Factors>;
export function mergeEpochs(earlier: Factors, later: Factors): E.Either<LaplaceError, Factors>;
export function mergeEpochs(...args: ReadonlyArray<unknown>): unknown {
  return ofBoth('mergeEpochs', args, (earlier, later) => {
    const datasetSize = Math.max(earlier.datasetSize, later.datasetSize);
    const { fingerprint, weights } = later;
    return E.map((both: Factors) => ({ ...both, datasetSize, fingerprint, weights }))(
      add(earlier, later, unionParts(earlier.parts ?? [], later.parts ?? [])),
    );
  });
}

/** A function of two factors, of which the first may come last. */
function ofBoth(
  what: string,
  args: ReadonlyArray<unknown>,
  join: (a: Factors, b: Factors) => E.Either<LaplaceError, Factors>,
): unknown {
  return dual(args, ifArguments(2), (second: Factors) => {
    const b = ofKind(what, FACTORS, second);
    // Without the first factors there is no result that could hold the error.
    if (args.length < 2) orThrow(b);
    return (first: Factors) =>
      F.pipe(
        ofKind(what, FACTORS, first),
        E.chain((a) =>
          F.pipe(
            b,
            E.chain((own) => join(a, own)),
          ),
        ),
      );
  });
}

/** `Mismatch` for factors of two layouts, which cannot be added. It names the field. */
export function sameLayout(a: Layout, b: Layout): E.Either<LaplaceError, void> {
  const different = layoutDifference(a, b);
  if (different === undefined) return E.right(undefined);
  const field = `layout.${different.path}`;
  return E.left(
    laplaceError('Mismatch', {
      what: `Factors differ in ${field}`,
      field,
      found: different.right,
      expected: different.left,
      remedy: 'Merge factors of one model, one likelihood and one estimator with the same options only.',
    }),
  );
}

function add(a: Factors, b: Factors, parts: Parts): E.Either<LaplaceError, Factors> {
  const same = sameLayout(a.layout, b.layout);
  if (E.isLeft(same)) return same;
  const rotations = a.rotations ?? b.rotations;
  // A sum is no checkpoint.
  const { batches: _, parts: __, ...first } = a;
  const shares = a.shares?.map((own, c) => bothShares(own, b.shares?.[c] as OutputShare));
  return E.right({
    ...first,
    layout: a.layout.architecture === undefined ? b.layout : a.layout,
    count: a.count + b.count,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    rows: a.rows + b.rows,
    layers: a.layers.map((layer, i) => both(layer, b.layers[i] as LayerSums)),
    ...(parts.length > 0 && { parts }),
    ...(shares && { shares }),
    ...(rotations && { rotations }),
  });
}

const bothShares = (a: OutputShare, b: OutputShare): OutputShare => ({
  squares: a.squares + b.squares,
  layers: a.layers.map((own, l) => plus(own, b.layers[l] as Matrix)),
});

/** The sum of one layer's parts. The layouts are known to be equal, so structures and parts are too. */
function both(a: LayerSums, b: LayerSums): LayerSums {
  const [left, right] = [partsOf(a), partsOf(b)];
  const sums = Object.entries(left).map(([part, sum]) => [part, plus(sum, right[part] as Matrix)] as const);
  return structured(a.structure, Object.fromEntries(sums));
}

const twice = (field: string, found: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'Factors are merged with themselves',
    field,
    found,
    expected: 'factors of disjoint parts of the data',
    remedy: 'Merge each part once; an example that counts twice has the weight 2.',
  });
