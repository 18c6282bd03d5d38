/**
 * Turns a layer that is linear in its weights into operations: one linear map, a normalisation and its scale, the two maps of a
 * separable convolution, or the steps of a recurrent layer (`recurrent/`). The layer's activation, if it has one, is not among
 * them: the graph adds it after them.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { windowMap } from './linear/convolution.js';
import { channelMap } from './linear/depthwise.js';
import { linearMap } from './linear/index.js';
import type { LinearMap, ValueShape } from './linear/map.js';
import { axesOf, scaleMap } from './linear/scale.js';
import { overSteps } from './linear/steps.js';
import type { Layer, Lowering, Op, ValueId } from './ops.js';
import { recurrence } from './recurrent/index.js';

/**
 * The operations of a layer for inputs of this shape (without the batch). Undefined for a layer that is not linear in its
 * weights.
 */
export function lowered(layer: Layer, inputShape: ValueShape): Lowering | undefined {
  const steps = chain(layer, inputShape);
  if (steps === undefined) return recurrence(layer, inputShape);
  return (first, { fresh, add }) =>
    steps.reduce((input, step) => {
      const output = fresh();
      add(step(input, output));
      return output;
    }, first);
}

/** Makes an operation once its input and output have their numbers. */
type Step = (input: ValueId, output: ValueId) => Op;

/** The operations of a layer that runs them one after the other; undefined for other layers. */
function chain(layer: Layer, inputShape: ValueShape): ReadonlyArray<Step> | undefined {
  switch (layer.getClassName()) {
    case 'SeparableConv2D':
      return separable(layer, inputShape).map((map) => step(layer, map));
    case 'BatchNormalization':
      return batchNormalisation(layer, [null, ...inputShape]);
    case 'LayerNormalization':
      return layerNormalisation(layer, [null, ...inputShape]);
    case 'TimeDistributed': {
      const { layer: inner } = layer as unknown as { readonly layer: Layer };
      const map = linearMap(inner, inputShape.slice(1));
      return map && [step(layer, overSteps(map, inputShape[0] ?? null))];
    }
    default: {
      const map = linearMap(layer, inputShape);
      return map && [step(layer, map)];
    }
  }
}

/** The layer whose activation follows the operations: in a TimeDistributed it is the layer inside. */
export const activated = (layer: Layer): Layer =>
  layer.getClassName() === 'TimeDistributed' ? (layer as unknown as { readonly layer: Layer }).layer : layer;

const step =
  (layer: Layer, map: LinearMap): Step =>
  (input, output) => ({ kind: 'linear', layer, map, input, output });

/** A depthwise convolution without a bias, then a convolution over single pixels with the layer's bias. */
function separable(layer: Layer, inputShape: ValueShape): ReadonlyArray<LinearMap> {
  const [depthwise, pointwise, ...bias] = layer.weights as [LayerVariable, LayerVariable, ...LayerVariable[]];
  const first = channelMap(layer, [depthwise], inputShape, true);
  const single = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], padding: 'valid' } as const;
  const second = windowMap(layer, [pointwise, ...bias], inputShape, single);
  return [
    { ...first, part: 'depthwise' },
    { ...second, part: 'pointwise', positions: first.positions },
  ];
}

interface NormalisationConfig {
  readonly axis?: number | ReadonlyArray<number>;
  readonly epsilon?: number;
}

/** Batch normalisation at prediction time. The moving mean and variance of each feature are constants. */
function batchNormalisation(layer: Layer, shape: ValueShape): ReadonlyArray<Step> {
  const { axis = -1, epsilon = 1e-3 } = layer.getConfig() as NormalisationConfig;
  const axes = axesOf(axis, shape);
  const own = layer as unknown as Readonly<Record<'gamma' | 'beta' | 'movingMean' | 'movingVariance', LayerVariable | null>>;
  const across = shape.map((d, i) => (axes.includes(i) ? (d as number) : 1));
  const read = (v: LayerVariable | null): tf.Tensor => tf.reshape((v as LayerVariable).read(), across);
  const slope = (): tf.Tensor => tf.rsqrt(tf.add(read(own.movingVariance), epsilon));
  const apply = (x: tf.Tensor): tf.Tensor => tf.mul(tf.sub(x, read(own.movingMean)), slope());
  const normalise: Step = (input, output) => ({
    kind: 'elementwise',
    layer,
    form: 'BatchNormalization',
    apply,
    slope,
    input,
    output,
  });
  return [normalise, ...scaled(layer, own, shape, axes)];
}

/** Layer normalisation. The mean and variance are each example's own, over the normalised axes. */
function layerNormalisation(layer: Layer, shape: ValueShape): ReadonlyArray<Step> {
  const { axis = -1, epsilon = 1e-3 } = layer.getConfig() as NormalisationConfig;
  const axes = axesOf(axis, shape);
  const own = layer as unknown as Readonly<Record<'gamma' | 'beta', LayerVariable | null>>;
  const apply = ([x]: ReadonlyArray<tf.Tensor>): ReadonlyArray<tf.Tensor> => {
    const { mean, variance } = tf.moments(x as tf.Tensor, axes, true);
    return [tf.mul(tf.sub(x as tf.Tensor, mean), tf.rsqrt(tf.add(variance, epsilon)))];
  };
  const normalise: Step = (input, output) => ({
    kind: 'opaque',
    layer,
    form: 'LayerNormalization',
    apply,
    inputs: [input],
    outputs: [output],
  });
  return [normalise, ...scaled(layer, own, shape, axes)];
}

function scaled(
  layer: Layer,
  { gamma, beta }: Readonly<Record<'gamma' | 'beta', LayerVariable | null>>,
  shape: ValueShape,
  axes: ReadonlyArray<number>,
): ReadonlyArray<Step> {
  return gamma || beta ? [step(layer, scaleMap(gamma ?? undefined, beta ?? undefined, shape, axes))] : [];
}
