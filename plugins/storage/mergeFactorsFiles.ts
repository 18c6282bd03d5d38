/** Adds up the factors of several files on disk, with a layer of the sum and a piece of a file in memory. */
import type { DecodeFactorsOptions, LaplaceError, OnProgress, Part } from 'tfjs-laplace';
import {
  argument,
  array,
  type FactorsSource,
  func,
  laplaceError,
  mergeAll,
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
  /** Receives an event after each layer of each file: once when it is checked, and once when it is added. */
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
 * `merge` makes of the loaded values. One layer of the sum and a piece of a file are in memory at a time, however many and large the files are.
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
 * sum.parts?.[1]; // => { dataset: 'tuesday', first: 0, end: 4 }
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
  const sources = paths.map((name): FactorsSource => ({ name, open: (work) => withFile(name, work) }));
  const sum = await mergeAll(sources, { ...own, onProgress });
  const pieces = piecesOfFile(sum);
  await place.writePlaced(pieces, aboutFactors(sum.facts, pieces.size));
  const { count, datasetSize, parts } = sum.facts;
  return { where: place.name, bytes: pieces.size, count, datasetSize, ...(parts && { parts }) };
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

const twice = (path: string, former: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: `${path} cannot be added. It is added already`,
    field: 'files',
    found: path === former ? 'the same file twice' : `the same file under the name ${former}`,
    expected: 'each file once',
    remedy: 'Merge each part once; an example that counts twice has the weight 2.',
  });
