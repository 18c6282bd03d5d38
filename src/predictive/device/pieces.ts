/**
 * Works on a batch in pieces of bounded size. The results of each piece are downloaded together, and its inputs are checked to be
 * finite.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { fromDevice } from '../../network/device.js';

/**
 * Runs `f` on pieces of at most `step` examples, with one download for each piece. Rejects with `NotFinite` if an input holds a
 * number that is not finite.
 *
 * @returns the results of `f` by name, each [B, …], joined over the pieces
 */
export async function inPieces<K extends string>(
  x: ReadonlyArray<tf.Tensor>,
  step: number,
  f: (piece: ReadonlyArray<tf.Tensor>) => Record<K, tf.Tensor>,
): Promise<Record<K, Float32Array>> {
  const B = x[0]?.shape[0] as number;
  const parts: Array<Record<K, Float32Array>> = [];
  for (let start = 0; start < B; start += step) {
    const results = tf.tidy(() => {
      const pieces = pieceOf(x, start, step);
      return { ...f(pieces), finite: allFinite(pieces) } as tf.NamedTensorMap;
    }) as Record<K | 'finite', tf.Tensor>;
    const { finite, ...values } = await downloadAll(results);
    if (finite[0] === 0) throw inputsNotFinite();
    parts.push(values as Record<K, Float32Array>);
  }
  const names = Object.keys(parts[0] as object) as K[];
  return Object.fromEntries(names.map((name) => [name, joined(parts.map((p) => p[name]))])) as Record<K, Float32Array>;
}

/** Rejects with `NotFinite` if an input holds a number that is not finite. */
export async function checkInputs(x: ReadonlyArray<tf.Tensor>): Promise<void> {
  const { finite } = await downloadAll(tf.tidy(() => ({ finite: allFinite(x) })));
  if (finite[0] === 0) throw inputsNotFinite();
}

/** At most `step` examples from `start` on. If the piece is the whole batch, the tensors themselves are returned. */
export const pieceOf = (x: ReadonlyArray<tf.Tensor>, start: number, step: number): ReadonlyArray<tf.Tensor> =>
  x.map((t) => {
    const [B, ...rest] = t.shape as [number, ...number[]];
    const size = Math.min(step, B - start);
    return size === B ? t : tf.slice(t, [start, ...rest.map(() => 0)], [size, ...rest]);
  });

/**
 * A scalar: 1 if all numbers of the inputs are finite, otherwise 0. The inputs are checked because activations can hide a NaN:
 * relu(NaN) is 0 on WASM.
 */
export const allFinite = (tensors: ReadonlyArray<tf.Tensor>): tf.Tensor =>
  tensors
    .filter((t) => t.dtype === 'float32')
    .map((t) => tf.cast(tf.all(tf.isFinite(t)), 'float32'))
    .reduce((a, b) => tf.mul(a, b), tf.scalar(1));

export const inputsNotFinite = (): LaplaceError =>
  laplaceError('NotFinite', {
    what: 'The inputs hold a number that is not finite',
    field: 'x',
    found: 'NaN or Infinity',
    expected: 'finite numbers',
  });

/** Downloads tensors and frees them. */
export async function downloadAll<K extends string>(tensors: Record<K, tf.Tensor>): Promise<Record<K, Float32Array>> {
  try {
    const entries = Object.entries<tf.Tensor>(tensors);
    const values = await fromDevice(Promise.all(entries.map(([, t]) => t.data())));
    return Object.fromEntries(entries.map(([name], i) => [name, values[i]])) as Record<K, Float32Array>;
  } finally {
    tf.dispose(tensors as tf.NamedTensorMap);
  }
}

/** Joins arrays end to end. */
export function joined(parts: ReadonlyArray<Float32Array>): Float32Array {
  if (parts.length === 1) return parts[0] as Float32Array;
  const all = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let offset = 0;
  for (const p of parts) {
    all.set(p, offset);
    offset += p.length;
  }
  return all;
}
