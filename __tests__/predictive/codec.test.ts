import { either as E } from 'fp-ts';
import { decode } from '../../src/codec/index.js';
import {
  activationSampling,
  functionSampling,
  linearised,
  type Predictive,
  PredictiveCodec,
  weightSampling,
} from '../../src/predictive/codec.js';
import type { customLink } from '../../src/predictive/links/customLink.js';
import type { Design } from '../../src/random/noise.js';
import { holds, type Same } from '../support/types.js';

it('makes values', () => {
  expect(linearised()).toStrictEqual({ _tag: 'linearised', link: 'probit', samples: 128, seed: 0, temperature: 1, scale: 1 });
  expect(linearised({ temperature: 0 })).toStrictEqual({
    _tag: 'linearised',
    link: 'probit',
    samples: 128,
    seed: 0,
    temperature: 0,
    scale: 1,
  });
  expect(activationSampling()).toStrictEqual({
    _tag: 'activationSampling',
    samples: 20,
    temperature: 1,
    scale: 1,
    seed: 0,
    design: 'independent',
  });
  expect(weightSampling({ samples: 5, temperature: 0.1, seed: 7, design: 'antithetic', standardError: 0.01 })).toStrictEqual({
    _tag: 'weightSampling',
    samples: 5,
    temperature: 0.1,
    scale: 1,
    seed: 7,
    design: 'antithetic',
    standardError: 0.01,
  });
  expect(functionSampling({ samples: 5 })).toStrictEqual({
    _tag: 'functionSampling',
    samples: 5,
    temperature: 1,
    scale: 1,
    seed: 0,
    design: 'independent',
  });
});

it.each([
  linearised(),
  activationSampling(),
  weightSampling(),
  weightSampling({ design: 'quasiRandom', standardError: 0.1 }),
  functionSampling(),
])('makes frozen values that decode to themselves: %j', (value) => {
  expect(Object.isFrozen(value)).toBe(true);
  expect(decode(PredictiveCodec, value)).toEqual(E.right(value));
});

it.each<[string, (options: never) => Predictive, unknown, string]>([
  ['linearised', linearised, { temperature: -1 }, 'linearised: temperature: found -1, expected a finite number >= 0.'],
  [
    'linearised',
    linearised,
    { link: 'logit' },
    `linearised: link: found "logit", expected 'probit', 'multiclassProbit', 'monteCarlo' or 'laplaceBridge', or a value tagged 'customLink'.`,
  ],
  [
    'linearised',
    linearised,
    { standardError: 3 },
    'linearised: standardError: found 3, expected no such key; allowed: link, samples, seed, temperature, scale.',
  ],
  ['linearised', linearised, { samples: 3 }, 'linearised: samples: found 3, expected an even integer >= 2.'],
  ['weightSampling', weightSampling, { samples: 0 }, 'weightSampling: samples: found 0, expected an integer >= 1.'],
  ['weightSampling', weightSampling, 20, 'weightSampling: options: found 20, expected an object.'],
  [
    'activationSampling',
    activationSampling,
    { sample: 2 },
    "activationSampling: sample: found 2, expected no such key (did you mean 'samples'?); allowed: samples, temperature, scale, seed, design, standardError.",
  ],
  [
    'weightSampling',
    weightSampling,
    { design: 'quasi' },
    "weightSampling: design: found \"quasi\", expected 'independent', 'antithetic' or 'quasiRandom'.",
  ],
  [
    'weightSampling',
    weightSampling,
    { standardError: 0 },
    'weightSampling: standardError: found 0, expected a finite number > 0.',
  ],
])('%s refuses %j', (_, make, options, message) => {
  expect(() => make(options as never)).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

type Sampling = {
  readonly samples: number;
  readonly temperature: number;
  readonly scale: number;
  readonly seed: number;
  readonly design: Design;
  readonly standardError?: number;
};
type Flat<T> = { readonly [K in keyof T]: T[K] };
holds<
  Same<
    Predictive,
    | {
        readonly _tag: 'linearised';
        readonly link: 'probit' | 'multiclassProbit' | 'monteCarlo' | 'laplaceBridge' | ReturnType<typeof customLink>;
        readonly samples: number;
        readonly seed: number;
        readonly temperature: number;
        readonly scale: number;
      }
    | Flat<{ readonly _tag: 'activationSampling' } & Sampling>
    | Flat<{ readonly _tag: 'weightSampling' } & Sampling>
    | Flat<{ readonly _tag: 'functionSampling' } & Omit<Sampling, 'standardError'>>
  >
>();
