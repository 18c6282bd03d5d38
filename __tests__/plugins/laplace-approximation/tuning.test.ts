/** Validation data in the promise form: the posterior of `tune`, its predictive, what is refused, and what is said of it. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  batches,
  type Classification,
  kfac,
  type Likelihood,
  linearised,
  type Posterior,
  type Predictive,
  predict,
  sampleModels,
  type Tuning,
  type TuningInput,
  toPosterior,
  tune,
} from 'tfjs-laplace';
import {
  type Data,
  type FitArgs,
  laplaceApproximation,
  type PosteriorArgs,
  type PredictArgs,
} from 'tfjs-laplace/plugins/laplace-approximation';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { type SmallDigits, smallDigits, trainedOn } from '../../../bench/digits.js';
import { expectRejection } from '../../support/errors.js';
import { pass } from '../../support/factors.js';
import { flat, nested } from '../../support/forms.js';
import { inputsFor, chain as network } from '../../support/math/networks.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../../support/networks.js';
import { holds, type Same } from '../../support/types.js';

const classes = pair('classes, softmax inside');
const numbers = pair('numbers');
const { likelihood } = classes;

let data: { x: tf.Tensor; y: tf.Tensor };
let validation: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  data = dataOf(classes, 10);
  validation = { x: tensor([9, INPUTS], 31), y: classes.labels(9) };
});

/** What TypeScript refuses. */
const wrong = (value: unknown): never => value as never;
const ARGS = { epochs: 2, batchSize: 4, shuffle: false } as const;
const FEW: TuningInput = { precisions: [0.1, 1, 10] };
const weightsOf = (model: tf.LayersModel): number[] => model.getWeights().flatMap((w) => Array.from(w.dataSync()));

/** The posterior of a pass in batches of four, tuned by hand. */
async function byHand(
  model: tf.LayersModel,
  of: Likelihood,
  on: { x: tf.Tensor; y: tf.Tensor },
  held: { x: tf.Tensor; y: tf.Tensor },
  tuning?: TuningInput,
): Promise<{ untuned: Posterior; tuned: Tuning }> {
  const factors = await pass(model, of, on, kfac({ fisher: 'exact' }));
  const untuned = await lastValueFrom(from([factors]).pipe(toPosterior()));
  return { untuned, tuned: await tune(model, untuned, batches(held, 4), tuning) };
}

describe('fit and computePosterior', () => {
  it.each<[string, TuningInput | undefined]>([
    ['by default', undefined],
    ['as the option says', { criterion: 'brier', rule: 'best', precisions: [0.1, 1, 10] }],
    ['the temperature too', { over: ['precision', 'temperature'], precisions: [0.5, 5] }],
  ])('tune the posterior of a pass: %s', async (_, tuning) => {
    const model = chain(classes);
    const { tuned } = await byHand(model, likelihood, data, validation, tuning);
    const laplace = laplaceApproximation(model, { likelihood, tuning });
    const posterior = await laplace.fit(data, { batchSize: 4, validation });
    expect(posterior).toEqual(tuned.posterior);
    expect(laplace.posterior()).toBe(posterior);
    expect(laplace.tuning()).toEqual(tuned);
    expect(await laplace.computePosterior(data, { batchSize: 4, validation })).toEqual(posterior);
  });

  it('choose the noise variance of numbers, with which predictions are made', async () => {
    const [model, on] = [chain(numbers), dataOf(numbers, 10)];
    const held = { x: tensor([9, INPUTS], 31), y: numbers.labels(9) };
    const { tuned } = await byHand(model, numbers.likelihood, on, held);
    const laplace = laplaceApproximation(model, { likelihood: numbers.likelihood });
    expect(await laplace.fit(on, { batchSize: 4, validation: held })).toEqual(tuned.posterior);
    const expected = await lastValueFrom(of(on.x).pipe(predict(model, tuned.posterior, tuned.predictive)));
    expect(await laplace.predict(on.x)).toMatchObject(expected);
  });

  it('train first, and hand no validation data to tfjs, whose own keep their meaning', async () => {
    const [model, twin] = [chain(classes), chain(classes)];
    const logs: Array<ReadonlyArray<string>> = [];
    const onEpochEnd = (_: number, own?: tf.Logs): void => void logs.push(Object.keys(own ?? {}));
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false, tuning: FEW });
    const posterior = await laplace.fit(data, { ...ARGS, callbacks: { onEpochEnd }, validation });
    const callback = laplaceCallback({ likelihood, curvature: kfac({ fisher: 'empirical' }) });
    await twin.fit(data.x, data.y, { ...ARGS, verbose: 0, callbacks: callback });
    const untuned = await lastValueFrom(callback.factors$.pipe(toPosterior()));
    expect(posterior).toEqual((await tune(twin, untuned, batches(validation, 4), FEW)).posterior);
    expect(logs.flat()).not.toContain('val_loss');
    const { datasetSize } = await laplace.fit(data, { ...ARGS, callbacks: { onEpochEnd }, validation, validationSplit: 0.2 });
    expect(datasetSize).toBe(8);
    await laplace.fit(data, { ...ARGS, callbacks: { onEpochEnd }, validation, validationData: [data.x, data.y] });
    expect(logs.filter((names) => names.includes('val_loss'))).toHaveLength(2 * ARGS.epochs);
  });

  it('take arrays', async () => {
    const model = chain(classes);
    const laplace = laplaceApproximation(model, { likelihood, tuning: FEW });
    const posterior = await laplace.computePosterior(data, { validation });
    const arrays = { x: flat(validation.x), y: nested(validation.y) };
    expect(await laplace.computePosterior(data, { validation: arrays })).toEqual(posterior);
  });

  it('forget the tuning of another posterior', async () => {
    const model = chain(classes);
    const laplace = laplaceApproximation(model, { likelihood });
    expect(laplace.tuning()).toBeUndefined();
    await laplace.fit(data, { validation });
    expect(laplace.tuning()).toBeDefined();
    const posterior = await laplace.fit(data);
    expect(laplace.tuning()).toBeUndefined();
    const expected = await lastValueFrom(of(data.x).pipe(predict(model, posterior, linearised())));
    expect(await laplace.predict(data.x)).toMatchObject(expected);
  });
});

