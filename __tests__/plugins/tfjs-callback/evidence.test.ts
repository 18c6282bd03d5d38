/** Training under empirical Bayes: the prior enters the gradient as it should, the optimum is the known one, and the best weights stay. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, of, toArray } from 'rxjs';
import {
  categorical,
  evidence,
  fingerprint,
  gaussian,
  kfac,
  linearised,
  maximiseEvidence,
  orThrow,
  perOutput,
  poisson,
  predict,
  toPosterior,
} from 'tfjs-laplace';
import { type EvidenceCallbackOptions, evidenceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import reference from '../../posterior/reference/bayesianRidge.json' with { type: 'json' };
import { expectRefusal, expectRejection } from '../../support/errors.js';
import { pass } from '../../support/factors.js';
import { expectNoLeak, leftBehind } from '../../support/memory.js';
import { chain, dataOf, pair } from '../../support/networks.js';
import { datasetOf, surface } from '../../support/training.js';

const number = pair('a number');
const classes = pair('classes, softmax inside');

/** y = x w, without a bias. */
function linear(inputs: number, optimizer: tf.Optimizer): tf.Sequential {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [inputs], useBias: false, name: 'line' })] });
  model.compile({ optimizer, loss: 'meanSquaredError' });
  tf.tidy(() => model.setWeights([tf.fill([inputs, 1], 0.5)]));
  return model;
}

const weightsOf = (model: tf.LayersModel): number[] => model.getWeights().flatMap((w) => Array.from(w.dataSync()));

const trained = async (
  model: tf.LayersModel,
  data: { x: tf.Tensor; y: tf.Tensor },
  options: EvidenceCallbackOptions,
  epochs: number,
) => {
  const callback = evidenceCallback(options);
  const fit = { epochs, batchSize: data.x.shape[0] as number, shuffle: false, verbose: 0 };
  const { history } = await model.fit(data.x, data.y, { ...fit, callbacks: callback });
  const found = await lastValueFrom(callback.evidence$.pipe(toArray()));
  return { history, found, posterior: await lastValueFrom(callback.posterior$) };
};

