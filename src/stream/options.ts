/** Numbers among the options of operators: checked when the work begins, so that a wrong one is an error of the stream. */
import { laplaceError } from '../errors.js';
import { DESIGNS } from '../random/noise.js';

/** Throws `InvalidOption` naming the field. */
function checked(field: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** T: scales a covariance. */
export const checkTemperature = (temperature: number): void =>
  checked('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** How many samples are drawn. */
export const checkSampleCount = (samples: number): void =>
  checked('samples', samples, isCount(samples) || samples === Infinity, 'an integer >= 1, or Infinity');

/** How many samples are drawn, where all are drawn at once. */
export const checkFiniteSampleCount = (samples: number): void => checked('samples', samples, isCount(samples), 'an integer >= 1');

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;

/** How the draws are related. */
export const checkDesign = (design: string): void =>
  checked('design', design, (DESIGNS as ReadonlyArray<string>).includes(design), `one of ${DESIGNS.join(', ')}`);
