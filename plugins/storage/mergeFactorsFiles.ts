/** Adds up the factors of several files on disk, with a layer or two in memory. */
import { either as E } from 'fp-ts';
import { type DecodeFactorsOptions, isLaplaceError, type LaplaceError, type OnProgress, orThrow, type Part } from 'tfjs-laplace';
import {
  argument,
  array,
  func,
  type LayeredFactors,
  laplaceError,
  mergeFiles,
  openFactorsFile,
  optional,
  piecesOfFile,
  refined,
} from 'tfjs-laplace/extend';
import { aboutFactors } from './about.js';
import { within } from './failure.js';
import { loadNode } from './loadNode.js';
import { nodePlace } from './node.js';
import { FACTORS } from './place.js';
import { withFile } from './readFile.js';
import type { Saved } from './types.js';

/** Options of `mergeFactorsFiles`. */
export interface MergeFilesOptions extends DecodeFactorsOptions {
  /** Receives an event after each layer. */
  readonly onProgress?: OnProgress;
}

/** The file of a sum, and what it says. */
export interface MergedFiles extends Saved {
  readonly count: number;
  readonly datasetSize: number;
  /** Which examples of which data sets are in the sums, as far as that is known; absent if nobody named them. */
  readonly parts?: ReadonlyArray<Part>;
}

/**
 * Adds up the factors of files on disk, in the order in which they are given, into another file: the bytes that `saveFactors` writes for what
 * `merge` makes of the loaded values. Only about a layer of each of two files is in memory at a time, however many and large they are.
 *
 * Each file is read once from end to end first, and checked against its hash; then what the files say of themselves is added up. The sum is
 * written after that, beside its place, and renamed when it is whole. It may take the place of one of the files.
 *
 * Rejects with `InvalidFile` for a damaged file, and with `Mismatch` for one of another layout or other weights, or with a part that an earlier
 * one holds. These errors name the file, and nothing is written. Rejects with `Mismatch` for the same file twice; with `Storage` if a file
 * cannot be read or written; with `InvalidOption` for no file, another place, or an unknown option.
 *
 * @param files `'file://PATH.safetensors'`, or `'file://FOLDER'`, where it is `factors.safetensors`
 * @param where the place of the sum, on disk too
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe } from 'tfjs-laplace';
 * import { mergeFactorsFiles, saveFactors } from 'tfjs-laplace/plugins/storage';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const days = ['monday', 'tuesday'];
 * for (const part of days) {
 *   const data = { x: tf.randomNormal([4, 2]), y: tf.randomNormal([4, 1]) };
 *   const factors = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors('kfac', { part })));
 *   await saveFactors(factors, `file://out/${part}.safetensors`);
 * }
 * const sum = await mergeFactorsFiles(days.map((day) => `file://out/${day}.safetensors`), 'file://out/all.safetensors');
 * sum.count; // => 8
 * sum.parts[1]; // => { dataset: 'tuesday', first: 0, end: 4 }
 * ```
 */
export async function mergeFactorsFiles(
  files: ReadonlyArray<string>,
  where: string,
  options: MergeFilesOptions = {},
): Promise<MergedFiles> {
  const { onProgress, ...own } = options;
  argument('mergeFactorsFiles', 'onProgress', optional(func('a function')), onProgress);
  const places = argument('mergeFactorsFiles', 'files', array('a list of files', OnDisk), files).map(placeOn);
  const place = placeOn(argument('mergeFactorsFiles', 'where', OnDisk, where));
  const paths = places.map(({ name }) => name);
  await eachOnce(paths);
  return withSum(paths, own, undefined, async (sum) => {
    const pieces = piecesOfFile(onProgress === undefined ? sum : counted(sum, onProgress));
    await place.writePlaced(pieces, aboutFactors(sum.facts, pieces.size));
    const { count, datasetSize, parts } = sum.facts;
    return { where: place.name, bytes: pieces.size, count, datasetSize, ...(parts && { parts }) };
  });
}

const OnDisk = refined("'file://…'", (value): value is string => typeof value === 'string' && /^file:\/\/./.test(value));

const placeOn = (where: string) => nodePlace(where.slice('file://'.length), FACTORS);

/** Rejects with `Mismatch` if two paths lead to one file. */
async function eachOnce(paths: ReadonlyArray<string>): Promise<void> {
  const { fs } = await loadNode();
  const known = new Map<string, string>();
  for (const path of paths) {
    const real = await within('read', path, () => fs.realpath(path));
    if (known.has(real)) throw twice(path, known.get(real) as string);
    known.set(real, path);
  }
}

/**
 * Opens the files one after another, adds each to the sum of those before it, and gives the whole sum to some work. All files are open
 * until the work has ended.
 */
const withSum = <A>(
  [path, ...rest]: ReadonlyArray<string>,
  options: DecodeFactorsOptions,
  before: LayeredFactors | undefined,
  work: (sum: LayeredFactors) => Promise<A>,
): Promise<A> =>
  path === undefined
    ? work(before as LayeredFactors)
    : withFile(path, async (reader) => {
        const file = await openFactorsFile(reader, options).catch((error: unknown) => {
          throw named(path, error);
        });
        const sum = before === undefined ? E.right(file) : mergeFiles(before, file);
        return withSum(rest, options, orThrow(E.mapLeft((error: LaplaceError) => named(path, error))(sum)), work);
      });

/** Factors that tell of each layer that they were asked for. */
function counted(sum: LayeredFactors, onProgress: OnProgress): LayeredFactors {
  const total = sum.outlines.length;
  let done = 0;
  return {
    ...sum,
    layer: async (l) => {
      const layer = await sum.layer(l);
      done++;
      onProgress({ phase: 'observe', done, total, unit: 'layers', detail: sum.facts.layout.layers[l]?.name ?? '' });
      return layer;
    },
  };
}

/** An error of a file, with the name of the file. */
function named<A>(path: string, error: A): A | LaplaceError {
  if (!isLaplaceError(error) || (error.kind !== 'InvalidFile' && error.kind !== 'Mismatch')) return error;
  const { kind, field, message } = error;
  const what = `${path} cannot be added. ${message.replace(/\.$/, '')}`;
  return laplaceError(kind, { what, ...(field !== undefined && { field }), cause: error });
}

const twice = (path: string, former: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: `${path} cannot be added. It is added already`,
    field: 'files',
    found: path === former ? 'the same file twice' : `the same file under the name ${former}`,
    expected: 'each file once',
    remedy: 'Merge each part once; an example that counts twice has the weight 2.',
  });
