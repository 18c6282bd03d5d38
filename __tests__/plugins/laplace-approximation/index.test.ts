/** The promise form: the numbers of the streams in the vocabulary of plain async functions. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  type Classification,
  categorical,
  fingerprint,
  gaussian,
  kfac,
  kfra,
  linearised,
  type Posterior,
  type Predictive,
  perOutput,
  predict,
  type Regression,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { defaultEngine } from 'tfjs-laplace/extend';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection, rejection } from '../../support/errors.js';
import { pass } from '../../support/factors.js';
import { headData, twoHeads } from '../../support/heads.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../../support/networks.js';
import { surface } from '../../support/training.js';

const classes = pair('classes, softmax inside');
const numbers = pair('numbers');
const { likelihood } = classes;

let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
});

const weightsOf = (model: tf.LayersModel): number[] => model.getWeights().flatMap((w) => Array.from(w.dataSync()));
const ARGS = { epochs: 2, batchSize: 4, shuffle: false } as const;

describe('fit', () => {
  it('leaves a trained model alone and computes the posterior of a pass', async () => {
    const model = chain(classes);
    const before = weightsOf(model);
    const laplace = laplaceApproximation(model, { likelihood });
    const posterior = await laplace.fit(data, { batchSize: 4 });
    expect(weightsOf(model)).toEqual(before);
    const factors = await pass(model, likelihood, data, kfac({ fisher: 'exact' }));
    expect(posterior).toEqual(await lastValueFrom(of(factors).pipe(toPosterior())));
    expect(laplace.posterior()).toBe(posterior);
    expect(await laplace.computePosterior(data, { batchSize: 4 })).toEqual(posterior);
  });

  it('trains a model that is not, with the callback', async () => {
    const [model, twin] = [chain(classes), chain(classes)];
    const before = weightsOf(model);
    const posterior = await laplaceApproximation(model, { likelihood, pretrained: false }).fit(data, ARGS);
    expect(weightsOf(model)).not.toEqual(before);
    const callback = laplaceCallback({ likelihood, curvature: kfac({ fisher: 'empirical' }) });
    await twin.fit(data.x, data.y, { ...ARGS, verbose: 0, callbacks: callback });
    expect(weightsOf(model)).toEqual(weightsOf(twin));
    expect(posterior).toEqual(await lastValueFrom(callback.factors$.pipe(toPosterior())));
    expect(posterior.fingerprint).toBe(await fingerprint(model));
  });

  it('takes curvature and the options of the posterior', async () => {
    const model = chain(classes);
    const posterior = { priorPrecision: 7, layers: 'last' } as const;
    const found = await laplaceApproximation(model, { likelihood, curvature: kfra(), posterior }).fit(data);
    const factors = await pass(model, likelihood, data, kfra(), 128);
    expect(found).toEqual(await lastValueFrom(of(factors).pipe(toPosterior(posterior))));
    const trained = await laplaceApproximation(model, { likelihood, curvature: kfac(), pretrained: false }).fit(data, ARGS);
    expect(trained.datasetSize).toBe(10);
  });

  it.each<[string, (seen: string[]) => unknown]>([
    ['one plain object', (seen) => ({ onEpochEnd: (epoch: number) => void seen.push(`epoch ${epoch}`) })],
    [
      'a list of plain objects',
      (seen) => [{ onEpochEnd: (epoch: number) => void seen.push(`epoch ${epoch}`) }, { onTrainEnd: () => {} }],
    ],
    ['an instance', (seen) => new tf.CustomCallback({ onEpochEnd: (epoch) => void seen.push(`epoch ${epoch}`) })],
    ['a list of instances', (seen) => [new tf.CustomCallback({ onEpochEnd: (epoch) => void seen.push(`epoch ${epoch}`) })]],
  ])('passes on callbacks: %s', async (_, callbacks) => {
    const seen: string[] = [];
    const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained: false });
    await laplace.fit(data, { ...ARGS, callbacks: callbacks(seen) as tf.CustomCallbackArgs });
    expect(seen).toEqual(['epoch 0', 'epoch 1']);
  });

  it('passes on early stopping', async () => {
    const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained: false });
    const callbacks = tf.callbacks.earlyStopping({ monitor: 'loss', minDelta: 1e9 });
    expect((await laplace.fit(data, { ...ARGS, epochs: 9, callbacks: callbacks as never })).datasetSize).toBe(10);
  });

  it('makes a pass when a callback of yours ends training before its last epoch', async () => {
    const model = chain(classes);
    const stop = { onEpochEnd: () => void Reflect.set(model, 'stopTraining', true) };
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false });
    const before = weightsOf(model);
    const posterior = await laplace.fit(data, { ...ARGS, epochs: 5, callbacks: stop });
    expect(weightsOf(model)).not.toEqual(before);
    const factors = await pass(model, likelihood, data, kfac({ fisher: 'exact' }));
    expect(posterior).toEqual(await lastValueFrom(of(factors).pipe(toPosterior())));
    // Training saw only a part of the data, which a pass would not know.
    const split = laplace.fit(data, { ...ARGS, epochs: 5, callbacks: stop, validationSplit: 0.2 });
    await expectRejection(split, 'Empty', { field: 'epochs' });
  });

  it('reads the weights that a callback of yours sets when training ends', async () => {
    const model = chain(classes);
    const own = chain(classes).getWeights();
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false });
    await laplace.fit(data, { ...ARGS, callbacks: { onTrainEnd: () => model.setWeights(own) } });
    expect(laplace.posterior()?.fingerprint).toBe(await fingerprint(model));
  });

  it("passes on tfjs's own arguments, and is silent unless asked", async () => {
    const model = chain(classes);
    const fit = jest.spyOn((model as unknown as { model: tf.LayersModel }).model, 'fit');
    const boom = new Error('not trained');
    fit.mockRejectedValue(boom);
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false });
    expect(await rejection(laplace.fit(data))).toBe(boom);
    expect(await rejection(laplace.fit(data, { ...ARGS, verbose: 1, initialEpoch: 1 }))).toBe(boom);
    expect(fit.mock.calls.map(([, , args]) => args?.verbose)).toEqual([0, 1]);
    expect(fit.mock.calls[1]?.[2]).toMatchObject({ ...ARGS, initialEpoch: 1 });
  });

  it.each([undefined, {}])(
    'lets the event loop have its turns while it trains, as tfjs does: callbacks %j',
    async (callbacks) => {
      let turns = 0;
      const timer = setInterval(() => {
        turns += 1;
      }, 0);
      try {
        const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained: false });
        await laplace.fit(data, { ...ARGS, epochs: 3, yieldEvery: 'batch', ...(callbacks === undefined ? {} : { callbacks }) });
        expect(turns).toBeGreaterThan(3);
      } finally {
        clearInterval(timer);
      }
    },
  );

  it('rejects with the error of training or of its data, and keeps the posterior that there was', async () => {
    const model = chain(classes);
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false });
    const before = await laplace.fit(data, ARGS);
    const boom = new Error('boom');
    const fail = () => {
      throw boom;
    };
    expect(await rejection(laplace.fit(data, { ...ARGS, callbacks: { onEpochEnd: fail } }))).toBe(boom);
    const bad = { x: data.x, y: tf.fill([10, 3], 2) };
    await expectRejection(laplace.fit(bad, ARGS), 'InvalidLabels');
    await expectRejection(laplace.computePosterior(bad), 'InvalidLabels');
    await expectRejection(laplace.computePosterior({ x: data.x, y: classes.labels(9) }), 'InvalidLabels');
    expect(laplace.posterior()).toBe(before);
  });

  it('rejects before training when the loss does not fit', async () => {
    const model = chain({ ...classes, loss: 'meanSquaredError' });
    await expectRejection(laplaceApproximation(model, { likelihood, pretrained: false }).fit(data, ARGS), 'LossMismatch');
  });

  it('leaves nothing patched', async () => {
    const model = chain(classes);
    await model.fit(data.x, data.y, { ...ARGS, verbose: 0 });
    const before = surface(model);
    await laplaceApproximation(model, { likelihood, pretrained: false }).fit(data, ARGS);
    expect(surface(model)).toEqual(before);
  });
});

describe('predict', () => {
  const fitted = async (p = classes) => {
    const model = chain(p);
    const own = dataOf(p, 10);
    const laplace = laplaceApproximation(model, { likelihood: p.likelihood });
    const posterior: Posterior = await laplace.fit(own);
    const streamed = (predictive: Predictive) => lastValueFrom(of(own.x).pipe(predict(model, posterior, predictive)));
    return { model, laplace, posterior, x: own.x, streamed };
  };

  it('gives the numbers of the stream, whichever the predictive', async () => {
    const { laplace, x, streamed } = await fitted();
    expect(await laplace.predict(x)).toMatchObject(await streamed(linearised()));
    expect(await laplace.predict(x, { temperature: 0.5 })).toMatchObject(await streamed(linearised({ temperature: 0.5 })));
    const sampled = { samples: 5, temperature: 0.5, seed: 3 };
    expect(await laplace.predict(x, sampled)).toMatchObject(await streamed(activationSampling(sampled)));
    expect(await laplace.predict(x, { predictive: weightSampling(sampled) })).toMatchObject(
      await streamed(weightSampling(sampled)),
    );
  });

  it('has predictive entropy as the uncertainty of classes', async () => {
    const { laplace, x } = await fitted();
    const { probabilities, entropy, uncertainty } = (await laplace.predict(x)) as Classification & { uncertainty: Float32Array };
    expect(uncertainty).toEqual(entropy);
    probabilities.forEach((row, b) => {
      const expected = row.reduce((sum, p) => sum - p * Math.log(p), 0);
      // Probabilities in float32 on the way.
      expect(uncertainty[b]).toBeCloseTo(expected, 5);
    });
  });

  it('has the total standard deviation as the uncertainty of numbers', async () => {
    const { laplace, x } = await fitted(numbers);
    const { totalVariance, uncertainty } = (await laplace.predict(x)) as Regression & { uncertainty: Float32Array };
    expect(Array.from(uncertainty, (u) => u ** 2)).toEqual(
      totalVariance.map((row) => expect.closeTo((row as Float32Array).reduce((a, b) => a + b, 0) / 3, 4)),
    );
  });

  it('cuts its inputs into batches, which changes nothing', async () => {
    const { laplace, x } = await fitted();
    const [whole, cut] = [await laplace.predict(x), await laplace.predict(x, { batchSize: 3 })] as Classification[];
    expect((cut as Classification).probabilities).toHaveLength(10);
    (cut as Classification).probabilities.forEach((row, b) => {
      // Products of other heights may round otherwise.
      row.forEach((p, c) => expect(p).toBeCloseTo((whole as Classification).probabilities[b]?.[c] as number, 5));
    });
  });

  it('rejects before there is a posterior, and inputs that do not fit', async () => {
    const laplace = laplaceApproximation(chain(classes), { likelihood });
    await expectRejection(laplace.predict(data.x), 'NotReady');
    await expectRejection(laplace.sampleModels(), 'NotReady');
    expect(laplace.posterior()).toBeUndefined();
    await laplace.fit(data);
    await expectRejection(laplace.predict(tensor([2, 3], 1)), 'InvalidInput');
    await expectRejection(laplace.predict(tf.zeros([0, INPUTS])), 'InvalidInput', { field: 'x' });
    await expectRejection(laplace.predict(data.x, { samples: 0 }), 'InvalidOption');
    await expectRejection(laplace.predict(data.x, { batchSize: 0 }), 'InvalidOption', { field: 'batchSize' });
  });

  it('rejects once the weights have moved on', async () => {
    const { laplace, model } = await fitted();
    await model.fit(data.x, data.y, { ...ARGS, verbose: 0 });
    await expectRejection(laplace.predict(data.x), 'Mismatch');
    await laplace.computePosterior(data);
    expect(await laplace.predict(data.x)).toMatchObject({ _tag: 'classification' });
  });

  it('draws the networks of the stream', async () => {
    const { laplace, model, posterior } = await fitted();
    const options = { temperature: 0.5, seed: 4 };
    const found = await laplace.sampleModels(3, options);
    const expected = await lastValueFrom(from([posterior]).pipe(sampleModels(model, { samples: 3, ...options }), toArray()));
    expect(found.map(weightsOf)).toEqual(expected.map(weightsOf));
    expect(await laplace.sampleModels()).toHaveLength(10);
  });
});

describe('verbose', () => {
  it('prints what is done and how far it is, and nothing unless asked', async () => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const model = chain(classes);
    const quiet = laplaceApproximation(model, { likelihood, log });
    await quiet.fit(data, { batchSize: 4 });
    await quiet.predict(data.x);
    expect(lines).toEqual([]);
    const laplace = laplaceApproximation(model, { likelihood, verbose: true, log });
    await laplace.fit(data, { batchSize: 4 });
    expect(lines).toEqual([
      'observe: 1 of 3 batches',
      'observe: 2 of 3 batches',
      'observe: 3 of 3 batches',
      `decompose: 0 of 2 layers (engine: ${defaultEngine().name})`,
      'decompose: 1 of 2 layers (hidden)',
      'decompose: 2 of 2 layers (outputs)',
      'posterior over hidden, outputs for 10 examples',
    ]);
    lines.length = 0;
    await laplace.predict(data.x, { batchSize: 5 });
    expect(lines).toEqual(['predict: 1 of 2 batches', 'predict: 2 of 2 batches']);
  });

  it('prints of training too', async () => {
    const lines: string[] = [];
    const options = { likelihood, pretrained: false, verbose: true, log: (line: string) => void lines.push(line) };
    await laplaceApproximation(chain(classes), options).fit(data, { ...ARGS, epochs: 1 });
    expect(lines.slice(0, 3)).toEqual([1, 2, 3].map((batch) => `observe: ${batch} batches (epoch 1)`));
  });

  it('is switched on and off', async () => {
    const lines: string[] = [];
    const laplace = laplaceApproximation(chain(classes), { likelihood, log: (line) => void lines.push(line) });
    expect(laplace.toggleVerbose()).toBe(true);
    await laplace.fit(data);
    expect(lines.length).toBeGreaterThan(2);
    expect(laplace.toggleVerbose()).toBe(false);
    const { length } = lines;
    await laplace.fit(data);
    expect(lines).toHaveLength(length);
    expect([lines[0], lines.at(-1)]).toEqual(['Verbose: on', 'Verbose: off']);
  });

  it('goes to the console by default', async () => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => {});
    try {
      laplaceApproximation(chain(classes), { likelihood: gaussian() }).toggleVerbose();
      expect(log).toHaveBeenCalledWith('Verbose: on');
    } finally {
      log.mockRestore();
    }
  });
});

it('leaves nothing on the device but the networks that it hands out', async () => {
  const model = chain(classes);
  const laplace = laplaceApproximation(model, { likelihood });
  await expectNoLeak(() => laplace.fit(data));
  await expectNoLeak(() => laplace.predict(data.x, { batchSize: 3 }));
  await expectNoLeak(() => laplace.predict(data.x, { samples: 2 }));
  await expectNoLeak(async () => {
    for (const member of await laplace.sampleModels(3)) member.dispose();
  });
  const training = laplaceApproximation(model, { likelihood, pretrained: false });
  await expectNoLeak(() => training.fit(data, ARGS));
  const wrong = tensor([2, 3], 1);
  await expectNoLeak(() => rejection(training.predict(wrong)));
});

describe('several outputs', () => {
  const heads = () => {
    const { model } = twoHeads();
    model.compile({ optimizer: tf.train.sgd(0.01), loss: ['sparseCategoricalCrossentropy', 'meanSquaredError'] });
    return model;
  };
  const ofEach = perOutput({ digit: categorical(), angle: gaussian() });

  it('trains, and gives a prediction with an uncertainty for each', async () => {
    const both = headData(twoHeads().model, 10);
    const columns = { x: both.x, y: { digit: tf.expandDims(both.y.digit, 1), angle: both.y.angle } };
    const laplace = laplaceApproximation(heads(), { likelihood: ofEach, pretrained: false });
    const posterior = await laplace.fit(columns, { epochs: 2, batchSize: 4 });
    expect(posterior.datasetSize).toBe(10);
    const { outputs } = await laplace.predict(columns.x, { batchSize: 3 });
    expect(outputs.digit.uncertainty).toBe(outputs.digit.entropy);
    expect([outputs.digit.probabilities.length, outputs.angle.mean.length, outputs.angle.uncertainty.length]).toEqual([
      10, 10, 10,
    ]);
    const once = await laplace.predict(columns.x);
    expect(Array.from(outputs.angle.uncertainty)).toEqual(
      Array.from(once.outputs.angle.uncertainty, (v) => expect.closeTo(v, 5)),
    );
  });
});
