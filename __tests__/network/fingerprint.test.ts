/** The fingerprint tells any change of any weight, and nothing else. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { fingerprint, gaussian } from 'tfjs-laplace';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { readWeights } from '../../src/network/weights.js';
import { right } from '../support/math/laplace.js';
import { chain, DENSE_NETWORKS, dense, MIXED_NETWORKS, withWeights } from '../support/math/networks.js';

/** Flips one bit of one number of one weight. */
function flipBit(model: tf.LayersModel, weight: number, entry: number, bit: number): void {
  tf.tidy(() => {
    const weights = model.getWeights().map((w, i) => {
      if (i !== weight) return w;
      const data = Float32Array.from(w.dataSync());
      const words = new Uint32Array(data.buffer);
      words[entry % words.length] = (words[entry % words.length] as number) ^ (1 << bit);
      return tf.tensor(data, w.shape);
    });
    model.setWeights(weights);
  });
}

it.each([...DENSE_NETWORKS, ...MIXED_NETWORKS])('changes with the last bit of each weight: $name', async ({ build }) => {
  const model = build();
  const seen = new Set([await fingerprint(model)]);
  for (let w = 0; w < model.weights.length; w++) {
    flipBit(model, w, 0, 0);
    seen.add(await fingerprint(model));
    flipBit(model, w, 0, 0);
  }
  expect(seen.size).toBe(1 + model.weights.length);
});

it('changes with every bit of every number', async () => {
  const model = chain([3, 2]);
  const before = await fingerprint(model);
  await fc.assert(
    // Bits 0 to 22 are a float's digits, 31 its sign: any of them gives another finite number.
    fc.asyncProperty(
      fc.nat(3),
      fc.nat(8),
      fc.constantFrom(...Array.from({ length: 23 }, (_, i) => i), 31),
      async (weight, entry, bit) => {
        flipBit(model, weight, entry, bit);
        const changed = await fingerprint(model);
        flipBit(model, weight, entry, bit);
        expect(changed).not.toBe(before);
        expect(await fingerprint(model)).toBe(before);
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

it('tells two weights apart that changed places', async () => {
  const model = chain([3, 3]);
  const before = await fingerprint(model);
  tf.tidy(() => {
    const [a, b, c, d] = model.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    model.setWeights([c, b, a, d]);
  });
  expect(await fingerprint(model)).not.toBe(before);
});

it('is that of the weights alone: the same for another model, after predictions, and from the network', async () => {
  const [model, other] = [chain([3, 2]), chain([3, 2], { activation: 'softplus' })];
  const network = right(withBlocks(right(readNetwork(model, gaussian())), 'last'));
  expect(await fingerprint(other)).toBe(await fingerprint(model));
  tf.dispose(model.predict(tf.ones([2, 3])));
  expect((await readWeights(network)).fingerprint).toBe(await fingerprint(other));
  expect(await fingerprint(model)).toMatch(/^[0-9a-f]{16}$/);
});

it('reads the blocks as matrices, the bias as the last row', async () => {
  for (const { build } of DENSE_NETWORKS) {
    const network = right(withBlocks(right(readNetwork(build(), gaussian())), 'all'));
    const { blocks } = await readWeights(network);
    network.blocks.forEach((block, i) => {
      const parts = block.layer.getWeights().flatMap((w) => Array.from(w.dataSync()));
      expect(blocks[i]).toEqual({ rows: block.n, cols: block.m, data: Float64Array.from(parts) });
    });
  }
});

it('is the same when a layer is frozen, in models inside models too', async () => {
  const inner = tf.sequential({ layers: [dense(3, { inputShape: [3] }), tf.layers.batchNormalization()] });
  const model = withWeights(tf.sequential({ layers: [inner, dense(3), tf.layers.batchNormalization(), dense(2)] }), 2);
  const before = await fingerprint(model);
  for (const layer of [...inner.layers, inner, ...model.layers.slice(1), model]) {
    layer.trainable = false;
    expect(await fingerprint(model)).toBe(before);
  }
});
