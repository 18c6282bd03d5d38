/**
 * Repeating a tensor (batch normalisation's gradient repeats a row for every position). The backend's own finds each entry by
 * its coordinates; here whole blocks are copied, twice as many each time.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { sizeOf } from './compose.js';

/** `Tile` over the backend's own, which keeps tensors of strings. */
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
    // Views are made once nothing is allocated any more: the memory may have grown.
    const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)];
    const below = x.shape.map((_, axis) => sizeOf(x.shape.slice(axis + 1)));
    const last = reps.reduce((found, times, axis) => (times === 1 ? found : axis), 0);
    /** Writes the part of x from an entry on that lies below an axis, and says how many entries that made. */
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
