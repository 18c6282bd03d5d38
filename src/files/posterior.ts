/** Posteriors as bytes, and back. */
import type { either as E } from 'fp-ts';
import {
  anything,
  argument,
  array,
  finite,
  nonNegative,
  ofKind,
  optional,
  optionsOf,
  positive,
  positiveInteger,
  struct,
  text,
} from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import { attempted, orThrow } from '../orThrow.js';
import { DampingCodec } from '../posterior/damping.js';
import { POSTERIOR } from '../posterior/kind.js';
import type { Posterior, PosteriorLayer } from '../posterior/posterior.js';
import { posteriorStructure } from '../posterior/structure/index.js';
import type { Matrix } from '../types.js';
import { type ArraysOfFile, arrayOf, arraysOf } from './arrays.js';
import { damaged, opened, sealed } from './container.js';
import { checkWhole, decoded, estimatorFrom, LAYER_FIELDS, likelihoodFrom } from './manifest.js';
import {
  BytesCodec,
  bytesOf,
  type DecodeOptions,
  DecodeOptionsCodec,
  type EncodeOptions,
  EncodeOptionsCodec,
} from './options.js';

/** Everything in a posterior that is no array. */
const Manifest = struct('the manifest of a posterior', {
  layers: array('a list of layers', struct('a layer', { ...LAYER_FIELDS, priorPrecision: positive })),
  damping: DampingCodec,
  likelihood: anything,
  estimator: anything,
  outputs: positiveInteger,
  datasetSize: positive,
  fingerprint: text,
  architecture: optional(text),
  logLikelihood: finite,
  squares: optional(array('a list of numbers >= 0', nonNegative)),
});

type LayerData = (typeof Manifest)['_A']['layers'][number];

/**
 * A posterior as the bytes of a file. It is a safetensors file, whose metadata hold everything that is no array, and a SHA-256 of the
 * whole. Every number is kept as it is, unless `dtype` asks for a smaller format.
 *
 * A likelihood of your own is kept by its name: give it again when you read the file. The model is not in the file: save it beside.
 *
 * @returns the bytes, or `NotFinite` if a number is not finite in the format; `InvalidInput` for a value that is no posterior.
 * @throws LaplaceError `InvalidOption` for an unknown option or format
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, decodePosterior, encodePosterior, observe, orThrow, predict, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors(), toPosterior()),
 * );
 * const bytes = orThrow(encodePosterior(posterior));
 * const again = orThrow(decodePosterior(bytes));
 * again.layers[0].priorPrecision; // => 1
 * const prediction = await lastValueFrom(from([data.x]).pipe(predict(model, again)));
 * prediction._tag; // => 'regression'
 * ```
 */
export function encodePosterior(posterior: Posterior, options: EncodeOptions = {}): E.Either<LaplaceError, Uint8Array> {
  const { dtype } = optionsOf('encodePosterior', EncodeOptionsCodec, options);
  return attempted(() => {
    const own = orThrow(ofKind('encodePosterior', POSTERIOR, posterior));
    const { layers, likelihood, damping, estimator, outputs, datasetSize, fingerprint, architecture, logLikelihood, squares } =
      own;
    // In this order, so that equal posteriors have equal bytes.
    const manifest = {
      likelihood,
      estimator,
      damping,
      outputs,
      datasetSize,
      fingerprint,
      architecture,
      logLikelihood,
      squares,
      layers: layers.map(({ name, structure, members, groups, n, m, bias, priorPrecision }) => ({
        name,
        structure,
        members,
        groups,
        n,
        m,
        bias,
        priorPrecision,
      })),
    };
    const arrays = layers.flatMap((layer, l) =>
      matricesOf(layer).map(([name, matrix]) => arrayOf(nameIn(l, name), matrix, dtype)),
    );
    return sealed('posterior', manifest, arrays, dtype);
  });
}

/** The name of an array of layer number l. */
const nameIn = (l: number, name: string): string => `layers.${l}.${name}`;

const matricesOf = ({ mean, parts, shares = [] }: PosteriorLayer): ReadonlyArray<readonly [string, Matrix]> => [
  ['mean', mean],
  ...(Object.entries(parts) as ReadonlyArray<readonly [string, Matrix]>),
  ...shares.map((own, c) => [shareName(c), own] as const),
];

const shareName = (c: number): string => `shares.${c}`;

/**
 * The posterior of a file's bytes. Whatever the bytes are, nothing is thrown for them.
 *
 * @returns the posterior, frozen, or `InvalidFile` for bytes that are no file of a posterior, that are damaged, or that a newer version of
 *   the library wrote; `Mismatch` for a likelihood of your own that is not among `likelihoods`.
 * @throws LaplaceError `InvalidOption` for an unknown option, or for a value that is no bytes
 */
export function decodePosterior(bytes: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): E.Either<LaplaceError, Posterior> {
  const { likelihoods = [] } = optionsOf('decodePosterior', DecodeOptionsCodec, options);
  const given = bytesOf(argument('decodePosterior', 'bytes', BytesCodec, bytes));
  return attempted(() => {
    const { manifest, entries } = orThrow(opened('posterior', given));
    const { layers, likelihood, estimator, squares, ...rest } = decoded(Manifest, manifest, 'posterior');
    const arrays = arraysOf(entries);
    const found = {
      _tag: 'Posterior' as const,
      ...rest,
      layers: layers.map((layer, l) => layerFrom(layer, l, squares?.length ?? 0, arrays)),
      likelihood: likelihoodFrom(likelihood, likelihoods),
      estimator: estimatorFrom(estimator),
      ...(squares && { squares }),
    };
    arrays.end();
    checkWhole({ ...found, shares: squares?.length });
    return frozen(found);
  });
}

/** A layer of a file. `shares` is the number of outputs whose shares it has. */
function layerFrom(layer: LayerData, l: number, shares: number, arrays: ArraysOfFile): PosteriorLayer {
  const { groups, n, m } = layer;
  const structure = posteriorStructure(layer);
  const take = (name: string, rows: number | undefined, cols: number | undefined): Matrix =>
    arrays.take(nameIn(l, name), { rows, cols });
  /** r, which the first matrix with it decides. */
  let rank: number | undefined;
  const parts: Record<string, Matrix> = {};
  for (const [name, { rows, cols, isOptional, isNonNegative }] of Object.entries(structure.shapes(layer))) {
    if (isOptional && !arrays.has(nameIn(l, name))) continue;
    const own = take(name, rows === 'rank' ? rank : rows, cols === 'rank' ? rank : cols);
    if (isNonNegative && own.data.some((v) => v < 0)) throw damaged(`a number below 0 in ${JSON.stringify(nameIn(l, name))}`);
    if (rows === 'rank') rank = own.rows;
    if (cols === 'rank') rank = own.cols;
    parts[name] = own;
  }
  if ((parts.rankValues === undefined) !== (parts.rankVectors === undefined)) {
    throw damaged(`one half of the low rank of layer ${JSON.stringify(layer.name)}`);
  }
  if (rank === 0) throw damaged(`a rank of 0 in layer ${JSON.stringify(layer.name)}`);
  const side = structure.outputSide;
  if (shares > 0 && side === undefined) throw damaged(`shares of outputs in layer ${JSON.stringify(layer.name)}`);
  const { rows, cols } = side?.shape(layer) ?? { rows: 0, cols: 0 };
  return {
    ...layer,
    mean: take('mean', groups * n, m),
    parts,
    ...(shares > 0 && { shares: Array.from({ length: shares }, (_, c) => take(shareName(c), rows, cols)) }),
  } as unknown as PosteriorLayer;
}
