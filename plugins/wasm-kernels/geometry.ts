/**
 * Sizes that tell which entries meet in a convolution or a pool, in one form for two and three dimensions of space. A list has
 * one number for each axis of space, the outermost first.
 */
import { backend_util } from '@tensorflow/tfjs-core';

/** The kernel of the convolution. Its gradients are computed with the same kernel. */
export type Forward = 'Conv2D' | 'DepthwiseConv2dNative' | 'Conv3D';

export interface Geometry {
  readonly batch: number;
  readonly channels: number;
  /** Channels of the result. For a depthwise convolution: channels times filters per channel. */
  readonly filters: number;
  readonly input: ReadonlyArray<number>;
  readonly output: ReadonlyArray<number>;
  readonly window: ReadonlyArray<number>;
  readonly stride: ReadonlyArray<number>;
  readonly dilation: ReadonlyArray<number>;
  /** Zeros before the first entry. The number of zeros after the last entry follows from `output`. */
  readonly padding: ReadonlyArray<number>;
}

/** The attributes that tfjs passes to a kernel. */
export interface Attributes {
  readonly strides: number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number;
}

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

/**
 * The geometry of a convolution, as tfjs computes it.
 *
 * @param x shape of the input [batch, ...input, channels]
 * @param filter shape of the filter
 */
export function convolution(forward: Forward, x: number[], filter: number[], attrs: Attributes): Geometry {
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  if (forward === 'Conv3D') {
    return spatial(backend_util.computeConv3DInfo(x as Shape5, filter as Shape5, strides, dilations, pad as 'same'));
  }
  const depthwise = forward === 'DepthwiseConv2dNative';
  return planar(
    backend_util.computeConv2DInfo(x as Shape4, filter as Shape4, strides, dilations, pad, dimRoundingMode, depthwise),
  );
}

/**
 * The geometry of a pool, as tfjs computes it.
 *
 * @param x shape of the input [batch, ...input, channels]
 * @param window size of the window along every axis
 */
export function pool(x: number[], window: number, { strides, pad, dimRoundingMode }: Attributes): Geometry {
  return x.length === 5
    ? spatial(backend_util.computePool3DInfo(x as Shape5, window, strides, 1, pad as 'same', dimRoundingMode))
    : planar(backend_util.computePool2DInfo(x as Shape4, window, strides, 1, pad, dimRoundingMode));
}

const planar = (info: backend_util.Conv2DInfo): Geometry => ({
  batch: info.batchSize,
  channels: info.inChannels,
  filters: info.outChannels,
  input: [info.inHeight, info.inWidth],
  output: [info.outHeight, info.outWidth],
  window: [info.filterHeight, info.filterWidth],
  stride: [info.strideHeight, info.strideWidth],
  dilation: [info.dilationHeight, info.dilationWidth],
  padding: [info.padInfo.top, info.padInfo.left],
});

const spatial = (info: backend_util.Conv3DInfo): Geometry => ({
  batch: info.batchSize,
  channels: info.inChannels,
  filters: info.outChannels,
  input: [info.inDepth, info.inHeight, info.inWidth],
  output: [info.outDepth, info.outHeight, info.outWidth],
  window: [info.filterDepth, info.filterHeight, info.filterWidth],
  stride: [info.strideDepth, info.strideHeight, info.strideWidth],
  dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
  padding: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
});
