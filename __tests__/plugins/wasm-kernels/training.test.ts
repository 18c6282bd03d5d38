/** Networks of every kind that tfjs can train, trained on WASM and on the plain backend from the same weights: the same weights. */
import * as tf from '@tensorflow/tfjs';
import { leftBehind } from '../../support/memory.js';
import { dataIds, filled, on, onWasm } from './both.js';
import { ACTIVATIONS, NETWORKS, OPTIMIZERS } from './networks.js';

onWasm();

/** Weights after three epochs of two batches, one after another. */
async function trained(backend: 'cpu' | 'wasm', make: () => tf.LayersModel, optimizer: () => tf.Optimizer, batchSize = 4) {
  await tf.setBackend(backend);
  try {
    const model = make();
    tf.tidy(() => model.setWeights(model.getWeights().map((w, i) => (w.rank === 1 ? w : tf.mul(filled(w.shape, i), 0.5)))));
    model.compile({ optimizer: optimizer(), loss: 'categoricalCrossentropy' });
    const shape = model.inputs[0]?.shape.slice(1) as number[];
    const words = model.layers.some((layer) => layer.getClassName() === 'Embedding');
    const x = tf.tidy(() => {
      const numbers = filled([2 * batchSize, ...shape], 3);
      return words ? tf.floor(tf.mul(tf.add(numbers, 1), 5.5)) : numbers;
    });
    const y = tf.tidy(() =>
      tf.cast(
        tf.oneHot(
          tf.tensor1d(
            Array.from({ length: 2 * batchSize }, (_, i) => i % 3),
            'int32',
          ),
          3,
        ),
        'float32',
      ),
    );
    await model.fit(x, y, { epochs: 3, batchSize, shuffle: false, verbose: 0 });
    const weights = model.getWeights().flatMap((w) => Array.from(w.dataSync()));
    model.dispose();
    tf.dispose([x, y]);
    return weights;
  } finally {
    await tf.setBackend('wasm');
  }
}

/**
 * Weights are below 2, and six steps of rates up to 0.1 add rounding errors of gradients of order 1: a few 1e-7 each. A wrong
 * gradient moves a weight by 1e-3 and more.
 */
const SAME = 1e-5;

async function expectSameTraining(
  make: () => tf.LayersModel,
  optimizer: () => tf.Optimizer = () => tf.train.sgd(0.1),
  batchSize?: number,
): Promise<void> {
  const expected = await trained('cpu', make, optimizer, batchSize);
  const found = await trained('wasm', make, optimizer, batchSize);
  expect(found).toHaveLength(expected.length);
  expect(found.every(Number.isFinite)).toBe(true);
  expect(Math.max(...found.map((v, i) => Math.abs(v - (expected[i] as number))))).toBeLessThan(SAME);
}

it.each(Object.keys(NETWORKS))('%s', (name) => expectSameTraining(NETWORKS[name] as () => tf.LayersModel));

it.each(ACTIVATIONS)('activation %s', (activation) =>
  expectSameTraining(() =>
    tf.sequential({
      layers: [tf.layers.dense({ units: 7, inputShape: [6], activation }), tf.layers.dense({ units: 3, activation: 'softmax' })],
    }),
  ),
);

it.each(Object.keys(OPTIMIZERS))('optimizer %s', (name) =>
  expectSameTraining(NETWORKS.LeNet as () => tf.LayersModel, OPTIMIZERS[name]),
);

it('upsampling to the nearest, which the plain backend gets right for one example at a time', () =>
  expectSameTraining(
    () =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', inputShape: [8, 8, 2] }),
          tf.layers.upSampling2d({ size: [2, 2] }),
          tf.layers.conv2d({ filters: 2, kernelSize: 3 }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    undefined,
    1,
  ));

it('training leaves nothing behind', async () => {
  const model = (NETWORKS.LeNet as () => tf.LayersModel)();
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
  const x = filled([8, 12, 12, 1], 1);
  const y = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1], 'int32'), 3);
  const run = () => model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0 });
  await run();
  const before = dataIds();
  expect(await leftBehind(run)).toEqual({ tensors: 0, bytes: 0 });
  expect(dataIds()).toBe(before);
});

describe('losses of tfjs', () => {
  const { Reduction: _, ...losses } = tf.losses as unknown as Record<string, (y: tf.Tensor, f: tf.Tensor) => tf.Tensor>;
  const named = [
    'absoluteDifference',
    'hingeLoss',
    'huberLoss',
    'logLoss',
    'meanSquaredError',
    'sigmoidCrossEntropy',
    'softmaxCrossEntropy',
  ];

  it.each(named)('%s has the same gradient', async (name) => {
    const loss = losses[name] as (y: tf.Tensor, f: tf.Tensor) => tf.Tensor;
    const run = () =>
      tf.grad((w: tf.Tensor) => loss(tf.step(filled([90, 40], 1)), tf.sigmoid(tf.matMul(filled([90, 30], 2), w))))(
        filled([30, 40], 3),
      );
    const [expected, found] = [await on('cpu', run), await on('wasm', run)];
    expect(Math.max(...found.numbers.map((v, i) => Math.abs(v - (expected.numbers[i] as number))))).toBeLessThan(SAME);
  });
});
