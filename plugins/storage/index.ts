/**
 * Posteriors and factors where users of tfjs keep their models: on disk, in the stores of a browser, on a server, or in a handler of tf.io.
 * What is kept is the bytes of `encodePosterior` and `encodeFactors`: one file, `laplace.safetensors` or `factors.safetensors`.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type DecodeFactorsOptions,
  type DecodeOptions,
  type EncodeFactorsOptions,
  type EncodeOptions,
  type Factors,
  isLaplaceError,
  openFactors,
  openPosterior,
  orThrow,
  type Posterior,
  piecesOfFactors,
  piecesOfPosterior,
} from 'tfjs-laplace';
import { checkModel, DecodeFactorsOptionsCodec, DecodeOptionsCodec, laplaceError, optionsOf } from 'tfjs-laplace/extend';
import { aboutFactors, aboutPosterior } from './about.js';
import { failed } from './failure.js';
import { modelFiles } from './modelFiles.js';
import { FACTORS, POSTERIOR, placeOf } from './place.js';
import type { Place, Saved, Where } from './types.js';

export { type CheckpointOptions, checkpoint } from './checkpoint.js';
export { type MergedFiles, type MergeFilesOptions, mergeFactorsFiles } from './mergeFactorsFiles.js';
export { modelFiles } from './modelFiles.js';
export { readBytes, withFile } from './readFile.js';
export { trainingCheckpoint } from './trainingCheckpoint.js';
export type { Saved, Where } from './types.js';
export { removeUnfinished, whileUnfinished } from './unfinished.js';
export { writeWhole } from './writeWhole.js';

/** Options of `savePosterior`. */
export interface SaveOptions extends EncodeOptions {
  /** The model that the posterior belongs to. It is saved too, to the same place, and its `userDefinedMetadata` name the file. */
  readonly model?: LayersModel;
}

/** Options of `loadPosterior`. */
export interface LoadOptions extends DecodeOptions {
  /** The model that is to be used with it. If it has other weights, or computes something else with them, loading fails. */
  readonly model?: LayersModel;
}

/**
 * Saves a posterior.
 *
 * | `where` | what is written |
 * |---|---|
 * | `'file://FOLDER'` | `laplace.safetensors` in the folder (Node), and `laplace.json`, which tells people what it is |
 * | `'file://PATH.safetensors'` | that file, and a `.json` beside it |
 * | `'indexeddb://KEY'`, `'localstorage://KEY'` | an entry of the browser's store, under `KEY/laplace`. A model can have the same URL |
 * | `'downloads://NAME'` | a download of the browser |
 * | `'http://…'`, `'https://…'` | a POST, as of `model.save` |
 * | a handler of tf.io | what its `save` does with the bytes as weights |
 *
 * On disk the file is written piece by piece beside its place, brought to the disk and renamed: the former file stays until the new one is
 * whole. It can be larger than the memory that is left. To the other places all bytes go at once.
 *
 * With `model` the place must be a folder or a store of the browser.
 *
 * Rejects with `Storage` if the place cannot be written; with the errors of `encodePosterior`; with `Mismatch` if the model has other
 * weights than the posterior.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe, toPosterior } from 'tfjs-laplace';
 * import { loadPosterior, savePosterior } from 'tfjs-laplace/plugins/storage';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors(), toPosterior()),
 * );
 * // 'file://models/wave', 'indexeddb://wave' or a server in an application; a handler that keeps it in memory here.
 * let kept: tf.io.ModelArtifacts;
 * const memory: tf.io.IOHandler = {
 *   save: async (artifacts) => {
 *     kept = artifacts;
 *     return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
 *   },
 *   load: async () => kept,
 * };
 * await savePosterior(posterior, memory);
 * (await loadPosterior(memory, { model })).layers[0].priorPrecision; // => 1
 * ```
 */
export async function savePosterior(posterior: Posterior, where: Where, options: SaveOptions = {}): Promise<Saved> {
  const { model, ...own } = options;
  const pieces = orThrow(piecesOfPosterior(posterior, own));
  const place = placeOf(where, POSTERIOR);
  if (model !== undefined) await saveModel(model, posterior, where, place);
  await place.write({ pieces, about: aboutPosterior(posterior, pieces.size) });
  return { where: place.name, bytes: pieces.size };
}

/**
 * Loads a posterior from where `savePosterior` has put it. A URL of a server can be that of the file, of its folder, or of the `model.json`
 * beside it.
 *
 * Rejects with `Storage` if the place cannot be read, with the errors of `decodePosterior`, and with `Mismatch` if the model is
 * another one than that of the posterior.
 */
export async function loadPosterior(where: Where, options: LoadOptions = {}): Promise<Posterior> {
  const { model, ...own } = options;
  const decoding = { ...optionsOf('loadPosterior', DecodeOptionsCodec, own), verify: false };
  const posterior = await placeOf(where, POSTERIOR).read(async (file) => (await openPosterior(file, decoding)).whole());
  if (model !== undefined) await checkModel(model, posterior);
  return posterior;
}

/** Saves factors, as `savePosterior` saves posteriors. Their file in a folder is `factors.safetensors`. */
export async function saveFactors(factors: Factors, where: Where, options: EncodeFactorsOptions = {}): Promise<Saved> {
  const pieces = orThrow(piecesOfFactors(factors, options));
  const place = placeOf(where, FACTORS);
  await place.write({ pieces, about: aboutFactors(factors, pieces.size) });
  return { where: place.name, bytes: pieces.size };
}

/** Loads factors from where `saveFactors` has put them. Rejects with `Storage`, and with the errors of `decodeFactors`. */
export async function loadFactors(where: Where, options: DecodeFactorsOptions = {}): Promise<Factors> {
  const decoding = { ...optionsOf('loadFactors', DecodeFactorsOptionsCodec, options), verify: false };
  return placeOf(where, FACTORS).read(async (file) => (await openFactors(file, decoding)).whole());
}

async function saveModel(model: LayersModel, posterior: Posterior, where: Where, place: Place): Promise<void> {
  if (typeof where !== 'string' || !/^(file|indexeddb|localstorage):/.test(where) || where.endsWith('.safetensors')) {
    throw oneThing(where);
  }
  await checkModel(model, posterior);
  const { fingerprint: weights } = posterior;
  const former = (model.getUserDefinedMetadata() ?? {}) as Readonly<Record<string, unknown>>;
  // In a folder the file's name is enough: folders are moved as a whole.
  const file = where.startsWith('file:') ? `${POSTERIOR}.safetensors` : place.name;
  model.setUserDefinedMetadata({ ...former, laplace: { file, fingerprint: weights } });
  await model.save(where.startsWith('file:') ? modelFiles(where) : where).catch((error: unknown) => {
    model.setUserDefinedMetadata(former);
    throw isLaplaceError(error) ? error : failed('write', `the model to ${where}`, error);
  });
}

const oneThing = (where: Where) =>
  laplaceError('InvalidOption', {
    what: 'The place keeps one thing: the model, or the posterior',
    field: 'model',
    found: `a model, and ${typeof where === 'string' ? JSON.stringify(where) : 'a handler'} as the place`,
    expected: "a folder ('file://…'), or a store of the browser ('indexeddb://…', 'localstorage://…')",
    remedy: 'Save the model by itself (model.save), and leave out the option.',
  });
