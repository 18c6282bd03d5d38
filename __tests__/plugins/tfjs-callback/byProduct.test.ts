/**
 * `empirical` rows of the training step are the gradients of each example's NLL: with a learning rate of 0 the callback's factors
 * are those of a pass over the same data. A loss scale that is wrong by a factor (batch mean, label mean, noise) shows here.
 */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { type Curvature, everyEpoch, type Factors, kfac, type Likelihood } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { distance, expectSameFactors, pass } from '../../support/factors.js';
import { kronecker } from '../../support/kronecker.js';
import { chain, dataOf, INPUTS, PAIRS, type Pair, pair, withFixedWeights } from '../../support/networks.js';

/**
 * Relative to the largest entry. A gradient is rounded about ten times on its way (2⁻²⁴ each), a second moment twice as often;
 * tfjs's cross-entropies clip probabilities at 1e-7, which moves a gradient by 1e-7 / p. The smallest wrong factor would be 2.
 */
const TOLERANCE = 1e-5;

const EMPIRICAL = kfac({ fisher: 'empirical' });
/** Batches of 4, 4 and 2: a scale that forgets B shows too. */
const EXAMPLES = 10;

async function trained(model: tf.LayersModel, likelihood: Likelihood, data: { x: tf.Tensor | tf.Tensor[]; y: tf.Tensor }) {
  const callback = laplaceCallback({ likelihood, curvature: EMPIRICAL, epochs: everyEpoch() });
  await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
  return lastValueFrom(callback.factors$);
}

async function expectByProduct(
  model: tf.LayersModel,
  { likelihood, loss }: Pair,
  data: { x: tf.Tensor | tf.Tensor[]; y: tf.Tensor },
) {
  model.compile({ optimizer: tf.train.sgd(0), loss });
  withFixedWeights(model);
  const expected: Factors = await pass(model, likelihood, data, EMPIRICAL);
  const found = await trained(model, likelihood, data);
  expectSameFactors(found, expected, TOLERANCE);
  expect(found.fingerprint).toBe(expected.fingerprint);
}

describe('equals a pass over the same data', () => {
  it.each(PAIRS)('$name', async (p) => {
    await expectByProduct(chain(p), p, dataOf(p, EXAMPLES));
  });

  it.each(['relu', 'elu', 'tanh', 'linear', 'gelu', 'sigmoid', 'selu', 'softplus', 'swish', 'relu6', 'softmax'])(
    'hidden %s',
    async (activation) => {
      const p = pair('classes, softmax inside');
      await expectByProduct(chain(p, { activation }), p, dataOf(p, EXAMPLES));
    },
  );
});

const classes = pair('classes, softmax inside');
const { dense } = tf.layers;

