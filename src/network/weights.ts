/**
 * A model's weights as values: block matrices W [n, m] on the host, and a fingerprint that tells whether factors, a posterior
 * and a model belong together.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Matrix } from '../types.js';
import { fromDevice } from './device.js';
import type { Block, Network } from './network.js';

/** The weights of a network at one moment. */
export interface Weights {
  /** 64-bit hash of every weight of the model (covered or not), in hexadecimal. */
  readonly fingerprint: string;
  /** W [n, m] of every block, the bias as the last row. */
  readonly blocks: ReadonlyArray<Matrix>;
}

/** Reads all weights once. Cost: one download of the model. */
export async function readWeights(network: Network): Promise<Weights> {
  const data = await download(network.model);
  return { fingerprint: hash(data.values()), blocks: network.blocks.map((b) => blockMatrix(b, data)) };
}

/** Fingerprint of all weights of a model. Cost: one download of the model and a pass over its bytes. */
export async function fingerprint(model: LayersModel): Promise<string> {
  return hash((await download(model)).values());
}

/** Kernel and bias of a block as one device matrix W [n, m]. */
export function blockWeights(block: Block): tf.Tensor2D {
  const [kernel, bias] = block.op.layer.weights.map((w) => w.read()) as [tf.Tensor2D, tf.Tensor1D | undefined];
  return bias === undefined ? tf.clone(kernel) : tf.concat([kernel, tf.reshape(bias, [1, -1])], 0);
}

type WeightData = ReadonlyMap<tf.Tensor, Float32Array>;

async function download(model: LayersModel): Promise<WeightData> {
  const tensors = model.weights.map((w) => w.read() as tf.Tensor);
  const data = await fromDevice(Promise.all(tensors.map((t) => t.data())));
  return new Map(tensors.map((t, i) => [t, data[i] as Float32Array]));
}

function blockMatrix(block: Block, data: WeightData): Matrix {
  const flat = new Float64Array(block.n * block.m);
  let offset = 0;
  for (const weight of block.op.layer.weights) {
    const values = data.get(weight.read() as tf.Tensor) as Float32Array;
    flat.set(values, offset);
    offset += values.length;
  }
  return { rows: block.n, cols: block.m, data: flat };
}

/**
 * Two FNV-1a hashes (Fowler, Noll, Vo 1991) with different offsets over 32-bit words. Not for security: it tells a retrained
 * model from the one that was observed.
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
      // FNV's multiplication carries bits upwards only; fold the high half back so that every bit matters.
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
  }
  return [a, b].map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
}
