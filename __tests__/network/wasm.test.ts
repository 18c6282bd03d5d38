/** What only the WASM backend is particular about, checked whatever backend the other tests run on. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, gaussian, kfac, observe } from 'tfjs-laplace';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import { cloneModel, writeBlock } from '../../src/network/clone.js';
import { gramBlocks, timesTransposed } from '../../src/network/matmul.js';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { blockWeights } from '../../src/network/weights.js';
import { load } from '../support/backend.js';
import { expectRejection } from '../support/errors.js';
import { right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

beforeAll(async () => {
  await tf.setBackend(load('wasm'));
});

it('a copy with written weights predicts: its fused product refuses a bias that was reshaped from a row', async () => {
  const model = chain([4, 2]);
  const copy = await cloneModel(model);
  for (const block of right(withBlocks(right(readNetwork(model, gaussian())), 'all')).blocks) {
    writeBlock(copy, block, tf.mul(1, blockWeights(block)) as tf.Tensor2D);
  }
  const [x] = inputsFor(model, 3, 1) as [tf.Tensor];
  expect(relativeError(copy.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)).toBeLessThan(FLOAT32);
});

it('products with a transposed operand are those of the other backends', () => {
  const [x, y] = [tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), tf.tensor2d([1, -1, 2, 0], [2, 2])];
  expect(Array.from(timesTransposed(x, y).dataSync())).toEqual([-1, 2, -1, 6, -1, 10]);
  // Last, since it takes its rows.
  expect(gramBlocks(x).map((block) => Array.from(block.dataSync()))).toEqual([[35, 44, 44, 56]]);
});

it('refuses gradients that the backend computes wrong, unless better kernels are registered', async () => {
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 2, padding: 'same' }),
      tf.layers.maxPooling2d({ poolSize: 2, name: 'pool' }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2 }),
    ],
  });
  const data = { x: tf.ones([4, 4, 4, 1]), y: tf.zeros([4, 2]) };
  const refused = lastValueFrom(from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
  await expectRejection(refused, 'Backend', { layer: 'pool' });
  const kernels = registerWasmKernels();
  const found = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
  expect(found.count).toBe(4);
  kernels.undo();
});
