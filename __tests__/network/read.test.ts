/** A model read as a network computes what the model computes, whatever it is built of. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, type Likelihood } from 'tfjs-laplace';
import { forward } from '../../src/network/forward.js';
import { type Head, readNetwork, withBlocks } from '../../src/network/network.js';
import { denseLayers } from '../support/math/jacobians.js';
import { right } from '../support/math/laplace.js';
import { chain, DENSE_NETWORKS, dense, inputsFor, MIXED_NETWORKS, on, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const predict = (model: tf.LayersModel, x: tf.Tensor[]): tf.Tensor =>
  model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor;

describe.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])('$name', ({ build }) => {
  it('gives the outputs of predict', () => {
    const model = build();
    const x = inputsFor(model, 5, 2);
    const network = right(readNetwork(model, gaussian()));
    const { outputs, size } = forward(network, x);
    expect(size).toBe(5);
    expect(relativeError(outputs, predict(model, x))).toBeLessThan(FLOAT32);
  });

  it('has a block for every trainable dense layer, with the shape of its weights', () => {
    const model = build();
    const network = right(readNetwork(model, gaussian()));
    const { blocks } = right(withBlocks(network, 'all'));
    const trainable = denseLayers(model).filter((l) => l.trainable);
    expect(blocks.map((b) => b.name).sort()).toEqual(trainable.map((l) => l.name).sort());
    for (const block of blocks) {
      const [kernel, bias] = block.layer.getWeights() as [tf.Tensor, tf.Tensor | undefined];
      expect([block.n, block.m, block.bias]).toEqual([
        (kernel.shape[0] as number) + (bias ? 1 : 0),
        kernel.shape[1],
        bias !== undefined,
      ]);
    }
  });
});

describe('the link', () => {
  const body = () => dense(4, { inputShape: [3], activation: 'tanh' });
  const functional = (last: tf.layers.Layer): tf.LayersModel => {
    const inputs = tf.input({ shape: [3] });
    return tf.model({ inputs, outputs: on(last, on(dense(2), inputs)) });
  };
  it.each<[string, Likelihood, () => tf.LayersModel]>([
    ["a dense layer's softmax", categorical(), () => tf.sequential({ layers: [body(), dense(2, { activation: 'softmax' })] })],
    ["a dense layer's sigmoid", bernoulli(), () => tf.sequential({ layers: [body(), dense(2, { activation: 'sigmoid' })] })],
    ['a softmax activation layer', categorical(), () => functional(tf.layers.activation({ activation: 'softmax' }))],
    ['a sigmoid activation layer', bernoulli(), () => functional(tf.layers.activation({ activation: 'sigmoid' }))],
    ['a softmax layer', categorical(), () => functional(tf.layers.softmax())],
    ['a softmax layer with its axis', categorical(), () => functional(tf.layers.softmax({ axis: 1 }))],
    ['the softmax of an inner model', categorical(), () => tf.sequential({ layers: [body(), functional4(tf.layers.softmax())] })],
    [
      'a softmax before dropout',
      categorical(),
      () => tf.sequential({ layers: [body(), dense(2, { activation: 'softmax' }), tf.layers.dropout({ rate: 0.5 })] }),
    ],
  ])('is left out: %s', (_, likelihood, build) => {
    const model = withWeights(build(), 3);
    const network = right(readNetwork(model, likelihood));
    expect(network.heads[0]?.link).toBeDefined();
    const [x] = inputsFor(model, 4, 1) as [tf.Tensor];
    const { outputs } = forward(network, [x]);
    expect(relativeError((network.heads[0] as Head).ops.mean(outputs), predict(model, [x]))).toBeLessThan(FLOAT32);
    // Logits, not probabilities: else the link would be applied twice.
    expect(relativeError(outputs, predict(model, [x]))).toBeGreaterThan(0.1);
  });

  it('may also be the log-softmax: its outputs are logits themselves', () => {
    const model = withWeights(tf.sequential({ layers: [body(), dense(2, { activation: 'logSoftmax' as 'softmax' })] }), 3);
    const network = right(readNetwork(model, categorical()));
    const [x] = inputsFor(model, 4, 1) as [tf.Tensor];
    expect(
      relativeError((network.heads[0] as Head).ops.mean(forward(network, [x]).outputs), tf.exp(predict(model, [x]))),
    ).toBeLessThan(FLOAT32);
  });

  it.each<[string, Likelihood, () => tf.LayersModel]>([
    ['logits', categorical(), () => chain([2])],
    [
      'a sigmoid that squashes a regression',
      gaussian(),
      () => tf.sequential({ layers: [dense(2, { inputShape: [3], activation: 'sigmoid' })] }),
    ],
    [
      'a softmax within the network',
      categorical(),
      () => tf.sequential({ layers: [dense(4, { inputShape: [3], activation: 'softmax' }), dense(2)] }),
    ],
    ["a layer that is only named 'softmax'", categorical(), () => functional(tf.layers.leakyReLU({ name: 'softmax' }))],
    [
      "a layer that is only named 'sigmoid'",
      bernoulli(),
      () => functional(tf.layers.reshape({ name: 'sigmoid', targetShape: [2] })),
    ],
    ["a dense layer that is only named 'sigmoid'", categorical(), () => functional(dense(2, { name: 'sigmoid' }))],
  ])('stays where it is none: %s', (_, likelihood, build) => {
    const model = withWeights(build(), 3);
    const network = right(readNetwork(model, likelihood));
    expect(network.heads[0]?.link).toBeUndefined();
    const [x] = inputsFor(model, 4, 1) as [tf.Tensor];
    expect(relativeError(forward(network, [x]).outputs, predict(model, [x]))).toBeLessThan(FLOAT32);
  });

  function functional4(last: tf.layers.Layer): tf.LayersModel {
    const inputs = tf.input({ shape: [4] });
    return tf.model({ inputs, outputs: on(last, on(dense(2), inputs)) });
  }
});

it('keeps the blocks in running order, whatever the order of the names', () => {
  const model = chain([4, 3, 2]);
  const names = model.layers.map((l) => l.name);
  const { blocks } = right(withBlocks(right(readNetwork(model, gaussian())), [...names].reverse()));
  expect(blocks.map((b) => b.name)).toEqual(names);
});
