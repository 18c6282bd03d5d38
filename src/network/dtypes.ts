/**
 * Which dtype a value of a network has. tfjs makes int32 tensors of images (`tf.browser.fromPixels`) and of labels (`tf.oneHot`), and
 * models take them, as they take bool. The rules of this file make a pass over the network take them too:
 *
 * - An input is cast to the dtype that the model declares for it, float32 if it declares none. This is what `predict` and `fit` of tfjs
 *   do. It happens in the pass, so that the tensors that were given can still be checked for NaN.
 * - A linear map or an activation reads float32, also where the model declares another dtype: products of int32 are not the same on all
 *   backends. Tokens stay what they are. A layer that tfjs runs as a whole gets what the model gives it.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Op, ValueId } from './ops.js';

/** An input as the model feeds it to its layers. It is the tensor itself if the dtype is right. */
export const asFed = ({ inputs }: LayersModel, i: number, x: tf.Tensor): tf.Tensor => asDtype(x, inputs[i]?.dtype ?? 'float32');

/** A value as these operations read it. It is the tensor itself if no operation needs another dtype. */
export const asRead = (ops: ReadonlyArray<Op>, id: ValueId, value: tf.Tensor): tf.Tensor =>
  value.dtype === 'float32' || !ops.some((op) => readsNumbers(op, id)) ? value : asDtype(value, 'float32');

/** Whether an operation of the library itself computes with a value. */
const readsNumbers = (op: Op, id: ValueId): boolean =>
  op.kind !== 'opaque' && op.input === id && !(op.kind === 'linear' && op.map.inputs === 'tokens');

const asDtype = (t: tf.Tensor, dtype: tf.DataType): tf.Tensor => (t.dtype === dtype ? t : tf.cast(t, dtype));
