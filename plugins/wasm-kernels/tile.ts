/**
 * `Tile`: repeats a tensor. The gradient of batch normalisation, for example, repeats a row for every position.
 *
 * The backend's own kernel finds each entry by its coordinates. The kernel here copies whole blocks, and twice as many each time.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from './compose.js';

/** `Tile`; tensors of strings go to the backend's `own` kernel. */
export const tile =
  (own: KernelFunc): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const { x } = args.inputs as { x: TensorInfo };
    const { reps } = args.attrs as { reps: number[] };
    if (x.dtype === 'string') return own(args);
    const out = backend.makeOutput(
      x.shape.map((n, axis) => n * (reps[axis] as number)),
      x.dtype,
    );
    // Views are made after the last allocation, because growing memory detaches them.
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)];
    const below = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
    const last = reps.reduce((found, times, axis) => (times === 1 ? found : axis), 0);
    /**
     * Writes one slice of x with its repetitions.
     *
     * @param axis the first axis that the slice has
     * @param entry index of the slice's first entry in x
     * @param place index in the result at which to write
     * @returns how many entries were written
     */
    const write = (axis: number, entry: number, place: number): number => {
      const [count, step, times] = [x.shape[axis] ?? 1, below[axis] ?? 1, reps[axis] ?? 1];
      let block = 0;
      if (axis === last) {
        block = count * step;
        to.set(from.subarray(entry, entry + block), place);
      } else {
        for (let i = 0; i < count; i++) block += write(axis + 1, entry + i * step, place + block);
      }
      for (let done = 1; done < times; done *= 2) {
        to.copyWithin(place + done * block, place, place + Math.min(done, times - done) * block);
      }
      return block * times;
    };
    if (to.length > 0) write(0, 0, 0);
    return out;
  };
