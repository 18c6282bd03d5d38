/** Reads the values of options. What is wrong with one is told with the option's name. */
import { InvalidArgumentError } from 'commander';

const number =
  (what: string, test: (value: number) => boolean) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !test(value)) throw new InvalidArgumentError(`It should be ${what}.`);
    return value;
  };

export const positive = number('a number > 0', (value) => value > 0 && Number.isFinite(value));
export const nonNegative = number('a number >= 0', (value) => value >= 0 && Number.isFinite(value));
export const wholeNumber = number('an integer >= 1', (value) => value >= 1 && Number.isSafeInteger(value));
export const seed = number(
  'an integer from 0 to 4294967295',
  (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
);

/** One of some words. */
export const choices =
  <const L extends ReadonlyArray<string>>(...allowed: L) =>
  (text: string): L[number] => {
    if (!allowed.includes(text)) throw new InvalidArgumentError(`It should be one of ${allowed.join(', ')}.`);
    return text;
  };

/** Several values: of an option that takes many words. */
export const each =
  <A>(one: (text: string) => A) =>
  (text: string, before: ReadonlyArray<A> | undefined): ReadonlyArray<A> => [...(before ?? []), one(text)];

/** A value of the DSL: a tag, or JSON. The library checks it. */
export function value(text: string): unknown {
  if (!/^[\s]*[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}.`);
  }
}
