/** Training with the callback is training without it, to the last bit. */
import * as tf from '@tensorflow/tfjs';
import { type Curvature, everyEpoch, kfac, kfra } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { COUPLED, prepared, SHOWN } from '../../support/layers.js';
import { chain, dataOf, INPUTS, pair, withFixedWeights } from '../../support/networks.js';
import { datasetOf, withSeededRandom } from '../../support/training.js';

const classes = pair('classes, softmax inside');
const EMPIRICAL = kfac({ fisher: 'empirical' });
const observer = (curvature: Curvature = EMPIRICAL) =>
  laplaceCallback({ likelihood: classes.likelihood, curvature, epochs: everyEpoch() });

type Fit = (model: tf.LayersModel, callbacks: tf.CustomCallback[]) => Promise<tf.History>;
const data = () => dataOf(classes, 10);

const FITS: Readonly<Record<string, Fit>> = {
  fit: (model, callbacks) => {
    const { x, y } = data();
    return model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, callbacks });
  },
  fitDataset: (model, callbacks) => model.fitDataset(datasetOf(data(), 4) as never, { epochs: 2, verbose: 0, callbacks }),
};

/** Everything that a training run leaves: weights, the optimizer's state and the history. */
async function outcome(make: () => tf.LayersModel, train: Fit, callbacks: tf.CustomCallback[]) {
  const model = make();
  const { history } = await withSeededRandom(() => train(model, callbacks));
  const state = (await model.optimizer.getWeights()).map((w) => w.tensor.dataSync());
  return { weights: model.getWeights().map((w) => w.dataSync()), state, history };
}

/** Bits, not numbers: 0 and −0 differ. */
const bits = (arrays: ReadonlyArray<tf.TypedArray>) =>
  arrays.map((a) => Array.from(new Uint32Array(Float32Array.from(a).buffer)));

async function expectUntouched(make: () => tf.LayersModel, fit: Fit, curvature?: Curvature) {
  const without = await outcome(make, fit, []);
  const observed = await outcome(make, fit, [observer(curvature) as never]);
  expect(bits(observed.weights)).toEqual(bits(without.weights));
  expect(bits(observed.state)).toEqual(bits(without.state));
  expect(observed.history).toEqual(without.history);
}

const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
  adam: () => tf.train.adam(0.01),
  rmsprop: () => tf.train.rmsprop(0.01),
};
const ACTIVATIONS = ['relu', 'elu', 'tanh', 'gelu', 'linear'];

describe('changes no bit', () => {
  it.each([
    ...ACTIVATIONS.flatMap((activation) => Object.keys(FITS).map((fit) => [fit, 'adam', activation] as const)),
    ...['sgd', 'momentum', 'rmsprop'].map((optimizer) => ['fit', optimizer, 'relu'] as const),
  ])('%s, %s, %s', async (fit, optimizer, activation) => {
    const make = () => chain(classes, { activation, optimizer: (OPTIMIZERS[optimizer] as () => tf.Optimizer)() });
    await expectUntouched(make, FITS[fit] as Fit);
  });

  it.each([kfac({ fisher: 'exact' }), kfac({ fisher: 'monteCarlo' }), kfra()])('%j', async (curvature) => {
    await expectUntouched(() => chain(classes), FITS.fit as Fit, curvature);
  });

  it('with dropout, regularisation, no biases and a nested model', async () => {
    const make = () => {
      const { dense, dropout } = tf.layers;
      const inner = tf.sequential({ layers: [dense({ units: 5, inputShape: [INPUTS], activation: 'relu', useBias: false })] });
      const kernelRegularizer = tf.regularizers.l2({ l2: 0.1 });
      const model = tf.sequential({
        layers: [inner, dropout({ rate: 0.4, seed: 5 }), dense({ units: 3, activation: 'softmax', kernelRegularizer })],
      });
      model.compile({ optimizer: 'adam', loss: classes.loss, metrics: ['accuracy'] });
      return withFixedWeights(model);
    };
    await expectUntouched(make, FITS.fit as Fit);
  });

  describe('of any kind of layer', () => {
    it.each([...SHOWN, ...COUPLED])('$name', async (own) => {
      const { data } = prepared(own);
      const fit: Fit = (model, callbacks) => model.fit(data.x, data.y, { epochs: 2, batchSize: 4, verbose: 0, callbacks });
      await expectUntouched(() => prepared(own, tf.train.adam(0.01)).model, fit);
    });
  });
});
