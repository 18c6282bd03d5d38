/** The dtypes of values: casts where the library computes, and none where they could lose a token. */
import * as tf from '@tensorflow/tfjs';
import { gaussian, orThrow } from 'tfjs-laplace';
import { asFed, asRead } from '../../src/network/dtypes.js';
import { type Network, readNetwork } from '../../src/network/network.js';
import { dense, on } from '../support/math/networks.js';

const L = tf.layers;

/** The first integer that float32 does not have. */
const LARGE = 2 ** 24 + 1;

const network = (dtype: 'int32' | 'float32', ...layers: tf.layers.Layer[]): Network => {
  const inputs = tf.input({ shape: [2], dtype });
  const last = layers.reduce((h, layer) => on(layer, h), inputs);
  const flat = last.rank > 2 ? on(L.flatten(), last) : last;
  return orThrow(readNetwork(tf.model({ inputs, outputs: on(dense(1), flat) }), gaussian()));
};

/** The model's input as its first layer reads it. */
const read = ({ model, ops, inputs }: Network, x: tf.Tensor): tf.Tensor => asRead(ops, inputs[0] as number, asFed(model, 0, x));

const tokens = () => L.embedding({ inputDim: 5, outputDim: 2 });

it('leaves tokens as they are where the model declares integers', () => {
  const x = tf.tensor2d([[1, LARGE]], [1, 2], 'int32');
  expect(read(network('int32', tokens()), x)).toBe(x);
  expect(Array.from(x.dataSync())).toEqual([1, LARGE]);
});

it('casts nothing that is float32 already', () => {
  const x = tf.tensor2d([[1, 2]]);
  for (const first of [tokens(), dense(2)]) expect(read(network('float32', first), x)).toBe(x);
});

it.each<[string, 'int32' | 'float32', () => tf.layers.Layer, tf.DataType]>([
  ['tokens of a model that declares nothing', 'float32', tokens, 'float32'],
  ['rows of a dense layer', 'float32', () => dense(2), 'float32'],
  ['rows of a dense layer, declared int32', 'int32', () => dense(2), 'float32'],
  ['the features of a normalisation, declared int32', 'int32', () => L.batchNormalization(), 'float32'],
  ['what tfjs reads itself, declared int32', 'int32', () => L.reshape({ targetShape: [2, 1] }), 'int32'],
])('%s', (_, declared, layer, expected) => {
  for (const dtype of ['int32', 'bool'] as const) {
    const x = tf.tensor2d([[0, 1]], [1, 2], dtype);
    const found = read(network(declared, layer()), x);
    expect(found.dtype).toBe(expected);
    expect(Array.from(found.dataSync())).toEqual([0, 1]);
  }
});
