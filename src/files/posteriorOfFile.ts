/** Posteriors of files: of all their bytes, or of a reader. */
import type { either as E } from 'fp-ts';
import {
  anything,
  argument,
  array,
  finite,
  nonNegative,
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
import type { Posterior, PosteriorLayer } from '../posterior/posterior.js';
import { posteriorStructure } from '../posterior/structure/index.js';
import type { Matrix } from '../types.js';
import { type ArraysOfFile, nameIn, shareName } from './arrays.js';
import { damaged, opened } from './container.js';
import { type Layered, openFile, type Plan, wholeFrom } from './layers.js';
import { checkWhole, decoded, estimatorFrom, LAYER_FIELDS, likelihoodFrom, type OwnLikelihoods } from './manifest.js';
import { BytesCodec, bytesOf, type DecodeOptions, DecodeOptionsCodec, type OpenOptions, OpenOptionsCodec } from './options.js';
import { type ByteReader, ReaderCodec } from './reader.js';

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

/** What the manifest of a posterior says of a layer. */
export type PosteriorLayerFacts = Pick<
  PosteriorLayer,
  'name' | 'structure' | 'members' | 'groups' | 'n' | 'm' | 'bias' | 'priorPrecision'
>;

/** Everything in a posterior that is no array. */
type PosteriorFacts = Omit<Posterior, '_tag' | 'layers'> & { readonly layers: ReadonlyArray<PosteriorLayerFacts> };

/** A posterior that is still in its file: what its manifest says, and its layers one at a time. */
export type OpenedPosterior = PosteriorFacts & Layered<PosteriorLayer, Posterior> & { readonly _tag: 'OpenedPosterior' };

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
    return wholeFrom(planOf(manifest, likelihoods), entries);
  });
}

/**
 * Opens the file of a posterior, of which no more than a layer has to be in memory. A file may be larger than memory, and than a
 * `Uint8Array` can be.
 *
 * | what is checked | when |
 * |---|---|
 * | the header, the manifest, the names and shapes of all arrays, the length of the file | at once |
 * | all bytes against the SHA-256 of the file | at once, in one pass that keeps nothing; with `verify: false` in `whole` only |
 * | that numbers are finite, and none is below 0 where that cannot be | when their layer is read |
 *
 * The reader must stay open as long as layers are read, and its bytes must not change.
 *
 * Rejects with the errors of `decodePosterior`, and with what the reader rejects with.
 *
 * @throws LaplaceError `InvalidOption` for an unknown option, or for a value that is no reader
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, encodePosterior, observe, openPosterior, orThrow, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors(), toPosterior()),
 * );
 * const bytes = orThrow(encodePosterior(posterior));
 * // A file, a Blob or a server in an application; bytes in memory here.
 * const reader = { size: bytes.length, read: async (at: number, length: number) => bytes.subarray(at, at + length) };
 * const opened = await openPosterior(reader);
 * opened.layers.map(({ structure }) => structure); // => ['kronecker']
 * (await opened.layer(0)).mean.cols; // => 1
 * (await opened.whole()).datasetSize; // => 3
 * ```
 */
export function openPosterior(reader: ByteReader, options: OpenOptions = {}): Promise<OpenedPosterior> {
  const { likelihoods = [], verify } = optionsOf('openPosterior', OpenOptionsCodec, options);
  const given = argument('openPosterior', 'reader', ReaderCodec, reader);
  return openFile('posterior', given, verify, (manifest) => planOf(manifest, likelihoods)).then(({ facts, layer, whole }) =>
    Object.freeze({ _tag: 'OpenedPosterior', ...facts, layer, whole } as const),
  );
}

function planOf(manifest: unknown, own: OwnLikelihoods): Plan<PosteriorFacts, PosteriorLayer, Posterior> {
  const { likelihood, estimator, squares, ...rest } = decoded(Manifest, manifest, 'posterior');
  const facts: PosteriorFacts = frozen({
    ...rest,
    likelihood: likelihoodFrom(likelihood, own),
    estimator: estimatorFrom(estimator),
    ...(squares && { squares }),
  });
  checkWhole({ ...facts, shares: squares?.length });
  return {
    facts,
    count: rest.layers.length,
    layer: (l, arrays) => frozen(layerFrom(rest.layers[l] as LayerData, l, squares?.length ?? 0, arrays)),
    whole: (layers) => frozen({ _tag: 'Posterior', ...facts, layers }),
  };
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
