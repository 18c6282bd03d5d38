/** Checks options of operators. The checks run when the work begins, so that a wrong option is an error of the stream. */
import { laplaceError } from '../errors.js';
import { DRAWS } from '../random/noise.js';

/** Throws an `InvalidOption` that names the field. */
function checked(field: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** Checks a temperature T, which multiplies a covariance. */
export const checkTemperature = (temperature: number): void =>
  checked('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** Checks a number of draws that may be infinite. */
export const checkCount = (count: number): void =>
  checked('count', count, isCount(count) || count === Infinity, 'an integer >= 1, or Infinity');

/** Checks a number of draws that are made at once. */
export const checkFiniteCount = (count: number): void => checked('count', count, isCount(count), 'an integer >= 1');

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;

/** Checks the name of a design of draws. */
export const checkDraws = (draws: string): void =>
  checked('draws', draws, (DRAWS as ReadonlyArray<string>).includes(draws), `one of ${DRAWS.join(', ')}`);
