/**
 * Maximum pools in three dimensions, and the gradients of maximum pools in two and three.
 *
 * The backend's own kernels start the search for the maximum at 1e-38, as if no number were smaller. In a window without positive
 * numbers they return 1e-38 as the maximum, and send the gradient to the wrong entry.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { type Attributes, type Geometry, pool } from './geometry.js';

/** Which of several equal maxima gets the gradient. tfjs takes the first in two dimensions and the last in three. */
export type Ties = 'first' | 'last';

/** The kernel for the gradient of a maximum pool. */
export const maxPoolGrad =
  (ties: Ties): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const { dy, input } = args.inputs as { dy: TensorInfo; input: TensorInfo };
    const { filterSize, ...rest } = args.attrs as unknown as Attributes & { filterSize: number };
    const dx = backend.makeOutput(input.shape, 'float32');
    // Views are made after the last allocation, because growing memory detaches them.
    const [to, x, from] = [dx, input, dy].map((info) => backend.typedArrayFromHeap(info)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    to.fill(0);
    eachWindow(pool(input.shape, filterSize, rest), x, ties, (place, entry) => {
      (to[entry] as number) += from[place] as number;
    });
    return dx;
  };

/** The kernel for a maximum pool in three dimensions. */
export const maxPool3D: KernelFunc = (args) => {
  const backend = args.backend as BackendWasm;
  const { x } = args.inputs as { x: TensorInfo };
  const { filterSize, ...rest } = args.attrs as unknown as Attributes & { filterSize: number };
  const g = pool(x.shape, filterSize, rest);
  const out = backend.makeOutput([g.batch, ...g.output, g.channels], 'float32');
  const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)] as [Float32Array, Float32Array];
  to.fill(Number.NEGATIVE_INFINITY);
  eachWindow(g, from, 'first', (place, entry) => {
    to[place] = from[entry] as number;
  });
  return out;
};

/**
 * Finds the maximum of each window.
 *
 * @param x the input, flat
 * @param ties which of several equal maxima is taken
 * @param found is called with the index of an entry of the result and the index of the input entry that is its maximum; it is not
 *   called for a window that holds nothing but NaN
 */
function eachWindow(g: Geometry, x: Float32Array, ties: Ties, found: (place: number, entry: number) => void): void {
  const last = ties === 'last';
  const { channels } = g;
  const best = new Float32Array(channels);
  const at = new Int32Array(channels);
  const [outD, outH, outW] = inSpace(g.output);
  const [inD, inH, inW] = inSpace(g.input);
  const [rangeD, rangeH, rangeW] = [ranges(g, -3, outD, inD), ranges(g, -2, outH, inH), ranges(g, -1, outW, inW)];
  let place = 0;
  for (let b = 0; b < g.batch; b++) {
    for (const [fromD, toD] of rangeD) {
      for (const [fromH, toH] of rangeH) {
        for (const [fromW, toW] of rangeW) {
          best.fill(Number.NEGATIVE_INFINITY);
          at.fill(-1);
          for (let d = fromD; d < toD; d++) {
            for (let h = fromH; h < toH; h++) {
              const row = ((b * inD + d) * inH + h) * inW;
              for (let w = fromW; w < toW; w++) {
                for (let c = 0, entry = (row + w) * channels; c < channels; c++, entry++) {
                  const value = x[entry] as number;
                  if (value > (best[c] as number) || (last && value === best[c])) {
                    best[c] = value;
                    at[c] = entry;
                  }
                }
              }
            }
          }
          for (let c = 0; c < channels; c++, place++) if ((at[c] as number) >= 0) found(place, at[c] as number);
        }
      }
    }
  }
}

/** Sizes as depth, height and width. In two dimensions the depth is 1. */
const inSpace = (sizes: ReadonlyArray<number>): [number, number, number] => [1, ...sizes].slice(-3) as [number, number, number];

/**
 * The range of input entries that each window covers along one axis.
 *
 * @param axis counted from the last: −1 is the width
 * @param output number of windows along the axis
 * @param input number of input entries along the axis
 * @returns for each window its first entry, and the entry after its last
 */
function ranges(
  { window, stride, padding }: Geometry,
  axis: number,
  output: number,
  input: number,
): ReadonlyArray<[number, number]> {
  const [size, step, pad] = [window.at(axis) ?? 1, stride.at(axis) ?? 1, padding.at(axis) ?? 0];
  return Array.from({ length: output }, (_, i) => [Math.max(0, i * step - pad), Math.min(input, i * step - pad + size)]);
}
