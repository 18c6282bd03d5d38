/** What a convolution does to positions, the same for two and three dimensions of space. Lists are by axis, outermost first. */
import { backend_util } from '@tensorflow/tfjs-core';

/** The convolution kernel whose gradient is sought, and of which the gradient is made. */
export type Forward = 'Conv2D' | 'DepthwiseConv2dNative' | 'Conv3D';

export interface Geometry {
  readonly batch: number;
  readonly channels: number;
  /** Channels of the result: in a depthwise convolution, of all channels together. */
  readonly filters: number;
  readonly input: ReadonlyArray<number>;
  readonly output: ReadonlyArray<number>;
  readonly window: ReadonlyArray<number>;
  readonly stride: ReadonlyArray<number>;
  readonly dilation: ReadonlyArray<number>;
  /** Zeros before the first entry; what is behind the last follows from the output. */
  readonly padding: ReadonlyArray<number>;
}

/** What tfjs's convolution kernels are told. */
export interface Attributes {
  readonly strides: number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number;
}

/** Of a convolution of x [batch, ...input, channels], as tfjs works it out. */
export const geometry = (forward: Forward, x: number[], filter: number[], attrs: Attributes): Geometry =>
  forward === 'Conv3D' ? inSpace(x, filter, attrs) : inPlane(x, filter, attrs, forward === 'DepthwiseConv2dNative');

function inPlane(x: number[], filter: number[], attrs: Attributes, depthwise: boolean): Geometry {
  type Shape = [number, number, number, number];
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  const info = backend_util.computeConv2DInfo(x as Shape, filter as Shape, strides, dilations, pad, dimRoundingMode, depthwise);
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    filters: info.outChannels,
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    window: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    padding: [info.padInfo.top, info.padInfo.left],
  };
}

function inSpace(x: number[], filter: number[], { strides, dilations = 1, pad }: Attributes): Geometry {
  type Shape = [number, number, number, number, number];
  const info = backend_util.computeConv3DInfo(x as Shape, filter as Shape, strides, dilations, pad as 'same');
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    filters: info.outChannels,
    input: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    window: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    padding: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  };
}
