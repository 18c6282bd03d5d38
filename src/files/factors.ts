/** Factors as bytes, and back. */
import type { either as E } from 'fp-ts';
import {
  anything,
  argument,
  array,
  boolean,
  finite,
  nonNegative,
  ofKind,
  optional,
  optionsOf,
  positiveInteger,
  seed,
  struct,
  text,
} from '../codec/index.js';
import { FACTORS, type Factors } from '../curvature/factors.js';
import { type LayerLayout, type Layout, layoutDifference, type Rotation } from '../curvature/layout.js';
import { gradientShape, structured, sumsOf } from '../curvature/structure/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { attempted, orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { type ArraysOfFile, arrayOf, arraysOf } from './arrays.js';
import { damaged, opened, sealed } from './container.js';
import { checkWhole, decoded, estimatorFrom, LAYER_FIELDS, likelihoodFrom } from './manifest.js';
import {
  BytesCodec,
  bytesOf,
  type DecodeFactorsOptions,
  DecodeFactorsOptionsCodec,
  type EncodeFactorsOptions,
  EncodeFactorsOptionsCodec,
} from './options.js';

const LayoutCodec = struct('a layout', {
  estimator: anything,
  likelihood: anything,
  layers: array(
    'a list of layers',
    struct('a layer', {
      ...LAYER_FIELDS,
      positions: optional(positiveInteger),
      sketch: optional(struct('a sketch', { rank: positiveInteger, columns: positiveInteger, seed })),
    }),
  ),
  covered: array('names of layers', text),
  outputs: positiveInteger,
  architecture: optional(text),
  shares: optional(positiveInteger),
  basis: optional(text),
});

/** Everything in factors that is no array. */
const Manifest = struct('the manifest of factors', {
  layout: LayoutCodec,
  fingerprint: text,
  count: nonNegative,
  datasetSize: nonNegative,
  logLikelihood: finite,
  rows: nonNegative,
  batches: optional(positiveInteger),
  parts: optional(array('names of parts', text)),
  squares: optional(array('a list of numbers >= 0', nonNegative)),
  isRotated: boolean,
  /** Set if weights and rotations are left out. */
  isApart: optional(boolean),
});

/**
 * Factors as the bytes of a file, as `encodePosterior` writes them: to add them up elsewhere, or with those of another day. Merge factors
 * that were written as F64, which keeps every bit.
 *
 * @returns the bytes, or `NotFinite` if a number is not finite in the format; `InvalidInput` for a value that is no factors.
 * @throws LaplaceError `InvalidOption` for an unknown option or format
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, decodeFactors, encodeFactors, merge, observe, orThrow } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const factorsOf = (x: number[][], y: number[][]) =>
 *   lastValueFrom(from(batches({ x: tf.tensor2d(x), y: tf.tensor2d(y) }, 2)).pipe(observe(model, 'gaussian'), accumulateFactors()));
 * const yesterday = orThrow(encodeFactors(await factorsOf([[1, 2], [3, 4]], [[1], [2]])));
 * const today = await factorsOf([[5, 6]], [[3]]);
 * orThrow(merge(orThrow(decodeFactors(yesterday)), today)).count; // => 3
 * ```
 */
export function encodeFactors(factors: Factors, options: EncodeFactorsOptions = {}): E.Either<LaplaceError, Uint8Array> {
  const { dtype, common } = optionsOf('encodeFactors', EncodeFactorsOptionsCodec, options);
  const isApart = common === 'apart';
  return attempted(() => {
    const own = orThrow(ofKind('encodeFactors', FACTORS, factors));
    const { layout, layers, weights, shares, rotations, fingerprint, count, datasetSize, logLikelihood, rows, batches, parts } =
      own;
    const manifest = {
      layout,
      fingerprint,
      count,
      datasetSize,
      logLikelihood,
      rows,
      batches,
      parts,
      ...(shares && { squares: shares.map(({ squares }) => squares) }),
      isRotated: rotations !== undefined,
      ...(isApart && { isApart }),
    };
    const arrays = layers.flatMap(({ parts: sums }, l) => [
      ...(isApart ? [] : [[nameIn(l, 'weights'), weights[l] as Matrix] as const]),
      ...(Object.entries(sums) as ReadonlyArray<readonly [string, Matrix]>).map(([part, own]) => [nameIn(l, part), own] as const),
      ...(shares ?? []).map((own, c) => [nameIn(l, `shares.${c}`), own.layers[l] as Matrix] as const),
      ...Object.entries(isApart ? {} : (rotations?.[l] ?? {})).map(
        ([side, own]) => [nameIn(l, rotationName(side)), own as Matrix] as const,
      ),
    ]);
    return sealed(
      'factors',
      manifest,
      arrays.map(([name, matrix]) => arrayOf(name, matrix, dtype)),
      dtype,
    );
  });
}

/** The name of an array of layer number l. */
const nameIn = (l: number, name: string): string => `layers.${l}.${name}`;