describe('a linear regression', () => {
  const [{ x: X, y, weights, noiseVariance, priorPrecision, logMarginalLikelihood }] = reference as [(typeof reference)[0]];
  const [N, d] = [X.length, X[0]?.length as number];
  let data: { x: tf.Tensor; y: tf.Tensor };
  beforeAll(() => {
    data = { x: tf.tensor2d(X), y: tf.tensor2d(y, [N, 1]) };
  });

  it('takes a step down the loss and the prior: ∇ mean (f − y)² + 2 σ² τ W / N', async () => {
    const [rate, tau, noise] = [0.1, 7, 0.4];
    const model = linear(d, tf.train.sgd(rate));
    const options = { likelihood: gaussian({ noiseVariance: noise }), burnIn: 1, priorPrecision: tau } as const;
    const callback = evidenceCallback(options);
    const log = await model.fit(data.x, data.y, { epochs: 1, batchSize: N, shuffle: false, verbose: 0, callbacks: callback });
    const residuals = X.map((row, i) => row.reduce((sum, v) => sum + 0.5 * v, 0) - (y[i] as number));
    const factor = (2 * noise * tau) / N;
    const expected = Array.from({ length: d }, (_, j) => {
      const slope = X.reduce((sum, row, i) => sum + 2 * (row[j] as number) * (residuals[i] as number), 0) / N;
      return 0.5 - rate * (slope + factor * 0.5);
    });
    // float32
    weightsOf(model).forEach((w, j) => expect(w).toBeCloseTo(expected[j] as number, 6));
    const loss = residuals.reduce((sum, e) => sum + e * e, 0) / N + 0.5 * factor * d * 0.25;
    expect(log.history.loss?.[0]).toBeCloseTo(loss, 4);
  });

  it.each([
    ['exact', 1],
    ['exact', 9],
  ] as const)(
    'ends where scikit-learn’s BayesianRidge ends, with the %s Fisher matrix and σ² = %d at the start',
    async (fisher, start) => {
      const model = linear(d, tf.train.sgd(0.2));
      const { found, posterior } = await trained(
        model,
        data,
        { likelihood: gaussian({ noiseVariance: start }), curvature: kfac({ fisher }), every: 5, priorPrecision: 20 },
        200,
      );
      const last = found.at(-1);
      // The log-likelihood, a sum in float32, is known to 2e-6. The evidence is flat at its maximum: the best epoch is one whose weights
      // are within √(4e-6 / curvature) = 2e-4 of the optimum, where the curvature is about N / σ² = 120.
      expect((last?.noiseVariance as number) / noiseVariance).toBeCloseTo(1, 3);
      expect((posterior.layers[0]?.priorPrecision as number) / priorPrecision).toBeCloseTo(1, 3);
      expect((last?.evidence.logMarginalLikelihood as number) / logMarginalLikelihood).toBeCloseTo(1, 4);
      weightsOf(model).forEach((w, j) => expect(w).toBeCloseTo(weights[j] as number, 3));
    },
  );

  it('keeps its noise variance if that is fixed: the weights are those of ridge regression', async () => {
    const model = linear(d, tf.train.sgd(0.2));
    const options = { likelihood: gaussian({ noiseVariance: 0.3 }), noise: 'fixed', every: 5 } as const;
    const { found, posterior } = await trained(model, data, options, 200);
    expect(found.every((one) => one.noiseVariance === undefined)).toBe(true);
    expect(posterior.likelihood).toEqual(gaussian({ noiseVariance: 0.3 }));
    const tau = posterior.layers[0]?.priorPrecision as number;
    // (XᵀX + σ² τ) w = Xᵀ y
    weightsOf(model).forEach((_, i) => {
      const row = weightsOf(model).reduce(
        (sum, w, j) => sum + w * X.reduce((s, own) => s + (own[i] as number) * (own[j] as number), i === j ? 0.3 * tau : 0),
        0,
      );
      expect(row).toBeCloseTo(
        X.reduce((s, own, n) => s + (own[i] as number) * (y[n] as number), 0),
        3,
      );
    });
  });
});

it('evaluates every k-th epoch after the burn-in, and the last one; history has the same numbers', async () => {
  const { found, history } = await trained(
    chain(number),
    dataOf(number, 10),
    { likelihood: number.likelihood, burnIn: 3, every: 2 },
    8,
  );
  expect(found.map(({ epoch }) => epoch)).toEqual([4, 6, 7]);
  expect(history.logMarginalLikelihood).toEqual(found.map((one) => one.evidence.logMarginalLikelihood));
});

it('has the evidence of a pass over the data at the same weights, maximised', async () => {
  const data = dataOf(classes, 10);
  const model = chain(classes);
  const { found, posterior } = await trained(model, data, { likelihood: classes.likelihood, per: 'layer' }, 1);
  const own = await lastValueFrom(of(await pass(model, classes.likelihood, data, kfac(), 10)).pipe(toPosterior()));
  const expected = orThrow(maximiseEvidence(own, { per: 'layer' }));
  // The batch is the data set, observed right after the update.
  expect(found[0]?.evidence.logMarginalLikelihood).toBeCloseTo(expected.evidence.logMarginalLikelihood, 4);
  expect(Object.keys(found[0]?.effectiveParameters ?? {})).toEqual(own.layers.map(({ name }) => name));
  expect(posterior.fingerprint).toBe(own.fingerprint);
  expect(found[0]).not.toHaveProperty('noiseVariance');
});

