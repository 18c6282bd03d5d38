/** Numbers among the options of operators: checked when the work begins, so that a wrong one is an error of the stream. */
import { laplaceError } from '../errors.js';
import { DRAWS } from '../random/noise.js';

/** Throws `InvalidOption` naming the field. */
function checked(field: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** T: scales a covariance. */
export const checkTemperature = (temperature: number): void =>
  checked('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** How many draws. */
export const checkCount = (count: number): void =>
  checked('count', count, isCount(count) || count === Infinity, 'an integer >= 1, or Infinity');

/** How many of what is drawn at once. */
export const checkFiniteCount = (count: number): void => checked('count', count, isCount(count), 'an integer >= 1');

/** Examples of a pass. */
export const checkExamples = (examples: number): void =>
  checked('examples', examples, examples > 0 && Number.isFinite(examples), 'a finite number > 0');

/** Examples of a batch, where a batch itself would do as well. */
export const checkBatchSize = (batch: number): void =>
  checked('batch', batch, isCount(batch), 'an integer >= 1, or a batch of the data');

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;

/** The design of draws. */
export const checkDraws = (draws: string): void =>
  checked('draws', draws, (DRAWS as ReadonlyArray<string>).includes(draws), `one of ${DRAWS.join(', ')}`);
