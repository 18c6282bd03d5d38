/**
 * Works on a batch in pieces of bounded size. The results of each piece are downloaded together, and its inputs are checked to be
 * finite.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { fromDevice } from '../../network/device.js';

/** Tensors by name. Under each name is one tensor, or a list with a tensor for each head. */
export type Results = Readonly<Record<string, tf.Tensor | ReadonlyArray<tf.Tensor>>>;

/** The numbers of such results on the host. */
export type OnHost<R extends Results> = {
  readonly [K in keyof R]: R[K] extends ReadonlyArray<tf.Tensor> ? ReadonlyArray<Float32Array> : Float32Array;
};

/**
 * Runs `f` on pieces of at most `step` examples, with one download for each piece. Rejects with `NotFinite` if an input holds a
 * number that is not finite.
 *
 * @returns the results of `f`, each tensor [B, …] joined over the pieces
 */
export async function inPieces<R extends Results>(
  x: ReadonlyArray<tf.Tensor>,
  step: number,
  f: (piece: ReadonlyArray<tf.Tensor>) => R,
): Promise<OnHost<R>> {
  const B = x[0]?.shape[0] as number;
  const parts: OnHost<R>[] = [];
  for (let start = 0; start < B; start += step) {
    const results = tf.tidy(() => {
      const piece = pieceOf(x, start, step);
      return { ...f(piece), finite: allFinite(piece) } as tf.NamedTensorMap;
    }) as unknown as R & { readonly finite: tf.Tensor };
    const { finite, ...own } = await downloadAll(results);
    if (finite[0] === 0) throw inputsNotFinite();
    parts.push(own as unknown as OnHost<R>);
  }
  const [first] = parts as [OnHost<R>];
  const whole = Object.entries(first).map(([name, numbers]) => {
    const own = parts.map((part) => part[name as keyof R]);
    if (!Array.isArray(numbers)) return [name, joined(own as ReadonlyArray<Float32Array>)] as const;
    const lists = own as ReadonlyArray<ReadonlyArray<Float32Array>>;
    return [name, numbers.map((_, i) => joined(lists.map((list) => list[i] as Float32Array)))] as const;
  });
  return Object.fromEntries(whole) as OnHost<R>;
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
export async function downloadAll<R extends Results>(results: R): Promise<OnHost<R>> {
  const numbersOf = (own: tf.Tensor | ReadonlyArray<tf.Tensor>): Promise<unknown> =>
    'data' in own ? own.data() : Promise.all(own.map((t) => t.data()));
  try {
    const entries = Object.entries(results).map(async ([name, own]) => [name, await numbersOf(own)] as const);
    return Object.fromEntries(await fromDevice(Promise.all(entries))) as OnHost<R>;
  } finally {
    tf.dispose(results as unknown as tf.NamedTensorMap);
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
