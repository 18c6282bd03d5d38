/**
 * A model's weights as values: block matrices W on the host, and a fingerprint that tells whether factors, a posterior
 * and a model belong together.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { fromDevice } from './device.js';
import { isContainer } from './graph.js';
import { layersModel } from './layersModel.js';
import { present } from './linear/index.js';
import { type Block, type Network, notDisposed } from './network.js';

/** The weights of a network at one moment. */
export interface Weights {
  /** 64-bit hash of every weight of the model (covered or not), in hexadecimal. */
  readonly fingerprint: string;
  /** W [P·n, m] of every block. The bias is the last row of each group. */
  readonly blocks: ReadonlyArray<Matrix>;
}

/** Reads all weights as they are at the call. Cost: one download of the model, and another of the covered layers. */
export async function readWeights(network: Network): Promise<Weights> {
  const matrices = Promise.all(network.blocks.map(readBlock));
  const [own, blocks] = await Promise.all([fingerprint(network.model), matrices]);
  return { fingerprint: own, blocks };
}

/**
 * Fingerprint of all weights of a model. Cost: one download of the model and a pass over its bytes.
 *
 * Rejects with `InvalidModel` for a model that is disposed, and with `Backend` for a lost device.
 */
export async function fingerprint(model: LayersModel): Promise<string> {
  const weights = allWeights(orThrow(F.pipe(layersModel(model), E.chain(notDisposed))));
  return hash((await fromDevice(Promise.all(weights.map((w) => w.data())))) as Float32Array[]);
}

/**
 * All weights of a model, layer by layer. `model.weights` lists the trainable ones first, so that its order changes when a layer is frozen.
 */
export const allWeights = ({ layers }: Pick<LayersModel, 'layers'>): ReadonlyArray<tf.Tensor> =>
  layers.flatMap((layer) => (isContainer(layer) ? allWeights(layer) : layer.weights.map((w) => w.read())));

/** The weights of a block as one device matrix W [P·n, m]. The bias is the last row of each group. */
export const blockWeights = ({ map }: Block): tf.Tensor2D => map.toMatrix(present(map));

async function readBlock(block: Block): Promise<Matrix> {
  // The clone is a matrix of its own. A reshaped kernel would share the kernel's data, and be lost with the kernel.
  const W = tf.tidy(() => tf.clone(blockWeights(block)));
  const values = await fromDevice(W.data()).finally(() => W.dispose());
  return { rows: W.shape[0], cols: W.shape[1], data: new Float64Array(values) };
}

/**
 * Two FNV-1a hashes (Fowler, Noll, Vo 1991) with different offsets over 32-bit words. They tell a retrained model from the model
 * that was observed. They are not meant for security.
 */
function hash(arrays: Iterable<Float32Array>): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const array of arrays) {
    const words = new Uint32Array(array.buffer, array.byteOffset, array.length);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as number;
      a = Math.imul(a ^ word, 0x01000193);
      b = Math.imul(b ^ (word >>> 15) ^ (word << 17), 0x01000193);
      // FNV's multiplication carries bits upwards only. The high half is folded back, so that every bit matters.
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
  }
  return [a, b].map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
}
