/** Checks options of operators. The checks run when the work begins, so that a wrong option is an error of the stream. */
import { laplaceError } from '../errors.js';
import { DESIGNS } from '../random/noise.js';

/** Throws an `InvalidOption` that names the field. */
function checked(field: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** Checks a temperature T, which multiplies a covariance. */
export const checkTemperature = (temperature: number): void =>
  checked('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** Checks a number of samples that may be infinite. */
export const checkSampleCount = (samples: number): void =>
  checked('samples', samples, isCount(samples) || samples === Infinity, 'an integer >= 1, or Infinity');

/** Checks a number of samples that are drawn at once. */
export const checkFiniteSampleCount = (samples: number): void => checked('samples', samples, isCount(samples), 'an integer >= 1');

/** Checks the number of examples of a pass. */
export const checkExamples = (examples: number): void =>
  checked('examples', examples, examples > 0 && Number.isFinite(examples), 'a finite number > 0');

/** Checks the number of examples of a batch, where a batch of the data is possible too. */
export const checkBatchSize = (batch: number): void =>
  checked('batch', batch, isCount(batch), 'an integer >= 1, or a batch of the data');

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;

/** Checks the name of a design of draws. */
export const checkDesign = (design: string): void =>
  checked('design', design, (DESIGNS as ReadonlyArray<string>).includes(design), `one of ${DESIGNS.join(', ')}`);
