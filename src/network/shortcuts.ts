/**
 * Layers whose gradients are known without running them. An addition hands the gradient to every input as it is, a reshape hands
 * it on in another shape, and a mean in equal shares. For every other layer `backward` asks tfjs for the gradient on repeated
 * inputs, which costs ten times as much.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { OpaqueOp } from './ops.js';

/**
 * Gradients [R, …] in each input of a layer, from g [R, …] in its output. The inputs [B, …] are needed for their shapes alone.
 */
type WayBack = (g: tf.Tensor, inputs: ReadonlyArray<tf.Tensor>) => ReadonlyArray<tf.Tensor>;

const shapeOf = (g: tf.Tensor, input: tf.Tensor): number[] => [g.shape[0] as number, ...input.shape.slice(1)];
const sameShapes = (g: tf.Tensor, inputs: ReadonlyArray<tf.Tensor>): boolean =>
  inputs.every((x) => String(x.shape.slice(1)) === String(g.shape.slice(1)));

const reshaped: WayBack = (g, [x]) => [tf.reshape(g, shapeOf(g, x as tf.Tensor))];
/** The way back through a mean over all dimensions but the first and the last. */
const spread: WayBack = (g, [x]) => {
  const shape = shapeOf(g, x as tf.Tensor);
  const inner = shape.slice(1, -1);
  const size = inner.reduce((a, b) => a * b, 1);
  return [
    tf.mul(
      tf.reshape(tf.div(g, size), [shape[0] as number, ...inner.map(() => 1), shape[shape.length - 1] as number]),
      tf.ones([1, ...inner, 1]),
    ),
  ];
};

/** The gradients in an operation's inputs, if there is a shortcut; otherwise undefined. */
export function shortcut(op: OpaqueOp, inputs: ReadonlyArray<tf.Tensor>, g: tf.Tensor): ReadonlyArray<tf.Tensor> | undefined {
  switch (op.form) {
    case 'Add':
      // Inputs of other shapes are broadcast, so their gradients are sums. That is left to tfjs.
      return sameShapes(g, inputs) ? inputs.map(() => tf.clone(g)) : undefined;
    case 'Flatten':
      // With channels first tfjs flattens in another order.
      return isChannelsLast(op) ? reshaped(g, inputs) : undefined;
    case 'Reshape':
      return reshaped(g, inputs);
    case 'GlobalAveragePooling1D':
    case 'GlobalAveragePooling2D':
      return isChannelsLast(op) ? spread(g, inputs) : undefined;
    default:
      return undefined;
  }
}

const isChannelsLast = ({ layer }: OpaqueOp): boolean =>
  (layer as unknown as { readonly dataFormat?: string }).dataFormat !== 'channelsFirst';
