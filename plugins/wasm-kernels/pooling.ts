/**
 * Maximum pools in space, and the gradients of all. The backend's own take 1e-38 for less than everything, so that a window of
 * negative numbers has that as its maximum there, and its gradient goes astray.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { type Attributes, type Geometry, pool } from './geometry.js';

/** Which of several equal maxima gets the gradient: tfjs takes the first in a plane and the last in space. */
export type Ties = 'first' | 'last';

/** The gradient of a maximum pool as a kernel. */
export const maxPoolGrad =
  (ties: Ties): KernelFunc =>
  (args) => {
    const backend = args.backend as BackendWasm;
    const { dy, input } = args.inputs as { dy: TensorInfo; input: TensorInfo };
    const { filterSize, ...rest } = args.attrs as unknown as Attributes & { filterSize: number };
    const dx = backend.makeOutput(input.shape, 'float32');
    // Views are made once nothing is allocated any more: the memory may have grown.
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

/** A maximum pool in space as a kernel. */
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

/** Tells for each entry of the result which entry of the input is its maximum. A window of NaN has none. */
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

/** Depth, height, width: a plane has depth 1. */
const inSpace = (sizes: ReadonlyArray<number>): [number, number, number] => [1, ...sizes].slice(-3) as [number, number, number];

/** The entries of an axis, from and up to, that each window covers. Axes count from the last. */
function ranges(
  { window, stride, padding }: Geometry,
  axis: number,
  output: number,
  input: number,
): ReadonlyArray<[number, number]> {
  const [size, step, pad] = [window.at(axis) ?? 1, stride.at(axis) ?? 1, padding.at(axis) ?? 0];
  return Array.from({ length: output }, (_, i) => [Math.max(0, i * step - pad), Math.min(input, i * step - pad + size)]);
}
