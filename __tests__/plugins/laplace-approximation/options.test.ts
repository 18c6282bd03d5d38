/** Options and arguments of the promise form: shorthand, and mistakes, which are never silent. */
import type * as tf from '@tensorflow/tfjs';
import { activationSampling, type Classification, kfac, linearised, type Regression } from 'tfjs-laplace';
import {
  type LaplaceApproximationOptions,
  laplaceApproximation,
  type PredictArgs,
} from 'tfjs-laplace/plugins/laplace-approximation';
import { expectRejection } from '../../support/errors.js';
import { chain, dataOf, pair } from '../../support/networks.js';
import { holds, type Same } from '../../support/types.js';

const classes = pair('classes, softmax inside');
const { likelihood } = classes;
const data = dataOf(classes, 6);
const model = chain(classes);

/** What TypeScript refuses. */
const wrong = (value: unknown): never => value as never;

describe('laplaceApproximation', () => {
  it.each<[string, unknown, string]>([
    [
      'an option of toPosterior',
      { likelihood, priorPrecision: 1 },
      "laplaceApproximation: priorPrecision: found 1, expected no such key (it belongs in 'posterior'); allowed: likelihood",
    ],
    ['a layer selection', { likelihood, layers: 'last' }, "(it belongs in 'curvature' or 'posterior')"],
    ['a misspelt option', { likelihood, pretrain: false }, "(did you mean 'pretrained'?)"],
    [
      'an unknown likelihood',
      { likelihood: 'categoric' },
      'likelihood: found "categoric", expected a likelihood: \'categorical\'',
    ],
    ['no likelihood', {}, 'laplaceApproximation: likelihood: found nothing'],
    ['no options', undefined, 'laplaceApproximation: found nothing, expected an object with a likelihood'],
    ['a wrong type', { likelihood, pretrained: 'no' }, 'pretrained: found "no", expected true or false'],
    ['a number for options of toPosterior', { likelihood, posterior: 100 }, 'posterior: found 100, expected an object'],
    ['a prior precision below 0', { likelihood, posterior: { priorPrecision: -1 } }, 'priorPrecision: found -1'],
    [
      'a place for lines that is no function',
      { likelihood, warn: false },
      'warn: found false, expected a function (line) => void',
    ],
  ])('refuses %s at the call', (_, options, message) => {
    const call = () => laplaceApproximation(model, wrong(options));
    expect(call).toThrow(expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining(message) }));
  });

  it('takes shorthand, also in types', async () => {
    const short = laplaceApproximation(model, { likelihood: 'categorical', curvature: 'kfac' });
    const long = laplaceApproximation(model, { likelihood, curvature: kfac() });
    expect(await short.fit(data)).toEqual(await long.fit(data));
    const sampled = await short.predict(data.x, { predictive: 'linearised' });
    expect(sampled).toEqual(await long.predict(data.x, { predictive: linearised() }));
    type Predicted<L extends LaplaceApproximationOptions['likelihood']> = Awaited<
      ReturnType<ReturnType<typeof laplaceApproximation<L>>['predict']>
    >;
    holds<Predicted<'categorical'> extends Classification ? true : false>();
    holds<Predicted<'gaussian'> extends Regression ? true : false>();
    holds<Predicted<{ _tag: 'perOutput'; outputs: { a: 'poisson' } }>['outputs']['a'] extends Regression ? true : false>();
    holds<Same<Predicted<'bernoulli'>['_tag'], 'classification'>>();
  });
});

describe('methods', () => {
  const fitted = async () => {
    const laplace = laplaceApproximation(model, { likelihood });
    await laplace.fit(data);
    return laplace;
  };

  it.each<[string, Parameters<Awaited<ReturnType<typeof fitted>>['predict']>[1], string]>([
    ['a misspelt argument', wrong({ sample: 5 }), "predict: sample: found 5, expected no such key (did you mean 'samples'?)"],
    ['no samples', { samples: 0 }, 'predict: samples: found 0, expected an integer >= 1'],
    ['a negative temperature', { temperature: -1 }, 'predict: temperature: found -1, expected a finite number >= 0'],
    ['an unknown predictive', { predictive: wrong('linear') }, "did you mean 'linearised'?"],
    [
      'samples beside a predictive of its own',
      wrong({ predictive: activationSampling(), samples: 5 }),
      "predict: samples: found 5, expected no such key (it belongs in 'predictive')",
    ],
  ])('predict refuses %s', async (_, args, message) => {
    const laplace = await fitted();
    await expectRejection(laplace.predict(data.x, args), 'InvalidOption', { message: expect.stringContaining(message) });
  });

  it('sampleModels and computePosterior refuse what they do not know', async () => {
    const laplace = await fitted();
    const refused = (call: Promise<unknown>, message: string) =>
      expectRejection(call, 'InvalidOption', { message: expect.stringContaining(message) });
    await refused(laplace.sampleModels(0), 'sampleModels: samples: found 0');
    await refused(laplace.sampleModels(wrong({ samples: 3 })), 'sampleModels: samples: found an object with the keys samples');
    await refused(laplace.sampleModels(2, wrong({ temp: 1 })), 'sampleModels: temp: found 1, expected no such key');
    await refused(laplace.computePosterior(data, wrong({ batchsize: 3 })), "(did you mean 'batchSize'?)");
    await refused(laplace.computePosterior(data, { batchSize: 0.5 }), 'batchSize: found 0.5, expected an integer >= 1');
    await refused(laplace.computePosterior(wrong({ ...data, weights: [1] })), 'computePosterior: weights');
    await expectRejection(laplace.fit(wrong(data.x)), 'InvalidInput', { message: expect.stringContaining('found no x and y') });
    await expectRejection(laplace.fit(wrong({ x: data.x })), 'InvalidInput', {
      message: expect.stringContaining('found only x'),
    });
  });

  it.each<[string, tf.ModelFitArgs, string]>([
    ['epochs', { epochs: 5 }, 'fit: epochs: found arguments of training for a model that counts as trained'],
    ['several', { batchSize: 4, epochs: 5, shuffle: false }, 'fit: epochs, shuffle: found'],
    ['callbacks, which would not be called', { callbacks: {} }, 'fit: callbacks'],
    ['a split', { validationSplit: 0.1 }, 'fit: validationSplit'],
  ])('fit of a trained model refuses arguments of training: %s', async (_, args, message) => {
    const laplace = laplaceApproximation(model, { likelihood });
    const error = await expectRejection(laplace.fit(data, args), 'InvalidOption', { message: expect.stringContaining(message) });
    expect(error.remedy).toContain('pretrained: false');
    expect(error.remedy).toContain('computePosterior(data)');
    expect(laplace.posterior()).toBeUndefined();
  });

  it('fit of a trained model takes a batch size and a verbosity', async () => {
    const { datasetSize } = await laplaceApproximation(model, { likelihood }).fit(data, { batchSize: 4, verbose: 0 });
    expect(datasetSize).toBe(6);
  });

  it('fit of a model to be trained refuses a misspelt argument before it trains', async () => {
    const laplace = laplaceApproximation(chain(classes), { likelihood, pretrained: false });
    const message = expect.stringContaining("fit: epoch: found 3, expected no such key (did you mean 'epochs'?)");
    await expectRejection(laplace.fit(data, wrong({ epoch: 3 })), 'InvalidOption', { message });
  });
});

it('onProgress of the posterior is called', async () => {
  const onProgress = jest.fn();
  await laplaceApproximation(model, { likelihood, posterior: { onProgress } }).fit(data);
  expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ phase: 'decompose' }));
});

holds<PredictArgs extends object ? true : false>();
