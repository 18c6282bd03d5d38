/** The stacked backward pass against tf.grads of the whole network: each row on its own, layer by layer. */
import * as tf from '@tensorflow/tfjs';
import { gaussian } from 'tfjs-laplace';
import { backward } from '../../src/network/backward.js';
import { forward } from '../../src/network/forward.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { jacobians } from '../support/math/jacobians.js';
import { right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { DENSE_NETWORKS, dense, inputsFor, MIXED_NETWORKS, withWeights } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const [B, K] = [3, 4];

/** Every entry-by-entry activation of tfjs, then those that mix the entries of an example. */
const ACTIVATIONS = [
  'elu',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
  'linear',
  'softmax',
  'logSoftmax',
] as const;

const ACTIVATED = ACTIVATIONS.map((activation) => ({
  name: `the activation ${activation}`,
  build: () =>
    // Weights larger than usual: entries on both sides of every kink (relu6 bends at 6, hardSigmoid at ±2.5).
    wide(tf.sequential({ layers: [dense(9, { inputShape: [3], activation: activation as 'elu' }), dense(2)] })),
}));

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS, ...ACTIVATED])('gives every row of every block: $name', ({ build }) => {
  const model = build();
  const x = inputsFor(model, B, 2);
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  const { seeds, found } = stacked(network, x);
  const layers = network.blocks.map((b) => b.op.layer);
  const examples = jacobians(model, x, layers);
  layers.forEach((layer, l) => {
    // Row k · B + b is Σ_c seed_kbc · ∂f_c/∂z of example b.
    const expected = seeds.flatMap((rows) =>
      rows.map((seed, b) => {
        const g = examples[b]?.layers[l]?.g ?? [];
        return g[0]?.map((_, j) => seed.reduce((sum, s, c) => sum + s * (g[c]?.[j] as number), 0)) ?? [];
      }),
    );
    expect(relativeError(found.get(layer.name) as tf.Tensor, expected)).toBeLessThan(FLOAT32);
  });
});

it('visits blocks from the last to the first, and only those chosen', () => {
  const model = (DENSE_NETWORKS[1] as (typeof DENSE_NETWORKS)[number]).build();
  const [first, , last] = model.layers.map((l) => l.name) as [string, string, string];
  const whole = right(readNetwork(model, gaussian()));
  const x = inputsFor(model, B, 2);
  const some = stacked(right(withBlocks(whole, [first, last])), x).found;
  expect([...some.keys()]).toEqual([last, first]);
  const all = stacked(right(withBlocks(whole, 'all')), x).found;
  for (const name of [first, last]) expect(some.get(name)?.dataSync()).toEqual(all.get(name)?.dataSync());
});

it('names a layer that tfjs cannot differentiate, unless nothing below it is covered', () => {
  const model = tf.sequential({ layers: [dense(4, { inputShape: [3] }), tf.layers.thresholdedReLU({ name: 'step' }), dense(2)] });
  const network = right(readNetwork(model, gaussian()));
  const x = inputsFor(model, B, 2);
  expect(relativeError(forward(network, x).outputs, model.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
  expect(() => stacked(right(withBlocks(network, 'all')), x)).toThrow(
    expect.objectContaining({ kind: 'UnsupportedLayer', layer: 'step' }),
  );
  expect(stacked(right(withBlocks(network, 'last')), x).found.size).toBe(1);
});

it('leaves no tensor behind', () => {
  for (const { build } of [...DENSE_NETWORKS, ...MIXED_NETWORKS]) {
    const model = build();
    const x = inputsFor(model, B, 2);
    const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
    const before = tf.memory().numTensors;
    tf.tidy(() => void stacked(network, x));
    expect(tf.memory().numTensors).toBe(before);
  }
});

function stacked(network: Network, x: tf.Tensor[]) {
  const C = network.outputs;
  const seeds = tf.tensor3d(take(K * B * C, normalSource(9)), [K, B, C]);
  const found = new Map<string, tf.Tensor2D>();
  backward(network, forward(network, x), seeds, (block, g) => found.set(block.name, g));
  return { seeds: seeds.arraySync(), found };
}

function wide<M extends tf.LayersModel>(model: M): M {
  withWeights(model, 4);
  tf.tidy(() => model.setWeights(model.getWeights().map((w, i) => (i === 0 ? tf.mul(w, 4) : w))));
  return model;
}