describe('in every form that a model can have', () => {
  const hidden = () => dense({ units: 5, activation: 'relu', inputShape: [INPUTS] });

  it.each<[string, () => tf.LayersModel]>([
    [
      'softmax as an Activation layer',
      () => tf.sequential({ layers: [hidden(), dense({ units: 3 }), tf.layers.activation({ activation: 'softmax' })] }),
    ],
    ['softmax as a Softmax layer', () => tf.sequential({ layers: [hidden(), dense({ units: 3 }), tf.layers.softmax()] })],
    [
      'activations as layers',
      () =>
        tf.sequential({
          layers: [dense({ units: 5, inputShape: [INPUTS] }), tf.layers.leakyReLU(), dense({ units: 3, activation: 'softmax' })],
        }),
    ],
    [
      'an activation between the last dense layer and the link',
      () => tf.sequential({ layers: [hidden(), dense({ units: 3 }), tf.layers.elu(), tf.layers.softmax()] }),
    ],
    [
      'no bias',
      () =>
        tf.sequential({
          layers: [
            dense({ units: 5, useBias: false, activation: 'relu', inputShape: [INPUTS] }),
            dense({ units: 3, useBias: false, activation: 'softmax' }),
          ],
        }),
    ],
    ['one layer', () => tf.sequential({ layers: [dense({ units: 3, activation: 'softmax', inputShape: [INPUTS] })] })],
    [
      'a reshaped input',
      () =>
        tf.sequential({
          layers: [
            tf.layers.reshape({ targetShape: [2, 2], inputShape: [INPUTS] }),
            tf.layers.flatten(),
            dense({ units: 3, activation: 'softmax' }),
          ],
        }),
    ],
    [
      'regularised kernels',
      () =>
        tf.sequential({
          layers: [
            dense({ units: 5, activation: 'relu', inputShape: [INPUTS], kernelRegularizer: tf.regularizers.l2({ l2: 10 }) }),
            dense({ units: 3, activation: 'softmax', biasRegularizer: tf.regularizers.l1({ l1: 10 }) }),
          ],
        }),
    ],
    [
      'a nested model',
      () =>
        tf.sequential({
          layers: [tf.sequential({ layers: [hidden(), dense({ units: 4 })] }), dense({ units: 3, activation: 'softmax' })],
        }),
    ],
    ['a skip connection', skip],
    ['two inputs', twoInputs],
  ])('%s', async (_, make) => {
    const model = make();
    const { x, y } = dataOf(classes, EXAMPLES);
    await expectByProduct(model, classes, { x: model.inputs.length === 2 ? [x, x.square()] : x, y });
  });

  it('named layers only', async () => {
    const model = chain(classes, { optimizer: tf.train.sgd(0) });
    const data = dataOf(classes, EXAMPLES);
    const curvature: Curvature = kfac({ fisher: 'empirical', layers: ['hidden'] });
    const callback = laplaceCallback({ likelihood: classes.likelihood, curvature });
    await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
    expectSameFactors(await lastValueFrom(callback.factors$), await pass(model, classes.likelihood, data, curvature), TOLERANCE);
  });
});

/** Sum and concatenation around hidden layers. */
function skip(): tf.LayersModel {
  const x = tf.input({ shape: [INPUTS] });
  const h = dense({ units: INPUTS, activation: 'tanh' }).apply(x) as tf.SymbolicTensor;
  const sum = tf.layers.add().apply([x, h]) as tf.SymbolicTensor;
  const both = tf.layers.concatenate().apply([sum, h, x]) as tf.SymbolicTensor;
  return tf.model({ inputs: x, outputs: dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor });
}

function twoInputs(): tf.LayersModel {
  const a = tf.input({ shape: [INPUTS] });
  const b = tf.input({ shape: [INPUTS] });
  const h = dense({ units: 5, activation: 'relu' }).apply(b) as tf.SymbolicTensor;
  const both = tf.layers.concatenate().apply([h, a]) as tf.SymbolicTensor;
  return tf.model({ inputs: [a, b], outputs: dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor });
}

it('sees dropout as training does', async () => {
  const p = pair('numbers');
  const model = tf.sequential({
    layers: [
      dense({ units: 5, inputShape: [INPUTS], activation: 'tanh', useBias: false }),
      tf.layers.dropout({ rate: 0.5, seed: 3 }),
      dense({ units: p.outputs, useBias: false }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0), loss: p.loss });
  withFixedWeights(model);
  const data = dataOf(p, 4);
  const [first, dropout] = model.layers as [tf.layers.Layer, tf.layers.Layer];
  const online = await trained(model, p.likelihood, data);
  const post = await pass(model, p.likelihood, data, EMPIRICAL);
  const inputs = (factors: Factors, layer: number) => kronecker(factors.layers[layer]).input.data;
  const gram = (a: tf.Tensor) => a.transpose().matMul(a).dataSync();
  const h = first.apply(data.x) as tf.Tensor;
  // The seed makes the mask the same; the pass runs without one.
  expect(distance(inputs(online, 1), gram(dropout.apply(h, { training: true }) as tf.Tensor))).toBeLessThan(TOLERANCE);
  expect(distance(inputs(post, 1), gram(h))).toBeLessThan(TOLERANCE);
  expect(distance(inputs(online, 1), inputs(post, 1))).toBeGreaterThan(0.1);
  expect(distance(inputs(online, 0), inputs(post, 0))).toBeLessThan(TOLERANCE);
});
