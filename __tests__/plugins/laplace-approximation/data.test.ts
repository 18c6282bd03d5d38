/** The forms of data that the promise form takes, and models that it cannot train. */
import * as tf from '@tensorflow/tfjs';
import { fingerprint, gaussian, type Inputs, type Labels } from 'tfjs-laplace';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { expectRejection } from '../../support/errors.js';
import { flat, nested, someWords, wordsAndSize } from '../../support/forms.js';
import { dense } from '../../support/math/networks.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../../support/networks.js';
import { withWasmKernels } from '../../support/wasmKernels.js';

// Training an embedding takes kernels that WASM lacks as it ships.
withWasmKernels();

const LIKELIHOOD = gaussian({ noiseVariance: 0.5 });
const N = 6;

describe('a model that is trained already', () => {
  const numbers = pair('numbers');
  it.each<[string, (t: tf.Tensor) => Inputs]>([
    ['nested arrays', nested],
    ['a flat typed array', flat],
    ['a flat array', (t) => Array.from(flat(t))],
    ['a record', (t) => ({ hidden_input: t })],
    ['a record of a typed array', (t) => ({ hidden_input: flat(t) })],
  ])('takes %s', async (_, form) => {
    const { x, y } = dataOf(numbers, N);
    const run = async (own: Inputs, labels: Labels) => {
      const laplace = laplaceApproximation(chain(numbers), { likelihood: LIKELIHOOD });
      await laplace.fit({ x: own, y: labels }, { batchSize: 4 });
      return { laplace, prediction: await laplace.predict(own, { batchSize: 4 }) };
    };
    const { laplace, prediction } = await run(form(x), nested(y));
    expect(prediction).toEqual((await run(x, y)).prediction);
    await expectNoLeak(() => laplace.computePosterior({ x: form(x), y }));
    await expectNoLeak(() => laplace.predict(form(x), { batchSize: 4 }));
    await expectNoLeak(() => expectRejection(laplace.predict(new Float32Array(9)), 'InvalidInput', { field: 'x' }));
  });
});

describe('a model that is to be trained', () => {
  const wrapped = () => {
    const model = wordsAndSize();
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const laplace = laplaceApproximation(model, { likelihood: LIKELIHOOD, pretrained: false });
    return { model, train: (x: Inputs, y: Labels) => laplace.fit({ x, y }, { epochs: 2, batchSize: 4, shuffle: false }) };
  };
  const trained = async (x: Inputs, y: Labels) => {
    const { model, train } = wrapped();
    await train(x, y);
    return fingerprint(model);
  };

  it('takes records and arrays, and trains as it does on tensors', async () => {
    const [words, size, y] = [someWords(), tensor([N, 2], 4), tensor([N, 2], 5)];
    const expected = await trained([words, size], y);
    expect(await trained({ words: nested(words), size }, nested(y))).toBe(expected);
    expect(await trained({ size: flat(size), words: tf.cast(words, 'int32') }, { sizes: y })).toBe(expected);
    const { train } = wrapped();
    await expectNoLeak(() => train({ words: nested(words), size }, nested(y)));
    const wide = tf.zeros([N, 3]);
    await expectNoLeak(() => expectRejection(train({ words: nested(words), size }, wide), 'InvalidLabels', { field: 'y' }));
  });

  it('takes class numbers as int32, which tfjs itself refuses', async () => {
    const classes = pair('class numbers, softmax inside');
    const run = async (y: tf.Tensor) => {
      const model = chain(classes);
      const laplace = laplaceApproximation(model, { likelihood: classes.likelihood, pretrained: false });
      await laplace.fit({ x: tensor([N, INPUTS], 3), y }, { epochs: 1, shuffle: false });
      return fingerprint(model);
    };
    const y = classes.labels(N);
    expect(await run(tf.cast(y, 'int32'))).toBe(await run(y));
  });

  it('is refused if it is not compiled', async () => {
    const model = tf.sequential({ layers: [dense(2, { inputShape: [2] })] });
    const laplace = laplaceApproximation(model, { likelihood: LIKELIHOOD, pretrained: false });
    const run = () => laplace.fit({ x: tensor([N, 2], 1), y: tensor([N, 2], 2) });
    const error = await expectRejection(run(), 'InvalidModel', { field: 'loss' });
    expect(error.remedy).toContain('model.compile');
  });
});
