/**
 * Wraps the gradients of convolution.ts as kernels of tfjs: reads inputs and attributes, converts data formats, and handles empty
 * tensors.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { compose, fill, sizeOf, transpose } from './compose.js';
import { filterGradient, inputGradient } from './convolution.js';
import { type Attributes, convolution, type Forward } from './geometry.js';

const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_CHANNELS_FIRST = [0, 3, 1, 2];

/** The kernel for the gradient of a convolution with respect to its filter. */
export const inFilter =
  (forward: Forward): KernelFunc =>
  ({ inputs, backend, attrs }) => {
    const { filterShape, dataFormat, ...rest } = attrs as unknown as Attributes & { filterShape: number[]; dataFormat?: string };
    return compose(backend as BackendWasm, (run) => {
      const channelsLast = (t: TensorInfo) => (dataFormat === 'NCHW' ? transpose(run, t, TO_CHANNELS_LAST) : t);
      const [x, dy] = [channelsLast(inputs.x as TensorInfo), channelsLast(inputs.dy as TensorInfo)];
      if (isEmpty(x.shape, dy.shape)) return fill(run, filterShape, 0);
      return filterGradient(run, forward, x, dy, convolution(forward, x.shape, filterShape, rest));
    });
  };

/** The kernel for the gradient of a convolution with respect to its input. */
export const inInput =
  (forward: Forward): KernelFunc =>
  ({ inputs, backend, attrs }) => {
    const { inputShape, dataFormat, ...rest } = attrs as unknown as Attributes & { inputShape: number[]; dataFormat?: string };
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    return compose(backend as BackendWasm, (run) => {
      if (isEmpty(inputShape, dy.shape)) return fill(run, inputShape, 0);
      if (dataFormat !== 'NCHW')
        return inputGradient(run, forward, dy, filter, convolution(forward, inputShape, filter.shape, rest));
      const shape = TO_CHANNELS_LAST.map((axis) => inputShape[axis] as number);
      const known = convolution(forward, shape, filter.shape, rest);
      return transpose(run, inputGradient(run, forward, transpose(run, dy, TO_CHANNELS_LAST), filter, known), TO_CHANNELS_FIRST);
    });
  };

/** Whether a tensor has no entries. XNNPACK refuses a batch without examples. */
const isEmpty = (...shapes: ReadonlyArray<number[]>): boolean => shapes.some((shape) => sizeOf(shape) === 0);
