/** Numbers among the options of operators: checked when the work begins, so that a wrong one is an error of the stream. */
import { laplaceError } from '../errors.js';

/** Throws `InvalidOption` naming the field. */
function checked(field: string, value: number, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** T: scales a covariance. */
export const checkTemperature = (temperature: number): void =>
  checked('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** How many draws. */
export const checkCount = (count: number): void =>
  checked('count', count, (Number.isInteger(count) && count >= 1) || count === Infinity, 'an integer >= 1, or Infinity');
