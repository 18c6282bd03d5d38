/**
 * Kronecker factors as plain data: sums over examples, never means, so that they form a commutative monoid.
 *
 *   merge(a, empty) = a      merge(a, b) = merge(b, a)      merge(merge(a, b), c) = merge(a, merge(b, c))
 *
 * (up to float64 rounding). Splits and the order of shards don't matter, and no N is needed up front: division happens once,
 * when a posterior is built (`moments.ts`). Per layer: input Σ a aᵀ [n, n] and gradient Σ g gᵀ [m, m]; under `kfra` the second
 * one holds that recursion's sums instead. Martens & Grosse 2015; Botev et al. 2017.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/codec.js';
import type { Matrix } from '../types.js';
import type { Curvature } from './codec.js';

/** What the sums of one layer belong to. */
export interface LayerLayout {
  readonly name: string;
  /** Inputs, bias included. */
  readonly n: number;
  /** Outputs. */
  readonly m: number;
  readonly bias: boolean;
}

/** What a set of factors describes. Factors of different layouts never mix. */
export interface Layout {
  readonly estimator: Curvature['_tag'];
  readonly likelihood: Likelihood;
  readonly layers: ReadonlyArray<LayerLayout>;
  /** Names of the layers that a posterior covers unless told otherwise: `kfra` gathers sums of layers above them too. */
  readonly covered: ReadonlyArray<string>;
}

/** Sums of one layer. */
export interface LayerSums {
  /** Σ a aᵀ over examples, [n, n]. */
  readonly input: Matrix;
  /** Σ g gᵀ over examples and columns, [m, m]. */
  readonly gradient: Matrix;
}

/** Curvature sums of a model over data. */
export interface Factors {
  readonly _tag: 'Factors';
  readonly layout: Layout;
  /** Of the weights at which the sums were taken, or, for training epochs, of the weights at the end. */
  readonly fingerprint: string;
  /** Those weights, W [n, m] per layer. */
  readonly weights: ReadonlyArray<Matrix>;
  /** Examples that the sums run over. */
  readonly count: number;
  /** N: distinct examples. Less than `count` where several epochs over the same data were summed. */
  readonly datasetSize: number;
  /** Σ log p(y | f) over the counted examples, in nats. */
  readonly logLikelihood: number;
  readonly layers: ReadonlyArray<LayerSums>;
}

/** The identity of `merge`: no example yet. */
export function emptyFactors(layout: Layout, fingerprint: string, weights: ReadonlyArray<Matrix>): Factors {
  const zeros = (d: number): Matrix => ({ rows: d, cols: d, data: new Float64Array(d * d) });
  const layers = layout.layers.map(({ n, m }) => ({ input: zeros(n), gradient: zeros(m) }));
  return { _tag: 'Factors', layout, fingerprint, weights, count: 0, datasetSize: 0, logLikelihood: 0, layers };
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
    layers: a.layers.map((layer, i) => {
      const other = b.layers[i] as LayerSums;
      return { input: plus(layer.input, other.input), gradient: plus(layer.gradient, other.gradient) };
    }),
  });
}

const plus = (a: Matrix, b: Matrix): Matrix => ({ ...a, data: a.data.map((v, i) => v + (b.data[i] as number)) });
