/** Inputs to predictions as an operator: what it takes, what it refuses, and what it does not depend on. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, Subject, toArray } from 'rxjs';
import {
  activationSampling,
  type Classification,
  type InputSource,
  inputBatches,
  linearised,
  outputDistribution,
  type Posterior,
  type Prediction,
  type Predictive,
  type Progress,
  predict,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { expectRejection, rejection } from '../support/errors.js';
import { distance, pass } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, type Pair, pair, tensor, withFixedWeights } from '../support/networks.js';

const PREDICTIVES: ReadonlyArray<[string, Predictive]> = [
  ['linearised', linearised()],
  ['activationSampling', activationSampling({ samples: 4 })],
  ['weightSampling', weightSampling({ samples: 4 })],
];

async function trained(p: Pair): Promise<{ model: tf.LayersModel; posterior: Posterior; x: tf.Tensor }> {
  const model = chain(p);
  const data = dataOf(p, 10);
  const posterior = await lastValueFrom(of(await pass(model, p.likelihood, data)).pipe(toPosterior()));
  return { model, posterior, x: data.x };
}

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let posterior: Posterior;
let x: tf.Tensor;
beforeAll(async () => {
  ({ model, posterior, x } = await trained(classes));
});

const predictions = (
  sources: ReadonlyArray<InputSource>,
  predictive: Predictive = linearised(),
  own: { model: tf.LayersModel; posterior: Posterior } = { model, posterior },
): Promise<Prediction[]> => lastValueFrom(from(sources).pipe(predict(own.model, own.posterior, predictive), toArray()));

/** All numbers of some predictions, field by field. */
const numbersOf = (parts: ReadonlyArray<Prediction>): Readonly<Record<string, number[]>> => {
  const [first] = parts as [Prediction];
  const fields = Object.keys(first).filter((field) => !['_tag', 'samples', 'support'].includes(field));
  const flat = (part: Prediction, field: string) =>
    Array.from((part as unknown as Record<string, Iterable<number | Iterable<number>>>)[field] ?? []).flatMap((v) =>
      typeof v === 'number' ? [v] : Array.from(v),
    );
  return Object.fromEntries(fields.map((field) => [field, parts.flatMap((part) => flat(part, field))]));
};

describe.each(PREDICTIVES)('%s', (_, predictive) => {
  it('gives the same numbers for the same seed', async () => {
    expect(await predictions([x, x], predictive)).toEqual(await predictions([x, x], predictive));
  });

  it.each(['labels, sigmoid inside', 'a label, logit', 'classes, logits', 'numbers', 'a number'])('predicts %s', async (name) => {
    const own = await trained(pair(name));
    const [prediction] = (await predictions([own.x], predictive, own)) as [Prediction];
    expect(prediction._tag).toBe(pair(name).likelihood._tag === 'gaussian' ? 'regression' : 'classification');
    for (const values of Object.values(numbersOf([prediction]))) {
      expect(values.every(Number.isFinite)).toBe(true);
      expect(values.length % 10).toBe(0);
    }
  });

  it('leaves nothing on the device when the inputs are refused', async () => {
    const wrong = tensor([2, 3], 1);
    await expectNoLeak(() => rejection(predictions([x, wrong, x], predictive)));
  });

  it('frees what a function makes, and leaves alone what it was given', async () => {
    await expectNoLeak(() => predictions([() => tensor([2, INPUTS], 1), () => [tensor([2, INPUTS], 2)]], predictive));
    expect(x.isDisposed).toBe(false);
  });
});

describe('what a batch split changes', () => {
  const split = () => inputBatches(x, 3);

  it.each(PREDICTIVES.filter(([name]) => name !== 'activationSampling'))('nothing: %s', async (_, predictive) => {
    const [whole, parts] = [await predictions([x], predictive), await predictions(split(), predictive)];
    const expected = numbersOf(whole);
    // Products of other heights may round otherwise: a few 2⁻²⁴ of the largest entry, more where a difference is taken.
    for (const [field, values] of Object.entries(numbersOf(parts)))
      expect(distance(values, expected[field] ?? [])).toBeLessThan(2e-5);
  });

  it('the noise of activation sampling, which belongs to a batch', async () => {
    const predictive = activationSampling({ samples: 4 });
    const [twice] = [await predictions([x, x], predictive)];
    expect(numbersOf([twice[0] as Prediction])).not.toEqual(numbersOf([twice[1] as Prediction]));
  });
});

it.each(PREDICTIVES)('is the trained network itself at temperature 0: %s', async (_, predictive) => {
  const [cold] = (await predictions([x], { ...predictive, temperature: 0 } as Predictive)) as [Classification];
  const expected = tf.tidy(() => Array.from((model.predict(x) as tf.Tensor).dataSync()));
  expect(
    distance(
      cold.probabilities.flatMap((row) => [...row]),
      expected,
    ),
  ).toBeLessThan(1e-6);
  expect(Math.max(...cold.mutualInformation)).toBeLessThan(1e-6);
});

it('knows less of inputs far from the data', async () => {
  const far = x.mul(20);
  const [near, away] = (await predictions([x, far])) as [Classification, Classification];
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
  expect(mean(away.mutualInformation)).toBeGreaterThan(mean(near.mutualInformation));
});