describe('the best weights', () => {
  /** Training that gets worse: a rate at which the weights run away. */
  const worse = async (options: Partial<EvidenceCallbackOptions> = {}, epochs = 6) => {
    const model = linear(4, tf.train.sgd(0.9));
    const data = { x: tf.tensor2d(reference[0]?.x as number[][]), y: tf.tensor2d(reference[0]?.y as number[], [20, 1]) };
    const seen: number[][] = [];
    const callback = evidenceCallback({ likelihood: gaussian(), ...options });
    const watch = new tf.CustomCallback({
      onEpochEnd: () => {
        seen.push(weightsOf(model));
      },
    });
    await model.fit(data.x, data.y, { epochs, batchSize: 20, shuffle: false, verbose: 0, callbacks: [watch, callback] });
    return { model, data, seen, callback, found: await lastValueFrom(callback.evidence$.pipe(toArray())) };
  };

  it('are in the model when training has ended, with their posterior', async () => {
    const { model, data, seen, callback, found } = await worse();
    const evidences = found.map((one) => one.evidence.logMarginalLikelihood);
    const best = evidences.indexOf(Math.max(...evidences));
    expect(best).toBeLessThan(5);
    expect(weightsOf(model)).toEqual(seen[best]);
    expect(found.filter(({ isBest }) => isBest).at(-1)?.epoch).toBe(best);
    const posterior = await lastValueFrom(callback.posterior$);
    expect(posterior.fingerprint).toBe(await fingerprint(model));
    expect(evidence(posterior)).toEqual(found[best]?.evidence);
    const prediction = await lastValueFrom(of(data.x).pipe(predict(model, posterior, linearised())));
    expect(prediction._tag).toBe('regression');
  });

  it('end training after as many evaluations without a better one as patience says', async () => {
    const { found } = await worse({ patience: 2 }, 40);
    const evidences = found.map((one) => one.evidence.logMarginalLikelihood);
    expect(found).toHaveLength(evidences.indexOf(Math.max(...evidences)) + 3);
    expect(found.length).toBeLessThan(40);
  });
});

it('stands for the whole data set in an epoch that is cut short', async () => {
  const model = chain(number);
  const data = dataOf(number, 10);
  const callback = evidenceCallback({ likelihood: number.likelihood });
  let batches = 0;
  const stop = new tf.CustomCallback({
    onBatchEnd: () => {
      model.stopTraining = ++batches === 4;
    },
  });
  await model.fit(data.x, data.y, { epochs: 3, batchSize: 4, shuffle: false, verbose: 0, callbacks: [stop, callback] });
  const found = await lastValueFrom(callback.evidence$.pipe(toArray()));
  expect(found.map(({ epoch }) => epoch)).toEqual([0, 1]);
  expect((await lastValueFrom(callback.posterior$)).datasetSize).toBe(10);
});

it('takes a dataset whose size is given', async () => {
  const callback = evidenceCallback({ likelihood: number.likelihood, datasetSize: 10 });
  const model = chain(number);
  await model.fitDataset(datasetOf(dataOf(number, 10), 4) as never, { epochs: 2, verbose: 0, callbacks: callback });
  expect((await lastValueFrom(callback.posterior$)).datasetSize).toBe(10);
});

