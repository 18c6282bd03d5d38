/** Posteriors as bytes. */
import type { either as E } from 'fp-ts';
import { ofKind, optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { attempted, orThrow } from '../orThrow.js';
import { POSTERIOR } from '../posterior/kind.js';
import type { Posterior, PosteriorLayer } from '../posterior/posterior.js';
import { arraysIn, type Matrices, shareName } from './arrays.js';
import { type Seal, sealed, sealedPieces } from './container.js';
import { type EncodeOptions, EncodeOptionsCodec } from './options.js';
import type { Pieces } from './pieces.js';

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
export const encodePosterior = (posterior: Posterior, options: EncodeOptions = {}): E.Either<LaplaceError, Uint8Array> =>
  written('encodePosterior', posterior, options, sealed);

/**
 * The bytes of `encodePosterior`, piece by piece: for a posterior that is so large that it and its bytes do not fit into memory together, or
 * whose bytes are more than one `Uint8Array` holds. Every number is gone through twice, because the header, which comes first, has the
 * SHA-256 of all.
 *
 * @returns the pieces, or an error as of `encodePosterior`. Gone through, they cannot fail.
 * @throws LaplaceError `InvalidOption` for an unknown option or format
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe, openPosterior, orThrow, piecesOfPosterior, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors(), toPosterior()),
 * );
 * const pieces = orThrow(piecesOfPosterior(posterior));
 * // A file in an application; a Blob, which a browser may keep on disk, here.
 * const blob = new Blob([...pieces]);
 * blob.size === pieces.size; // => true
 * const read = (at: number, length: number) => blob.slice(at, at + length).arrayBuffer();
 * const opened = await openPosterior({ size: blob.size, read });
 * (await opened.layer(0)).mean.rows; // => 3
 * ```
 */
export const piecesOfPosterior = (posterior: Posterior, options: EncodeOptions = {}): E.Either<LaplaceError, Pieces> =>
  written('piecesOfPosterior', posterior, options, sealedPieces);

function written<A>(what: string, posterior: Posterior, options: EncodeOptions, seal: Seal<A>): E.Either<LaplaceError, A> {
  const { dtype } = optionsOf(what, EncodeOptionsCodec, options);
  return attempted(() => {
    const own = orThrow(ofKind(what, POSTERIOR, posterior));
    const arrays = own.layers.flatMap((layer, l) => arraysIn(l, matricesOf(layer), dtype));
    return seal('posterior', manifestFrom(own), arrays, dtype);
  });
}

/** What a posterior has beside arrays, in this order, so that equal posteriors have equal bytes. */
const manifestFrom = ({
  layers,
  likelihood,
  damping,
  estimator,
  outputs,
  datasetSize,
  fingerprint,
  architecture,
  logLikelihood,
  squares,
}: Posterior): object => ({
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
});

const matricesOf = ({ mean, parts, shares = [] }: PosteriorLayer): Matrices => [
  ['mean', mean],
  ...(Object.entries(parts) as Matrices),
  ...shares.map((own, c) => [shareName(c), own] as const),
];
