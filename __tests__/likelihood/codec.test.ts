import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import {
  bernoulli,
  type ClassOptions,
  type CustomLikelihoodOptions,
  categorical,
  customLikelihood,
  type GaussianOptions,
  gaussian,
  heteroscedastic,
  type Likelihood,
  type LikelihoodOf,
  type OutputLikelihood,
  perOutput,
  perStep,
  poisson,
  type StepLikelihood,
} from 'tfjs-laplace';
import { LikelihoodCodec } from 'tfjs-laplace/extend';
import { decode, isData } from '../../src/codec/index.js';
import { holds, type Same } from '../support/types.js';

const OWN = customLikelihood({
  name: 'own',
  nll: (f, y) => tf.sum(tf.squaredDifference(f, y), 1),
  hessianRoot: (f) => tf.expandDims(tf.onesLike(f), 0),
});

it('makes values', () => {
  expect(categorical()).toStrictEqual({ _tag: 'categorical', labelSmoothing: 0 });
  expect(categorical({ labelSmoothing: 0.1, classWeights: [1, 0, 2] })).toStrictEqual({
    _tag: 'categorical',
    labelSmoothing: 0.1,
    classWeights: [1, 0, 2],
  });
  expect(bernoulli()).toStrictEqual({ _tag: 'bernoulli', labelSmoothing: 0 });
  expect(gaussian()).toStrictEqual({ _tag: 'gaussian', noiseVariance: 1 });
  expect(gaussian({ noiseVariance: 0.25 })).toStrictEqual({ _tag: 'gaussian', noiseVariance: 0.25 });
  expect(gaussian({ noiseVariance: [0.25, 4] })).toStrictEqual({ _tag: 'gaussian', noiseVariance: [0.25, 4] });
  expect(heteroscedastic()).toStrictEqual({ _tag: 'heteroscedastic' });
  expect(poisson()).toStrictEqual({ _tag: 'poisson' });
  expect(perStep(poisson())).toStrictEqual({ _tag: 'perStep', each: { _tag: 'poisson' } });
  expect(perStep(poisson(), { ignoreLabel: -1 })).toStrictEqual({ _tag: 'perStep', each: { _tag: 'poisson' }, ignoreLabel: -1 });
  expect(perOutput({ digit: categorical(), angle: perStep(poisson()) })).toStrictEqual({
    _tag: 'perOutput',
    outputs: { digit: { _tag: 'categorical', labelSmoothing: 0 }, angle: { _tag: 'perStep', each: { _tag: 'poisson' } } },
  });
  expect(Object.keys(OWN).sort()).toEqual(['_tag', 'hessianRoot', 'name', 'nll']);
});

it.each<Likelihood>([
  categorical(),
  categorical({ classWeights: [1, 2] }),
  bernoulli(),
  gaussian(),
  gaussian({ noiseVariance: [1, 2] }),
  heteroscedastic(),
  poisson(),
  OWN,
  perStep(OWN, { ignoreLabel: 0 }),
  perOutput({ digit: categorical(), own: perStep(OWN) }),
])('makes frozen values that decode to themselves: %j', (value) => {
  expect(Object.values(value).every((part) => typeof part !== 'object' || Object.isFrozen(part))).toBe(true);
  expect(Object.isFrozen(value)).toBe(true);
  expect(decode(LikelihoodCodec, value)).toEqual(E.right(value));
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null])('has no noise variance like %p', (noiseVariance) => {
  expect(() => gaussian({ noiseVariance } as GaussianOptions)).toThrow(
    /^gaussian: noiseVariance: found .*, expected a finite number > 0, or an array of finite numbers > 0, one for each output\.$/,
  );
});

it.each<[string, () => unknown, string]>([
  [
    'no noise variance at all',
    () => gaussian({ noiseVariance: [] }),
    'gaussian: noiseVariance: found an empty array, expected an array',
  ],
  [
    'one that is 0',
    () => gaussian({ noiseVariance: [1, 0] }),
    'gaussian: noiseVariance[1]: found 0, expected a finite number > 0.',
  ],
  [
    'a smoothing of 1',
    () => categorical({ labelSmoothing: 1 }),
    'categorical: labelSmoothing: found 1, expected a number >= 0 and < 1.',
  ],
  [
    'a weight below 0',
    () => bernoulli({ classWeights: [1, -1] }),
    'bernoulli: classWeights[1]: found -1, expected a finite number >= 0.',
  ],
  [
    'weights that are no list',
    () => categorical({ classWeights: { 0: 1 } } as unknown as ClassOptions),
    'categorical: classWeights: found',
  ],
  ['no name', () => customLikelihood({ ...OWN, name: '' }), 'customLikelihood: name: found "", expected a string, not empty.'],
  [
    'a missing function',
    () => customLikelihood({ name: 'own', nll: OWN.nll } as CustomLikelihoodOptions),
    'customLikelihood: hessianRoot: found nothing, expected a function',
  ],
  [
    'steps within steps',
    () => perStep(perStep(poisson()) as unknown as StepLikelihood),
    `perStep: each._tag: found "perStep", expected 'categorical'`,
  ],
  [
    'outputs within outputs',
    () => perOutput({ digit: perOutput({ a: poisson() }) as unknown as OutputLikelihood }),
    `perOutput: outputs.digit._tag: found "perOutput", expected 'categorical'`,
  ],
  ['no output', () => perOutput({}), 'perOutput: outputs: found an empty object, expected an object with a likelihood for each'],
])('refuses %s', (_, make, message) => {
  expect(make).toThrow(expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining(message) }));
});

it('refuses options that it does not know', () => {
  expect(() => gaussian({ variance: 1 } as GaussianOptions)).toThrow(
    "gaussian: variance: found 1, expected no such key (did you mean 'noiseVariance'?); allowed: noiseVariance.",
  );
  expect(() => gaussian(0.25 as GaussianOptions)).toThrow('gaussian: options: found 0.25, expected an object.');
});

describe("a likelihood of one's own", () => {
  it('is no data, nor is one for the steps of a sequence', () => {
    expect([OWN, perStep(OWN), perStep(poisson()), categorical()].map(isData)).toEqual([false, false, true, true]);
    const outputs = [{ a: poisson(), b: perStep(OWN) }, { a: poisson() }];
    expect(outputs.map((own) => isData(perOutput(own)))).toEqual([false, true]);
  });

  it('does not pass for cloned without its functions', () => {
    for (const value of [OWN, perStep(OWN), perOutput({ a: OWN }), { likelihood: OWN }])
      expect(() => structuredClone(value)).toThrow(/could not be cloned/);
  });
});

interface Classes {
  readonly labelSmoothing: number;
  readonly classWeights?: readonly number[];
}
type Flat<T> = { readonly [K in keyof T]: T[K] };
holds<Same<LikelihoodOf<'categorical'>, Flat<{ readonly _tag: 'categorical' } & Classes>>>();
holds<Same<LikelihoodOf<'bernoulli'>, Flat<{ readonly _tag: 'bernoulli' } & Classes>>>();
holds<Same<LikelihoodOf<'gaussian'>, { readonly _tag: 'gaussian'; readonly noiseVariance: number | readonly number[] }>>();
holds<
  Same<
    Likelihood['_tag'],
    'categorical' | 'bernoulli' | 'gaussian' | 'heteroscedastic' | 'poisson' | 'custom' | 'perStep' | 'perOutput'
  >
>();
