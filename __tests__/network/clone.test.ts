/** Copies of a model are models of their own. */
import * as tf from '@tensorflow/tfjs';
import { fingerprint, gaussian } from 'tfjs-laplace';
import { cloneModel, writeBlock } from '../../src/network/clone.js';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { right } from '../support/math/laplace.js';
import { chain, DENSE_NETWORKS, dense, inputsFor, MIXED_NETWORKS, on, withWeights } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';

const outputs = (model: tf.LayersModel, x: tf.Tensor[]): Float32Array =>
  tf.tidy(() => Float32Array.from((model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor).dataSync()));

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])('computes the same, and lives on its own: $name', async ({ build }) => {
  const model = build();
  const x = inputsFor(model, 3, 2);
  const expected = outputs(model, x);
  const tensors = tf.memory().numTensors;
  const copy = await cloneModel(model);
  expect(tf.memory().numTensors - tensors).toBe(model.weights.length);
  expect(outputs(copy, x)).toEqual(expected);
  expect(await fingerprint(copy)).toBe(await fingerprint(model));

  tf.tidy(() => copy.setWeights(copy.getWeights().map((w) => tf.add(w, 1))));
  expect(outputs(model, x)).toEqual(expected);
  expect(relativeError(outputs(copy, x), expected)).toBeGreaterThan(0.01);
  copy.dispose();
  expect(outputs(model, x)).toEqual(expected);
});

it('may outlive its model', async () => {
  const model = chain([4, 2]);
  const x = inputsFor(model, 3, 2);
  const expected = outputs(model, x);
  const copy = await cloneModel(model);
  model.dispose();
  expect(outputs(copy, x)).toEqual(expected);
});

describe('initialisers', () => {
  // They can take longer than the sampling: an orthogonal one decomposes a matrix. So each kind of weight gets one that tells.
  let runs = 0;
  class Telling extends tf.serialization.Serializable {
    static readonly className = 'Telling';
    apply(shape: number[]): tf.Tensor {
      runs += 1;
      return tf.ones(shape);
    }
    getConfig() {
      return {};
    }
  }
  tf.serialization.registerClass(Telling);
  const initializer = { className: 'Telling', config: {} } as never;
  const telling = { kernelInitializer: initializer, biasInitializer: initializer };
  const inner = (): tf.LayersModel => {
    const inputs = tf.input({ shape: [3] });
    return tf.model({ inputs, outputs: on(dense(3, telling), inputs) });
  };

  it.each<[string, () => tf.LayersModel]>([
    ['a sequential model', () => tf.sequential({ layers: [dense(3, { ...telling, inputShape: [3] }), dense(2, telling)] })],
    ['a functional model', inner],
    [
      'a recurrent layer',
      () =>
        tf.sequential({
          layers: [
            tf.layers.gru({ units: 2, inputShape: [4, 3], recurrentInitializer: initializer, ...telling }),
            dense(2, telling),
          ],
        }),
    ],
    ['a functional model inside a sequential one', () => tf.sequential({ layers: [inner(), dense(2, telling)] })],
    [
      'a functional model inside a functional one',
      () => {
        const inputs = tf.input({ shape: [3] });
        return tf.model({ inputs, outputs: on(dense(2, telling), on(inner(), inputs)) });
      },
    ],
    [
      'a sequential model inside a functional one',
      () => {
        const inputs = tf.input({ shape: [3] });
        const chained = tf.sequential({ layers: [dense(3, { ...telling, inputShape: [3] })] });
        return tf.model({ inputs, outputs: on(dense(2, telling), on(chained, inputs)) });
      },
    ],
  ])('do not run: %s', async (_, build) => {
    const model = withWeights(build(), 5);
    expect(runs).toBeGreaterThan(0);
    runs = 0;
    const copy = await cloneModel(model);
    expect(runs).toBe(0);
    const x = inputsFor(model, 2, 1);
    expect(outputs(copy, x)).toEqual(outputs(model, x));
  });
});

it('keeps names, trainability and activations', async () => {
  const model = chain([4, 2], { activation: 'softplus' });
  (model.layers[0] as tf.layers.Layer).trainable = false;
  const copy = await cloneModel(model);
  expect(copy.layers.map((l) => [l.name, l.trainable])).toEqual(model.layers.map((l) => [l.name, l.trainable]));
  expect(copy.layers.map((l) => l.getConfig().activation)).toEqual(model.layers.map((l) => l.getConfig().activation));
});

it('names the remedy for a layer that cannot be loaded', async () => {
  class Foreign extends tf.layers.Layer {
    static readonly className = 'Foreign';
    override computeOutputShape(shape: tf.Shape): tf.Shape {
      return shape;
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return [inputs].flat()[0] as tf.Tensor;
    }
  }
  const model = tf.sequential({ layers: [dense(2, { inputShape: [3] }), new Foreign({})] });
  await expect(cloneModel(model)).rejects.toMatchObject({
    kind: 'InvalidModel',
    message: expect.stringContaining('registerClass'),
  });
});

it.each(DENSE_NETWORKS)('takes the weights of a block, and nothing else: $name', async ({ build }) => {
  const model = build();
  const { blocks } = right(withBlocks(right(readNetwork(model, gaussian())), 'all'));
  for (const block of blocks) {
    const copy = await cloneModel(model);
    const W = tf.tensor2d(
      Array.from({ length: block.n * block.m }, (_, i) => i),
      [block.n, block.m],
    );
    writeBlock(copy, block, W);
    copy.weights.forEach((weight, i) => {
      const before = model.weights[i] as (typeof model.weights)[number];
      const own = block.layer.weights.some((w) => w === before);
      const expected = own
        ? before.shape.length === 1
          ? W.slice([block.n - 1, 0])
          : W.slice(0, before.shape[0] as number)
        : before.read();
      expect(Array.from(weight.read().dataSync())).toEqual(Array.from(expected.dataSync()));
    });
    copy.dispose();
  }
});
