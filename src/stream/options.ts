/**
 * Checks options of operators and of promise functions. Operators check when they are called, before there is a stream: a wrong option
 * throws there. Promise functions check first of all, and reject.
 */
import { laplaceError } from '../errors.js';
import { key } from '../random/key.js';
import { DESIGNS } from '../random/noise.js';

/** Throws an `InvalidOption` that names the field. */
function check(field: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw laplaceError('InvalidOption', { what: `${field} is out of range`, field, found: String(value), expected });
}

/** Checks a temperature T, which multiplies a covariance. */
export const checkTemperature = (temperature: number): void =>
  check('temperature', temperature, temperature >= 0 && Number.isFinite(temperature), 'a finite number >= 0');

/** Checks a number of samples that may be infinite. */
export const checkSampleCount = (samples: number): void =>
  check('samples', samples, isCount(samples) || samples === Infinity, 'an integer >= 1, or Infinity');

/** Checks a number of samples that are drawn at once. */
export const checkFiniteSampleCount = (samples: number): void => check('samples', samples, isCount(samples), 'an integer >= 1');

/** Checks the number of examples of a pass. */
export const checkExamples = (examples: number): void =>
  check('examples', examples, examples > 0 && Number.isFinite(examples), 'a finite number > 0');

/** Checks the number of examples of a batch, where a batch of the data is possible too. */
export const checkBatchSize = (batch: number): void =>
  check('batch', batch, isCount(batch), 'an integer >= 1, or a batch of the data');

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1;

/** Checks a seed. */
export const checkSeed = (seed: number): void => void key(seed);

/** Checks the name of a design of draws. */
export const checkDesign = (design: string): void =>
  check('design', design, (DESIGNS as ReadonlyArray<string>).includes(design), `one of ${DESIGNS.join(', ')}`);
