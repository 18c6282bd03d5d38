/** The stacked backward pass against tf.grads of the whole network: each row on its own, layer by layer. */
import * as tf from '@tensorflow/tfjs';
import { gaussian } from 'tfjs-laplace';
import { backward } from '../../src/network/backward.js';
import { forward } from '../../src/network/forward.js';
import { type Network, readNetwork, withBlocks } from '../../src/network/network.js';
import { gradientsAt, inputsAt } from '../../src/network/positions.js';
import { type Seeds, uniformSeeds } from '../../src/network/stack.js';
import { jacobians } from '../support/math/jacobians.js';
import { right } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { DENSE_NETWORKS, dense, functional, inputsFor, MIXED_NETWORKS, on, withWeights } from '../support/math/networks.js';
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
  const layers = network.blocks.map((b) => b.layer);
  const examples = jacobians(model, x, layers);
  layers.forEach((layer, l) => {
    // Row k · B + b is Σ_c seed_kbc · ∂f_c/∂z of example b.
    const expected = seeds.flatMap((rows) =>
      rows.map((seed, b) => {
        const g = examples[b]?.layers[l]?.g ?? [];
        return g[0]?.map((_, j) => seed.reduce((sum, s, c) => sum + s * (g[c]?.[j] as number), 0)) ?? [];
      }),
    );
    const uses = found.get(layer.name) as ReadonlyArray<tf.Tensor>;
    expect(uses).toHaveLength(1);
    expect(relativeError(uses[0] as tf.Tensor, expected)).toBeLessThan(FLOAT32);
  });
});

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])('takes any choice of rows, each by its example: $name', ({ build }) => {
  const model = build();
  const x = inputsFor(model, B, 2);
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  const { seeds, found } = stacked(network, x);
  // Of rows k · B + b: one example twice, one left out, not in order.
  const chosen = [7, 2, 4, 8];
  const rows = tf.tensor2d(chosen.map((r) => seeds[Math.floor(r / B)]?.[r % B] as number[]));
  const examples = tf.tensor1d(
    chosen.map((r) => r % B),
    'int32',
  );
  const some = gradientsOf(network, x, { rows, stack: { _tag: 'gathered', size: B, examples } });
  expect([...some.keys()]).toEqual([...found.keys()]);
  for (const [name, [gradient]] of some) {
    const whole = found.get(name)?.[0]?.arraySync() as number[][];
    expect(
      relativeError(
        gradient as tf.Tensor,
        chosen.map((r) => whole[r] as number[]),
      ),
    ).toBeLessThan(FLOAT32);
  }
});

const tanh = (units: number) => dense(units, { activation: 'tanh' });

/** Layers whose weights meet several positions of one example: uses, steps, or both. */
const SHARED: ReadonlyArray<readonly [string, number, () => tf.LayersModel]> = [
  [
    'a dense layer that is used three times',
    3,
    () => {
      const shared = dense(3, { name: 'shared', activation: 'tanh' });
      return functional([3], (x) => on(dense(2), on(tf.layers.add(), on(shared, x), on(shared, on(shared, x)))));
    },
  ],
  [
    'a dense layer of an inner model that is used twice',
    2,
    () => {
      const inner = tf.sequential({ layers: [dense(3, { inputShape: [3], name: 'shared' })] });
      return functional([3], (x) => on(dense(2), on(tf.layers.multiply(), on(inner, x), on(inner, on(tanh(3), x)))));
    },
  ],
  [
    'a dense layer on a sequence, used twice',
    2,
    () => {
      const shared = dense(2, { name: 'shared', activation: 'tanh' });
      const pool = tf.layers.globalAveragePooling1d({});
      return functional([4, 2], (x) => on(dense(2), on(pool, on(shared, on(shared, x)))));
    },
  ],
];

it.each(SHARED)('gives a gradient for every use: Σ_t a_t g_tᵀ is the one in W of %s', (_, uses, build) => {
  const model = withWeights(build(), 7);
  const x = inputsFor(model, B, 2);
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  const block = network.blocks.find((b) => b.name === 'shared') as Network['blocks'][number];
  const { seeds, found } = stacked(network, x);
  const gradients = found.get('shared') as ReadonlyArray<tf.Tensor>;
  expect(gradients).toHaveLength(uses);
  const a = inputsAt(block, forward(network, x));
  const g = gradientsAt(block, gradients);
  // Of row k · B + b, by tf.variableGrads of example b's outputs, contracted with the seed.
  const examples = jacobians(model, x, [block.layer]);
  const expected = seeds.flatMap((rows) =>
    rows.map((seed, b) => {
      const own = examples[b]?.layers[0]?.rows ?? [];
      return own[0]?.map((_, i) => seed.reduce((sum, s, c) => sum + s * (own[c]?.[i] as number), 0)) ?? [];
    }),
  );
  const inputs = tf.tile(a, [1, K, 1, 1]);
  expect(relativeError(tf.matMul(inputs, g, true), expected)).toBeLessThan(FLOAT32);
});

it('visits blocks from the last to the first, and only those chosen', () => {
  const model = (DENSE_NETWORKS[1] as (typeof DENSE_NETWORKS)[number]).build();
  const [first, , last] = model.layers.map((l) => l.name) as [string, string, string];
  const whole = right(readNetwork(model, gaussian()));
  const x = inputsFor(model, B, 2);
  const some = stacked(right(withBlocks(whole, [first, last])), x).found;
  expect([...some.keys()]).toEqual([last, first]);
  const all = stacked(right(withBlocks(whole, 'all')), x).found;
  for (const name of [first, last])
    expect(some.get(name)?.map((g) => g.dataSync())).toEqual(all.get(name)?.map((g) => g.dataSync()));
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
  return { seeds: seeds.arraySync(), found: gradientsOf(network, x, uniformSeeds(seeds)) };
}

/** What `backward` gives for every block, in the order in which it comes. */
function gradientsOf(network: Network, x: tf.Tensor[], seeds: Seeds): ReadonlyMap<string, ReadonlyArray<tf.Tensor>> {
  const found = new Map<string, ReadonlyArray<tf.Tensor>>();
  backward(network, forward(network, x), seeds, (block, gradients) => found.set(block.name, gradients.map(tf.clone)));
  return found;
}

function wide<M extends tf.LayersModel>(model: M): M {
  withWeights(model, 4);
  tf.tidy(() => model.setWeights(model.getWeights().map((w, i) => (i === 0 ? tf.mul(w, 4) : w))));
  return model;
}