describe('predict and sampleModels', () => {
  const tuning: TuningInput = { over: ['scale', 'temperature'] };
  const fitted = async () => {
    const model = chain(classes);
    const laplace = laplaceApproximation(model, { likelihood, tuning });
    await laplace.fit(data, { batchSize: 4, validation });
    const { posterior, predictive } = laplace.tuning() as Tuning;
    return { model, laplace, posterior, predictive };
  };

  it('take the tuned predictive, and what an argument says in its place', async () => {
    const { model, laplace, posterior, predictive } = await fitted();
    const { temperature, scale } = predictive as { temperature: number; scale: number };
    for (const own of [temperature, scale]) expect(Math.abs(own - 1)).toBeGreaterThan(0.01);
    const cases: ReadonlyArray<[PredictArgs | undefined, Predictive]> = [
      [undefined, predictive],
      [{ temperature: 0.25 }, linearised({ scale, temperature: 0.25 })],
      [{ samples: 4, seed: 3 }, activationSampling({ samples: 4, seed: 3, temperature })],
      [{ samples: 4, temperature: 2 }, activationSampling({ samples: 4, temperature: 2 })],
      [{ predictive: 'linearised' }, linearised()],
    ];
    for (const [args, expected] of cases) {
      const streamed = await lastValueFrom(of(data.x).pipe(predict(model, posterior, expected)));
      expect(await laplace.predict(data.x, args)).toMatchObject(streamed);
    }
  });

  it('draw networks from the tuned posterior at the tuned temperature', async () => {
    const { model, laplace, posterior, predictive } = await fitted();
    for (const temperature of [undefined, 0.5]) {
      const found = await laplace.sampleModels(2, { seed: 4, temperature });
      const options = { samples: 2, seed: 4, temperature: temperature ?? predictive.temperature };
      const expected = await lastValueFrom(of(posterior).pipe(sampleModels(model, options), toArray()));
      expect(found.map(weightsOf)).toEqual(expected.map(weightsOf));
    }
  });
});