const rotationName = (side: string): string => `rotation.${side}`;

/**
 * The factors of a file's bytes. Whatever the bytes are, nothing is thrown for them.
 *
 * @returns the factors, or `InvalidFile` for bytes that are no file of factors, that are damaged, or that a newer version of the library
 *   wrote; `Mismatch` for a likelihood of your own that is not among `likelihoods`, and for a file without weights if `like` is missing or
 *   was taken at other weights.
 * @throws LaplaceError `InvalidOption` for an unknown option, or for a value that is no bytes
 */
export function decodeFactors(
  bytes: Uint8Array | ArrayBuffer,
  options: DecodeFactorsOptions = {},
): E.Either<LaplaceError, Factors> {
  const { likelihoods = [], like } = optionsOf('decodeFactors', DecodeFactorsOptionsCodec, options);
  const given = bytesOf(argument('decodeFactors', 'bytes', BytesCodec, bytes));
  return attempted(() => {
    const { manifest, entries } = orThrow(opened('factors', given));
    const { layout: data, squares, isRotated, isApart = false, ...rest } = decoded(Manifest, manifest, 'factors');
    const layout: Layout = {
      ...data,
      likelihood: likelihoodFrom(data.likelihood, likelihoods),
      estimator: estimatorFrom(data.estimator),
    };
    const names = layout.layers.map(({ name }) => name);
    if (!layout.covered.every((name) => names.includes(name))) throw damaged('covered layers that are not among the layers');
    if (new Set(layout.covered).size < layout.covered.length) throw damaged('a covered layer that is named twice');
    if (isRotated !== (layout.estimator._tag === 'ekfac'))
      throw damaged(`${isRotated ? '' : 'no '}rotations for ${layout.estimator._tag}`);
    if (rest.count > 0 && !(rest.datasetSize > 0))
      throw damaged(`${rest.count} counted examples of a data set of ${rest.datasetSize}`);
    if (squares?.length !== layout.shares)
      throw damaged(`${squares?.length ?? 0} squared errors for ${layout.shares ?? 0} shares`);
    checkWhole({ ...layout, shares: layout.shares });
    const arrays = arraysOf(entries);
    const factors: Factors = {
      _tag: 'Factors',
      ...rest,
      layout,
      layers: layout.layers.map((layer, l) => structured(layer.structure, sumsFrom(layer, l, arrays))),
      ...(squares && { shares: squares.map((sum, c) => ({ squares: sum, layers: layout.layers.map(shareFrom(c, arrays)) })) }),
      ...(isApart ? commonWith(like, layout, rest.fingerprint) : commonFrom(layout, isRotated, arrays)),
    };
    arrays.end();
    return factors;
  });
}

/** What all parts of a pass have in common. */
type Common = Pick<Factors, 'weights' | 'rotations'>;

const commonFrom = ({ layers }: Layout, isRotated: boolean, arrays: ArraysOfFile): Common => ({
  weights: layers.map(({ groups, n, m }, l) => arrays.take(nameIn(l, 'weights'), { rows: groups * n, cols: m })),
  ...(isRotated && { rotations: layers.map((layer, l) => rotationFrom(layer, l, arrays)) }),
});

function commonWith(like: Factors | undefined, layout: Layout, fingerprint: string): Common {
  const different = like && (like.fingerprint === fingerprint ? layoutDifference(layout, like.layout) : undefined);
  if (like !== undefined && like.fingerprint === fingerprint && different === undefined) {
    return { weights: like.weights, ...(like.rotations && { rotations: like.rotations }) };
  }
  throw laplaceError('Mismatch', {
    what: 'The file leaves out what all parts of its pass have in common',
    field: 'like',
    found:
      like === undefined
        ? 'no factors that hold it'
        : different === undefined
          ? `factors at weights ${like.fingerprint}`
          : `factors that differ in layout.${different.path}`,
    expected: `factors of the same layout at weights ${fingerprint}`,
    remedy: 'Give factors of another part of the same pass in the option like.',
  });
}

const sumsFrom = (layer: LayerLayout, l: number, arrays: ArraysOfFile): Readonly<Record<string, Matrix>> =>
  Object.fromEntries(Object.entries(sumsOf(layer)).map(([part, shape]) => [part, arrays.take(nameIn(l, part), shape)]));

const shareFrom =
  (c: number, arrays: ArraysOfFile) =>
  (layer: LayerLayout, l: number): Matrix =>
    arrays.take(nameIn(l, `shares.${c}`), gradientShape(layer));

function rotationFrom({ groups, n, m }: LayerLayout, l: number, arrays: ArraysOfFile): Rotation {
  const side = (name: 'input' | 'gradient', d: number): Rotation =>
    arrays.has(nameIn(l, rotationName(name)))
      ? { [name]: arrays.take(nameIn(l, rotationName(name)), { rows: groups * d, cols: d }) }
      : {};
  return { ...side('input', n), ...side('gradient', m) };
}
