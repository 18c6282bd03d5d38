/**
 * Codecs of numbers, strings and functions. The name of each codec says what it allows. No codec allows NaN, infinity is allowed where the
 * name says so, and -0 becomes 0.
 */
import * as t from 'io-ts';
import { type Codec, codec, refined } from './codec.js';
import { type SchemaObject, stringsSchema } from './schema.js';
import { alternatives } from './words.js';

/** Which numbers are allowed, as JSON Schema says it. */
type Range = Pick<SchemaObject, 'type' | 'minimum' | 'exclusiveMinimum' | 'maximum' | 'exclusiveMaximum' | 'multipleOf'>;

/** Numbers of a range, and infinity if `endless`. JSON has no infinity. */
const numeric = (name: string, range: Range, endless = false): Codec<number> => {
  const { type, minimum = -Infinity, exclusiveMinimum = -Infinity, multipleOf = 0 } = range;
  const { maximum = Infinity, exclusiveMaximum = Infinity } = range;
  const fits = (value: number): boolean =>
    (type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= minimum &&
    value > exclusiveMinimum &&
    value <= maximum &&
    value < exclusiveMaximum &&
    (multipleOf === 0 || value % multipleOf === 0);
  const is = (value: unknown): value is number => typeof value === 'number' && (fits(value) || (endless && value === Infinity));
  const schema = { description: name, ...range };
  return codec<number>(name, is, (value, context) => (is(value) ? t.success(value + 0) : t.failure(value, context, name)), {
    schema: () => schema,
  });
};

/** From 1 to the largest safe integer. */
const COUNT = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

export const positive = numeric('a finite number > 0', { type: 'number', exclusiveMinimum: 0 });

export const nonNegative = numeric('a finite number >= 0', { type: 'number', minimum: 0 });

/** Strictly between 0 and 1. */
export const probability = numeric('a number in (0, 1)', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 });

/** A part of a whole, which is not empty. */
export const share = numeric('a number in (0, 1]', { type: 'number', exclusiveMinimum: 0, maximum: 1 });

export const fraction = numeric('a number >= 0 and < 1', { type: 'number', minimum: 0, exclusiveMaximum: 1 });

/** For bounds, which can be infinite. */
export const positiveOrInfinite = numeric('a number > 0', { type: 'number', exclusiveMinimum: 0 }, true);

export const positiveInteger = numeric('an integer >= 1', COUNT);

export const nonNegativeInteger = numeric('an integer >= 0', { ...COUNT, minimum: 0 });

export const atLeastTwo = numeric('an integer >= 2', { ...COUNT, minimum: 2 });

/** For numbers of things that go on until nobody asks any more. */
export const countOrInfinite = numeric('an integer >= 1, or Infinity', COUNT, true);

export const positiveEven = numeric('an even integer >= 2', { ...COUNT, minimum: 2, multipleOf: 2 });

/** Seeds are 32-bit, so that they pass through every generator unchanged. */
export const seed = numeric('an integer from 0 to 4294967295', { type: 'integer', minimum: 0, maximum: 0xffffffff });

export const finite = numeric('a finite number', { type: 'number' });

export const text = refined('a string, not empty', (value): value is string => typeof value === 'string' && value !== '', {
  type: 'string',
  minLength: 1,
});

export const boolean = refined('true or false', (value): value is boolean => typeof value === 'boolean', {
  type: 'boolean',
});

/** Any value, for what is checked elsewhere. */
export const anything = refined('anything', (_value): _value is unknown => true, {});

/** One of the given strings. */
export const literals = <const L extends ReadonlyArray<string>>(...allowed: L): Codec<L[number]> =>
  refined(
    alternatives(allowed),
    (value): value is L[number] => typeof value === 'string' && allowed.includes(value),
    stringsSchema(allowed),
  );

/** A function. What it returns cannot be checked. */
export const func = <F extends (...args: never[]) => unknown>(name: string): Codec<F> =>
  refined(name, (value): value is F => typeof value === 'function', false);