describe('refuses', () => {
  const train = (model: tf.LayersModel, options: EvidenceCallbackOptions) => {
    const callback = evidenceCallback(options);
    const own = dataOf(number, 10);
    return { callback, fitting: model.fit(own.x, own.y, { epochs: 1, verbose: 0, callbacks: callback }) };
  };

  it('options that no model suits', () => {
    expectRefusal(() => evidenceCallback({ likelihood: gaussian(), every: 0 }), 'every');
    expectRefusal(() => evidenceCallback({ likelihood: gaussian(), burnIn: 0.5 }), 'burnIn');
    expectRefusal(() => evidenceCallback({ likelihood: categorical(), noise: 'estimated' }), 'noise');
    expectRefusal(() => evidenceCallback({ likelihood: gaussian(), steps: 10 } as never), 'steps');
  });

  it('a dataset of unknown size, a loss of one’s own, a loss of another likelihood, before anything is patched', async () => {
    const model = chain(number);
    await train(model, { likelihood: number.likelihood }).fitting;
    const before = surface(model);
    const callback = evidenceCallback({ likelihood: number.likelihood });
    const fitting = model.fitDataset(datasetOf(dataOf(number, 10), 4) as never, { epochs: 1, verbose: 0, callbacks: callback });
    await expectRejection(fitting, 'InvalidOption', { field: 'datasetSize' });
    await expectRejection(lastValueFrom(callback.posterior$), 'InvalidOption', { field: 'datasetSize' });
    await expectRejection(train(model, { likelihood: poisson() }).fitting, 'LossMismatch');
    expect(surface(model)).toEqual(before);
    const own = chain(number);
    own.compile({ optimizer: 'sgd', loss: (a: tf.Tensor, b: tf.Tensor) => tf.mean(tf.square(tf.sub(a, b)), -1) as tf.Scalar });
    await expectRejection(train(own, { likelihood: number.likelihood }).fitting, 'LossMismatch', { field: 'loss' });
    await expectRejection(train(model, { likelihood: perOutput({ a: gaussian() }) }).fitting, 'InvalidModel');
  });

  it('nothing in the end if no epoch was evaluated, but says so', async () => {
    const { callback, fitting } = train(chain(number), { likelihood: number.likelihood, burnIn: 1 });
    await fitting;
    await expectRejection(lastValueFrom(callback.posterior$), 'Empty', { field: 'burnIn' });
  });
});

describe('leaves nothing behind', () => {
  let model: tf.LayersModel;
  let data: { x: tf.Tensor; y: tf.Tensor };
  beforeAll(() => {
    model = chain(number);
    data = dataOf(number, 10);
  });
  const run = async (wrong?: tf.CustomCallback) => {
    const callback = evidenceCallback({ likelihood: number.likelihood });
    const callbacks = wrong === undefined ? [callback] : [wrong, callback];
    const fitting = model.fit(data.x, data.y, { epochs: 3, batchSize: 4, verbose: 0, callbacks });
    if (wrong === undefined) await fitting;
    else await expect(fitting).rejects.toThrow('boom');
    return callback;
  };

  it('on the model and on the device after training', async () => {
    await run();
    const before = surface(model);
    await expectNoLeak(run);
    expect(surface(model)).toEqual(before);
  });

  it('after an error in the third epoch, beside what tfjs itself leaves', async () => {
    const boom = () =>
      new tf.CustomCallback({
        onEpochBegin: (epoch) => {
          if (epoch === 2) throw new Error('boom');
        },
      });
    const alone = () => model.fit(data.x, data.y, { epochs: 3, batchSize: 4, verbose: 0, callbacks: boom() }).catch(() => {});
    await alone();
    const before = surface(model);
    const plain = await leftBehind(alone);
    expect(await leftBehind(() => run(boom()), plain.tensors)).toEqual(plain);
    expect(surface(model)).toEqual(before);
    await expectRejection(lastValueFrom((await run(boom())).posterior$), 'NotReady');
  });

  it('after an estimate that fails: training goes on, and the streams say why', async () => {
    const flat = linear(2, tf.train.sgd(0));
    tf.tidy(() => flat.setWeights([tf.zeros([2, 1])]));
    await expectNoLeak(async () => {
      const callback = evidenceCallback({ likelihood: gaussian() });
      const [x, y] = [tf.ones([4, 2]), tf.ones([4, 1])];
      await flat.fit(x, y, { epochs: 2, verbose: 0, callbacks: callback });
      await expectRejection(lastValueFrom(callback.evidence$), 'InvalidInput', { field: 'mean' });
      await expectRejection(lastValueFrom(callback.posterior$), 'InvalidInput', { field: 'mean' });
      tf.dispose([x, y]);
    });
  });
});
