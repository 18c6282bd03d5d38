/**
 * Posteriors and factors where users of tfjs keep their models: on disk, in the stores of a browser, on a server, or in a handler of tf.io.
 * What is kept is the bytes of `encodePosterior` and `encodeFactors`: one file, `laplace.safetensors` or `factors.safetensors`.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type DecodeFactorsOptions,
  type DecodeOptions,
  decodeFactors,
  decodePosterior,
  type EncodeFactorsOptions,
  type EncodeOptions,
  encodeFactors,
  encodePosterior,
  type Factors,
  isLaplaceError,
  orThrow,
  type Posterior,
} from 'tfjs-laplace';
import { checkWeights, laplaceError } from 'tfjs-laplace/extend';
import { aboutFactors, aboutPosterior } from './about.js';
import { failed } from './failure.js';
import { modelFiles } from './modelFiles.js';
import { placeOf } from './place.js';
import type { Place, Where } from './types.js';

export { type CheckpointOptions, checkpoint } from './checkpoint.js';
export { modelFiles } from './modelFiles.js';
export { readBytes } from './node.js';
export { trainingCheckpoint } from './trainingCheckpoint.js';
export type { Where } from './types.js';
export { removeUnfinished, whileUnfinished } from './unfinished.js';
export { writeWhole } from './writeWhole.js';

/** Options of `savePosterior`. */
export interface SaveOptions extends EncodeOptions {
  /** The model that the posterior belongs to. It is saved too, to the same place, and its `userDefinedMetadata` name the file. */
  readonly model?: LayersModel;
}

/** Options of `loadPosterior`. */
export interface LoadOptions extends DecodeOptions {
  /** The model that is to be used with it. If it has other weights, loading fails. */
  readonly model?: LayersModel;
}

/** Where something was saved. */
export interface Saved {
  /** The file, or the place in words. */
  readonly where: string;
  readonly bytes: number;
}

/** The names of the files in folders. */
const [POSTERIOR, FACTORS] = ['laplace', 'factors'];

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
 * On disk the file is written beside its place, brought to the disk and renamed: the former file stays until the new one is whole.
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
  const bytes = orThrow(encodePosterior(posterior, own));
  const place = placeOf(where, POSTERIOR);
  if (model !== undefined) await saveModel(model, posterior, where, place);
  await place.write({ bytes, about: aboutPosterior(posterior, bytes) });
  return { where: place.name, bytes: bytes.length };
}

/**
 * Loads a posterior from where `savePosterior` has put it. A URL of a server can be that of the file, of its folder, or of the `model.json`
 * beside it.
 *
 * Rejects with `Storage` if the place cannot be read, with the errors of `decodePosterior`, and with `Mismatch` if the model has other
 * weights than the posterior.
 */
export async function loadPosterior(where: Where, options: LoadOptions = {}): Promise<Posterior> {
  const { model, ...own } = options;
  const posterior = orThrow(decodePosterior(await placeOf(where, POSTERIOR).read(), own));
  if (model !== undefined) await checkWeights(model, posterior);
  return posterior;
}

/** Saves factors, as `savePosterior` saves posteriors. Their file in a folder is `factors.safetensors`. */
export async function saveFactors(factors: Factors, where: Where, options: EncodeFactorsOptions = {}): Promise<Saved> {
  const bytes = orThrow(encodeFactors(factors, options));
  const place = placeOf(where, FACTORS);
  await place.write({ bytes, about: aboutFactors(factors, bytes) });
  return { where: place.name, bytes: bytes.length };
}

/** Loads factors from where `saveFactors` has put them. Rejects with `Storage`, and with the errors of `decodeFactors`. */
export const loadFactors = async (where: Where, options: DecodeFactorsOptions = {}): Promise<Factors> =>
  orThrow(decodeFactors(await placeOf(where, FACTORS).read(), options));

async function saveModel(model: LayersModel, posterior: Posterior, where: Where, place: Place): Promise<void> {
  if (typeof where !== 'string' || !/^(file|indexeddb|localstorage):/.test(where) || where.endsWith('.safetensors')) {
    throw oneThing(where);
  }
  await checkWeights(model, posterior);
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
