import { either as E } from 'fp-ts';
import { decode } from '../../src/codec/index.js';
import {
  bernoulli,
  categorical,
  type GaussianOptions,
  gaussian,
  type Likelihood,
  LikelihoodCodec,
} from '../../src/likelihood/codec.js';
import { holds, type Same } from '../support/types.js';

it('makes values', () => {
  expect(categorical()).toStrictEqual({ _tag: 'categorical' });
  expect(bernoulli()).toStrictEqual({ _tag: 'bernoulli' });
  expect(gaussian()).toStrictEqual({ _tag: 'gaussian', noiseVariance: 1 });
  expect(gaussian({ noiseVariance: 0.25 })).toStrictEqual({ _tag: 'gaussian', noiseVariance: 0.25 });
});

it.each([categorical(), bernoulli(), gaussian()])('makes frozen values that decode to themselves: %j', (value) => {
  expect(Object.isFrozen(value)).toBe(true);
  expect(decode(LikelihoodCodec, value)).toEqual(E.right(value));
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', null])('has no noise variance like %p', (noiseVariance) => {
  expect(() => gaussian({ noiseVariance } as GaussianOptions)).toThrow(
    /^gaussian: noiseVariance: found .*, expected a finite number > 0\.$/,
  );
});

it('refuses options that it does not know', () => {
  expect(() => gaussian({ variance: 1 } as GaussianOptions)).toThrow(
    "gaussian: variance: found 1, expected no such key (did you mean 'noiseVariance'?); allowed: noiseVariance.",
  );
  expect(() => gaussian(0.25 as GaussianOptions)).toThrow('gaussian: options: found 0.25, expected an object.');
});

holds<
  Same<
    Likelihood,
    | { readonly _tag: 'categorical' }
    | { readonly _tag: 'bernoulli' }
    | { readonly _tag: 'gaussian'; readonly noiseVariance: number }
  >
>();