describe('refused', () => {
  const cases = (): ReadonlyArray<[string, unknown, string, string]> => [
    ['inputs of another shape', { x: tensor([9, INPUTS + 1], 1), y: validation.y }, 'InvalidInput', 'validation.x'],
    ['labels of another shape', { x: validation.x, y: tf.zeros([9, 2]) }, 'InvalidLabels', 'validation.y'],
    ['fewer labels', { x: validation.x, y: classes.labels(8) }, 'InvalidLabels', 'validation.y'],
    ['a disposed tensor', { x: disposed(), y: validation.y }, 'InvalidInput', 'validation.x'],
    ['weights', { ...validation, weights: [1] }, 'InvalidOption', 'validation.weights'],
    ['no labels', { x: validation.x }, 'InvalidOption', 'validation.y'],
    ['a pair of tensors', [validation.x, validation.y], 'InvalidOption', 'validation'],
    ['one example', { x: tensor([1, INPUTS], 1), y: classes.labels(1) }, 'Empty', 'validation'],
  ];
  const disposed = (): tf.Tensor => {
    const t = tensor([9, INPUTS], 1);
    t.dispose();
    return t;
  };

  it('is what does not fit, before anything is trained', async () => {
    const model = chain(classes);
    const before = weightsOf(model);
    const laplace = laplaceApproximation(model, { likelihood, pretrained: false });
    for (const [name, held, kind, field] of cases()) {
      const args = { ...ARGS, validation: wrong(held) };
      const error = await expectRejection(laplace.fit(data, args), kind as 'Empty', { field });
      expect([name, error.message]).toEqual([name, expect.stringContaining('validation')]);
      await expectRejection(laplace.computePosterior(data, { validation: wrong(held) }), kind as 'Empty', { field });
    }
    expect(weightsOf(model)).toEqual(before);
    expect(laplace.posterior()).toBeUndefined();
  });

  it('is a tuning without validation data, which would do nothing', async () => {
    for (const pretrained of [true, false]) {
      const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained, tuning: { rule: 'best' } });
      const error = await expectRejection(laplace.fit(data), 'InvalidOption', { field: 'validation' });
      expect(error.remedy).toContain('fit(data, { validation: { x, y } })');
      expect(error.remedy).toContain('validationSplit tune nothing');
      await expectRejection(laplace.computePosterior(data), 'InvalidOption', { field: 'validation' });
    }
  });

  it.each<[string, unknown, string]>([
    ['a rule in its place', 'best', 'tuning: found "best", expected a tuning'],
    ['an unknown rule', { rule: 'bets' }, 'tuning.rule: found "bets"'],
    ['an unknown key', { criteria: 'nll' }, "did you mean 'criterion'?"],
  ])('is a tuning that is none, at the call: %s', (_, tuning, message) => {
    const call = () => laplaceApproximation(chain(classes), { likelihood, tuning: wrong(tuning) });
    expect(call).toThrow(expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining(message) }));
  });

  it('is what only tune can see, and the posterior that there was is kept', async () => {
    const laplace = laplaceApproximation(chain(classes), { likelihood });
    const before = await laplace.fit(data, { validation });
    const tuning = laplace.tuning();
    const outOfRange = { x: validation.x, y: tf.fill([9, 3], 2) };
    await expectRejection(laplace.fit(data, { validation: outOfRange }), 'InvalidLabels', { field: 'y' });
    expect([laplace.posterior(), laplace.tuning()]).toEqual([before, tuning]);
    const unsuited = laplaceApproximation(chain(classes), { likelihood, tuning: { criterion: 'crps' } });
    await expectRejection(unsuited.fit(data, { validation }), 'InvalidOption', { field: 'criterion' });
    expect([unsuited.posterior(), unsuited.tuning()]).toEqual([undefined, undefined]);
  });

  it('leaves nothing on the device', async () => {
    const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained: false });
    for (const [, held, kind] of cases()) {
      const args = { ...ARGS, validation: wrong(held) };
      await expectNoLeak(() => expectRejection(laplace.fit(data, args), kind as 'Empty'));
    }
    const unsuited = laplaceApproximation(chain(classes), { likelihood, tuning: { criterion: 'crps' } });
    await expectNoLeak(() => expectRejection(unsuited.fit(data, { validation }), 'InvalidOption'));
  });
});

it('leaves nothing on the device', async () => {
  const model = chain(classes);
  const arrays = { x: flat(validation.x), y: nested(validation.y) };
  const laplace = laplaceApproximation(model, { likelihood, tuning: FEW });
  await expectNoLeak(() => laplace.fit(data, { validation }));
  await expectNoLeak(() => laplace.computePosterior(data, { validation: arrays }));
  await expectNoLeak(() => laplace.predict(data.x));
  const training = laplaceApproximation(model, { likelihood, tuning: FEW, pretrained: false });
  await expectNoLeak(() => training.fit(data, { ...ARGS, validation }));
});

it('prints how tuning goes on, and what it found', async () => {
  const lines: string[] = [];
  const options = { likelihood, verbose: true, log: (line: string) => void lines.push(line) };
  const laplace = laplaceApproximation(chain(classes), { ...options, tuning: FEW });
  await laplace.fit(data, { batchSize: 4, validation });
  const { chosen, network: own, verdict } = laplace.tuning() as Tuning;
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  // A slow machine has time to tell of the first candidates too.
  const told = lines.filter((line) => !/^predict: [12] candidates$/.test(line));
  expect(told.slice(told.indexOf('posterior over hidden, outputs for 10 examples'))).toEqual([
    'posterior over hidden, outputs for 10 examples',
    'predict: 1 of 3 batches',
    'predict: 2 of 3 batches',
    'predict: 3 of 3 batches',
    'predict: 3 candidates',
    `tuned: prior precision ${short(chosen.precision)}, scale ${short(chosen.scale)}; criterion ${short(chosen.criterion)}, ` +
      `the trained network's ${short(Math.min(own.plain.criterion, own.fitted.criterion))} (${verdict})`,
  ]);
});

