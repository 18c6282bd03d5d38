/** How inputs are cut into batches does not matter, and nothing is left on the device. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  activationSampling,
  bernoulli,
  type Classification,
  categorical,
  gaussian,
  inputBatches,
  type Likelihood,
  linearised,
  type Prediction,
  type Predictive,
  predict,
  type Regression,
  weightSampling,
} from 'tfjs-laplace';
import { dataFor, factorsOf, posteriorFrom } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, numbersOf, relativeError } from '../support/math/numbers.js';

async function predictions(likelihood: Likelihood, predictive: Predictive, B: number, size: number): Promise<Prediction[]> {
  const model = chain([3, 2]);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, 6)), {
    priorPrecision: 0.5,
  });
  const x = inputsFor(model, B, 4);
  return lastValueFrom(from(inputBatches(x, size)).pipe(predict(model, posterior, predictive), toArray()));
}

/** All numbers of predictions, field by field. */
const fields = (parts: Prediction[]): number[][] =>
  Object.keys(parts[0] as object)
    .filter((name) => !['_tag', 'samples', 'support'].includes(name))
    .map((name) => parts.flatMap((p) => numbersOf(p[name as keyof Prediction] as never)));

const LIKELIHOODS = [categorical(), bernoulli(), gaussian({ noiseVariance: 0.3 })];

describe.each([linearised(), weightSampling({ samples: 4, seed: 2 })])('$_tag', (predictive) => {
  it.each(LIKELIHOODS)('gives the same for one batch and for several: $_tag', async (likelihood) => {
    const whole = fields(await predictions(likelihood, predictive, 7, 7));
    for (const size of [1, 3]) {
      const cut = fields(await predictions(likelihood, predictive, 7, size));
      cut.forEach((values, i) => expect(relativeError(values, whole[i] as number[])).toBeLessThan(FLOAT32));
    }
  });

  it('gives the same when a batch has more rows than go through the network at once', async () => {
    const whole = fields(await predictions(gaussian(), predictive, 9000, 9000));
    const cut = fields(await predictions(gaussian(), predictive, 9000, 1000));
    cut.forEach((values, i) => expect(relativeError(values, whole[i] as number[])).toBeLessThan(FLOAT32));
  });
});

describe('activationSampling', () => {
  const predictive = activationSampling({ samples: 4, seed: 2 });

  it('draws by seed and number of the batch: equal batches get noise of their own', async () => {
    const model = chain([3, 2]);
    const posterior = await posteriorFrom(await factorsOf(model, categorical(), dataFor(model, categorical(), 6)), {});
    const x = tf.ones([2, 3]);
    const run = (p: Predictive) =>
      lastValueFrom(from([x, x]).pipe(predict(model, posterior, p), toArray<Prediction>())) as Promise<Classification[]>;
    const [first, second] = (await run(predictive)) as [Classification, Classification];
    expect(first.probabilities).not.toEqual(second.probabilities);
    expect(first.probabilities[0]).not.toEqual(first.probabilities[1]);
    expect(await run(predictive)).toEqual([first, second]);
    expect(await run(activationSampling({ samples: 4, seed: 3 }))).not.toEqual([first, second]);
  });

  it('draws anew for each piece of a batch that has more rows than go through the network at once', async () => {
    const model = chain([2]);
    const posterior = await posteriorFrom(await factorsOf(model, gaussian(), dataFor(model, gaussian(), 6)), {});
    const [found] = await lastValueFrom(from([tf.ones([8200, 3])]).pipe(predict(model, posterior, predictive), toArray()));
    const means = numbersOf((found as Regression).mean);
    expect(means.slice(0, 4)).not.toEqual(means.slice(2 * 8192, 2 * 8192 + 4));
  });
});

it.each([linearised(), activationSampling({ samples: 3 }), weightSampling({ samples: 3 })])(
  'leaves no tensor behind: $_tag',
  async (predictive) => {
    const model = chain([3, 2]);
    const posterior = await posteriorFrom(await factorsOf(model, categorical(), dataFor(model, categorical(), 6)), {});
    const x = inputsFor(model, 5, 4);
    const before = tf.memory().numTensors;
    await lastValueFrom(from(inputBatches(x, 2)).pipe(predict(model, posterior, predictive), toArray()));
    expect(tf.memory().numTensors).toBe(before);
  },
);
