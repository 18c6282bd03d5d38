/**
 * Codecs of numbers, strings and functions. The name of each codec says what it allows. No codec allows NaN, infinity is allowed where the
 * name says so, and -0 becomes 0.
 */
import * as t from 'io-ts';
import { type Codec, codec, refined } from './codec.js';
import { alternatives } from './words.js';

const numeric = (name: string, test: (value: number) => boolean): Codec<number> => {
  const is = (value: unknown): value is number => typeof value === 'number' && test(value);
  return codec<number>(name, is, (value, context) => (is(value) ? t.success(value + 0) : t.failure(value, context, name)));
};

export const positive = numeric('a finite number > 0', (value) => value > 0 && Number.isFinite(value));

export const nonNegative = numeric('a finite number >= 0', (value) => value >= 0 && Number.isFinite(value));

/** Strictly between 0 and 1. */
export const probability = numeric('a number in (0, 1)', (value) => value > 0 && value < 1);

/** A part of a whole, which is not empty. */
export const share = numeric('a number in (0, 1]', (value) => value > 0 && value <= 1);

export const fraction = numeric('a number >= 0 and < 1', (value) => value >= 0 && value < 1);

/** For bounds, which can be infinite. */
export const positiveOrInfinite = numeric('a number > 0', (value) => value > 0);

export const positiveInteger = numeric('an integer >= 1', (value) => value >= 1 && Number.isSafeInteger(value));

/** For numbers of things that go on until nobody asks any more. */
export const countOrInfinite = numeric(
  'an integer >= 1, or Infinity',
  (value) => value >= 1 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY),
);

export const positiveEven = numeric(
  'an even integer >= 2',
  (value) => value >= 2 && value % 2 === 0 && Number.isSafeInteger(value),
);

/** Seeds are 32-bit, so that they pass through every generator unchanged. */
export const seed = numeric(
  'an integer from 0 to 4294967295',
  (value) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff,
);

export const finite = numeric('a finite number', Number.isFinite);

export const text = refined('a string, not empty', (value): value is string => typeof value === 'string' && value !== '');

export const boolean = refined('true or false', (value): value is boolean => typeof value === 'boolean');

/** Any value, for what is checked elsewhere. */
export const anything = refined('anything', (_value): _value is unknown => true);

/** One of the given strings. */
export const literals = <const L extends ReadonlyArray<string>>(...allowed: L): Codec<L[number]> =>
  refined(alternatives(allowed), (value): value is L[number] => typeof value === 'string' && allowed.includes(value));

/** A function. What it returns cannot be checked. */
export const func = <F extends (...args: never[]) => unknown>(name: string): Codec<F> =>
  refined(name, (value): value is F => typeof value === 'function');