describe('the warning', () => {
  const N = 24;
  /** A network that is sure of every label, and right. Its posterior under a weak prior says little. */
  const sure = () => {
    const model = network([4, 3]);
    const [x] = inputsFor(model, N, 3) as [tf.Tensor];
    model.setWeights(model.getWeights().map((w, i) => (i < 2 ? w : tf.mul(w, 30))));
    const labels = (own: tf.Tensor) => tf.tidy(() => tf.argMax(model.predict(own) as tf.Tensor, 1));
    const [held] = inputsFor(model, N, 9) as [tf.Tensor];
    return { model, data: { x, y: labels(x) }, validation: { x: held, y: labels(held) } };
  };
  const fitted = async (tuning: TuningInput) => {
    const own = sure();
    const lines: string[] = [];
    const options = { likelihood: 'categorical', posterior: { priorPrecision: 1e-3 }, tuning } as const;
    const laplace = laplaceApproximation(own.model, { ...options, warn: (line) => void lines.push(line) });
    await laplace.fit(own.data, { validation: own.validation });
    return { ...own, laplace, lines };
  };

  it('says that the network itself is the best, and predictions are then its own', async () => {
    const { model, laplace, lines, data: own } = await fitted({ over: ['precision'], precisions: [1e-3] });
    expect(lines).toEqual([expect.stringMatching(/^No posterior predicts the validation examples as well as .* temperature 0/)]);
    const { probabilities } = (await laplace.predict(own.x)) as Classification;
    const expected = tf.tidy(() => (tf.softmax(model.predict(own.x) as tf.Tensor).arraySync() as number[][]).flat());
    // Probabilities in float32.
    expect(probabilities.flatMap((row) => Array.from(row))).toEqual(expected.map((p) => expect.closeTo(p, 5)));
    // At temperature 0 all samples are the network. Another temperature samples from the posterior all the same.
    await laplace.predict(own.x, { samples: 2 });
    expect(lines).toHaveLength(1);
    await laplace.predict(own.x, { samples: 2, temperature: 1 });
    expect(lines[1]).toMatch(/^Sampling from this posterior predicts worse/);
  });
});

describe('the warning about samples, on digits', () => {
  let digits: SmallDigits;
  let held: SmallDigits;
  let model: tf.LayersModel;
  beforeAll(async () => {
    digits = smallDigits(0, 1000);
    held = smallDigits(1000, 1300);
    model = await trainedOn(digits, 15);
  });
  const fitted = async (tuning: TuningInput) => {
    const lines: string[] = [];
    const laplace = laplaceApproximation(model, { likelihood: 'categorical', tuning, warn: (line) => void lines.push(line) });
    await laplace.fit(digits, { validation: held });
    return { laplace, lines, few: digits.x.slice([0, 0], [5, -1]) };
  };

  it('comes when somebody samples at the tuned temperature, where the scale makes up for a wide posterior in predict alone', async () => {
    const { laplace, lines, few } = await fitted({ precisions: [0.2] });
    const { predictive, verdict } = laplace.tuning() as Tuning;
    expect(predictive.temperature).toBe(1);
    expect(verdict).not.toBe('worse');
    await laplace.predict(few);
    await laplace.predict(few, { samples: 2, temperature: 0.5 });
    expect(lines).toEqual([]);
    for (const member of await laplace.sampleModels(1)) member.dispose();
    expect(lines).toEqual([
      expect.stringMatching(/^Sampling from .* on 64 of its validation examples .* The tuned scale belongs to the linearised/),
    ]);
    await laplace.predict(few, { samples: 2 });
    expect(lines).toHaveLength(1);
  });

  it('does not come for a posterior that needs no scale', async () => {
    const { laplace, lines, few } = await fitted({ over: ['precision'], precisions: [300] });
    expect(laplace.tuning()?.predictive.temperature).toBe(1);
    await laplace.predict(few, { samples: 2 });
    expect(lines).toEqual([]);
  });
});

it('has types for validation data, which tfjs does not have', () => {
  holds<Same<FitArgs['validation'], Data | undefined>>();
  holds<Same<PosteriorArgs['validation'], Data | undefined>>();
  holds<tf.ModelFitArgs extends FitArgs ? true : false>();
  holds<'validation' extends keyof PredictArgs ? false : true>();
});
