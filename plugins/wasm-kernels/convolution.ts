/**
 * Computes gradients of convolutions as convolutions, because XNNPACK is fast at convolutions.
 *
 * Gradient with respect to the filter: dW[k, c, f] = Σ_{b, o} x[b, o·stride + k·dilation − padding, c] dy[b, o, f]. This is a
 * convolution of x in which dy is the filter. Examples become channels, channels become examples, and stride and dilation swap.
 *
 * Gradient with respect to the input: put stride − 1 zeros after each entry of dy, then convolve it with the filter reversed
 * along every axis of space.
 *
 * For a depthwise convolution the same holds for each channel alone.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Run, reshape, sizeOf, transpose } from './compose.js';
import type { Forward, Geometry } from './geometry.js';

/**
 * The gradient with respect to the filter.
 *
 * @param x input [batch, ...input, channels]
 * @param dy gradient with respect to the output [batch, ...output, filters]
 * @returns [...window, channels, filters], or [...window, channels, filters per channel] for a depthwise convolution
 */
export function filterGradient(run: Run, forward: Forward, x: TensorInfo, dy: TensorInfo, g: Geometry): TensorInfo {
  const { batch, channels, filters, input, output, window, stride, dilation, padding } = g;
  const taps = sizeOf(window);
  const swapped = { before: padding, stride: dilation, dilation: stride, size: window };
  const images = reshape(run, x, [batch, sizeOf(input), channels]);
  const gradients = transpose(run, reshape(run, dy, [batch, sizeOf(output), filters]), [1, 0, 2]);
  if (forward === 'DepthwiseConv2dNative') {
    const multiplier = filters / channels;
    const turned = reshape(run, transpose(run, images, [1, 0, 2]), [1, ...input, batch * channels]);
    const out = convolve(run, forward, turned, reshape(run, gradients, [...output, batch * channels, multiplier]), swapped);
    const byExample = reshape(run, out, [taps, batch, filters]);
    return reshape(run, run('Sum', { x: byExample }, { axis: 1, keepDims: false }), [...window, channels, multiplier]);
  }
  const turned = reshape(run, transpose(run, images, [2, 1, 0]), [channels, ...input, batch]);
  const out = convolve(run, forward, turned, reshape(run, gradients, [...output, batch, filters]), swapped);
  return reshape(run, transpose(run, reshape(run, out, [channels, taps, filters]), [1, 0, 2]), [...window, channels, filters]);
}

/**
 * The gradient with respect to the input.
 *
 * @param dy gradient with respect to the output [batch, ...output, filters]
 * @param filter [...window, channels, filters], or [...window, channels, filters per channel] for a depthwise convolution
 * @returns [batch, ...input, channels]
 */
export function inputGradient(run: Run, forward: Forward, dy: TensorInfo, filter: TensorInfo, g: Geometry): TensorInfo {
  const { batch, channels, filters, input, window, stride, dilation, padding } = g;
  const axes = window.map((_, i) => i);
  const spread = axes.reduceRight((x, i) => spreadAxis(run, x, i + 1, stride[i] as number), dy);
  const turned = run('Reverse', { x: filter }, { dims: axes });
  const before = axes.map((i) => reach(window, dilation, i) - (padding[i] as number));
  const backwards = { before, stride: axes.map(() => 1), dilation, size: input };
  if (forward === 'DepthwiseConv2dNative') {
    const out = convolve(run, forward, spread, reshape(run, turned, [...window, filters, 1]), backwards);
    if (filters === channels) return out;
    const byFilter = reshape(run, out, [batch, ...input, channels, filters / channels]);
    return run('Sum', { x: byFilter }, { axis: input.length + 2, keepDims: false });
  }
  const swapped = transpose(run, reshape(run, turned, [sizeOf(window), channels, filters]), [0, 2, 1]);
  return convolve(run, forward, spread, reshape(run, swapped, [...window, filters, channels]), backwards);
}

interface Convolution {
  /** Zeros before the first entry of each axis. A negative number leaves out that many entries of the result. */
  readonly before: ReadonlyArray<number>;
  readonly stride: ReadonlyArray<number>;
  readonly dilation: ReadonlyArray<number>;
  /** Size of the result along each axis. The number of zeros after the last entry follows from it. */
  readonly size: ReadonlyArray<number>;
}

/** How many entries the window of axis i reaches beyond its first one. */
const reach = (window: ReadonlyArray<number>, dilation: ReadonlyArray<number>, i: number): number =>
  ((window[i] as number) - 1) * (dilation[i] as number);

function convolve(run: Run, forward: Forward, x: TensorInfo, filter: TensorInfo, c: Convolution): TensorInfo {
  const { before, stride, dilation, size } = c;
  const pads = size.map((n, i) => {
    const front = before[i] as number;
    const end = (n - 1) * (stride[i] as number) + reach(filter.shape, dilation, i) + 1;
    return [Math.max(0, front), Math.max(0, end - front - (x.shape[i + 1] as number))];
  });
  const paddings = [[0, 0], ...pads, [0, 0]];
  const padded = pads.flat().some((p) => p > 0) ? run('PadV2', { x }, { paddings, constantValue: 0 }) : x;
  const out = run(forward, { x: padded, filter }, { strides: stride, dilations: dilation, pad: 'valid', dataFormat: 'NHWC' });
  if (size.every((n, i) => n === out.shape[i + 1])) return out;
  const begin = [0, ...before.map((front) => Math.max(0, -front)), 0];
  return run('Slice', { x: out }, { begin, size: [out.shape[0], ...size, out.shape.at(-1)] });
}

/** Puts stride − 1 zeros after every entry along an axis. */
function spreadAxis(run: Run, x: TensorInfo, axis: number, stride: number): TensorInfo {
  if (stride === 1) return x;
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis + 1)), sizeOf(x.shape.slice(axis + 1))];
  const zeros = {
    paddings: [
      [0, 0],
      [0, inner * (stride - 1)],
    ],
    constantValue: 0,
  };
  const wide = run('PadV2', { x: reshape(run, x, [outer, inner]) }, zeros);
  return reshape(
    run,
    wide,
    x.shape.map((n, i) => (i === axis ? n * stride : n)),
  );
}