it('keeps the order of its inputs, one at a time', async () => {
  const made: number[] = [];
  const sources = [1, 2, 3].map((rows) => () => {
    made.push(tf.memory().numTensors);
    return tensor([rows, INPUTS], rows);
  });
  const found = (await predictions(sources)) as Classification[];
  expect(found.map((p) => p.entropy.length)).toEqual([1, 2, 3]);
  // No batch is made while another is on the device; the posterior is there from the second on.
  expect(new Set(made.slice(1)).size).toBe(1);
});

it.each<[string, (t: tf.Tensor) => InputSource]>([
  ['a list', (t) => [t]],
  ['a record', (t) => ({ hidden_input: t })],
  ['nested arrays', (t) => t.arraySync() as number[][]],
  ['a function of an array', (t) => () => t.arraySync() as number[][]],
])('takes inputs as %s', async (_, source) => {
  const given = x.slice([0], [2]);
  expect(await predictions([source(given)])).toEqual(await predictions([given]));
});

it('takes a recipe in place of a predictive', async () => {
  const predictive = weightSampling({ samples: 2, seed: 3 });
  const found = lastValueFrom(of(x).pipe(predict(model, posterior, { predictive })));
  expect([await found]).toEqual(await predictions([x], predictive));
});

it('reports each batch', async () => {
  const events: Progress[] = [];
  const options = { total: 2, onProgress: (event: Progress) => events.push(event) };
  await lastValueFrom(from([x, x]).pipe(predict(model, posterior, linearised(), options)));
  expect(events).toEqual([1, 2].map((done) => ({ phase: 'predict', done, total: 2, unit: 'batches' })));
});

describe('refuses', () => {
  it.each<[string, () => InputSource, Parameters<typeof expectRejection>[1], string]>([
    ['inputs of other width', () => tensor([2, 3], 1), 'InvalidInput', 'x'],
    ['no example', () => tf.zeros([0, INPUTS]), 'InvalidInput', 'x'],
    ['nothing', () => () => undefined as never, 'InvalidInput', 'x'],
    ['NaN', () => [[1, 2, 3, Number.NaN]], 'NotFinite', 'x'],
  ])('%s', async (_, bad, kind, field) => {
    await expectRejection(predictions([bad()]), kind, { field });
  });

  it('a posterior of other weights, another model, a disposed model', async () => {
    const other = withFixedWeights(chain(classes), 20);
    await expectRejection(predictions([x], linearised(), { model: other, posterior }), 'Mismatch', { field: 'fingerprint' });
    const layers = [tf.layers.dense({ units: 3, inputShape: [INPUTS], name: 'another', activation: 'softmax' })];
    await expectRejection(predictions([x], linearised(), { model: tf.sequential({ layers }), posterior }), 'Mismatch');
    other.dispose();
    await expectRejection(predictions([x], linearised(), { model: other, posterior }), 'InvalidModel');
  });

  it('to go on when the model is disposed half-way', async () => {
    const own = await trained(classes);
    const source = new Subject<InputSource>();
    const caught = rejection(lastValueFrom(source.pipe(predict(own.model, own.posterior))));
    source.next(own.x);
    await settled();
    own.model.dispose();
    source.next(own.x);
    await expectRejection(
      caught.then((error) => Promise.reject(error)),
      'InvalidModel',
    );
  });

  it('one sample where a variance is asked for', async () => {
    const own = await trained(pair('numbers'));
    await expectRejection(predictions([own.x], weightSampling({ samples: 1 }), own), 'InvalidOption', {
      field: 'predictive.samples',
    });
  });
});

describe('outputDistribution', () => {
  it('is the predictive before the link: its variances are the linearised ones', async () => {
    const own = await trained(pair('numbers'));
    const { mean, covariance } = await outputDistribution(own.model, own.posterior, own.x);
    const [prediction] = await predictions([own.x], linearised(), own);
    const { mean: f, epistemicVariance } = numbersOf([prediction as Prediction]) as Record<string, number[]>;
    const diagonal = covariance.flatMap((row) => [0, 4, 8].map((i) => row[i] as number));
    expect(
      distance(
        mean.flatMap((row) => [...row]),
        f as number[],
      ),
    ).toBeLessThan(1e-6);
    // Sums in another order: a few float32 roundings.
    expect(distance(diagonal, epistemicVariance as number[])).toBeLessThan(1e-5);
  });

  it('scales its covariance with the temperature', async () => {
    const [one, four] = [
      await outputDistribution(model, posterior, x),
      await outputDistribution(model, posterior, x, { temperature: 4 }),
    ];
    const flat = (rows: ReadonlyArray<Float32Array>) => rows.flatMap((row) => [...row]);
    expect(
      distance(
        flat(four.covariance).map((v) => v / 4),
        flat(one.covariance),
      ),
    ).toBeLessThan(1e-6);
  });

  it('refuses as predict does', async () => {
    await expectRejection(outputDistribution(model, posterior, tensor([2, 3], 1)), 'InvalidInput');
    await expectRejection(outputDistribution(withFixedWeights(chain(classes), 20), posterior, x), 'Mismatch');
    for (const temperature of [-1, Number.NaN, Infinity]) {
      await expectRejection(outputDistribution(model, posterior, x, { temperature }), 'InvalidOption', { field: 'temperature' });
    }
  });

  it('leaves nothing on the device', async () => {
    await expectNoLeak(() => outputDistribution(model, posterior, x));
    await expectNoLeak(() => rejection(outputDistribution(model, posterior, [[1, 2, 3]])));
  });
});
