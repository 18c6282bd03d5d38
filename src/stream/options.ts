/** Options that several operators and promise functions take, as fields for `struct`. Each of their defaults stands here alone. */
import { array, defaulted, func, literals, nonNegative, optional, positiveOrInfinite, refined, seed } from '../codec/index.js';
import { MEMORY_BUDGET } from '../limits.js';
import { DESIGNS } from '../random/noise.js';
import type { OnProgress } from '../types.js';
import type { BatchSource } from './observed.js';

/** Batches with labels that are read more than once. */
export const labelledBatches = array(
  'a list of batches { x, y }, as batches(…) makes them',
  refined<BatchSource>(
    'a batch { x, y }, or a function that makes one',
    (value): value is BatchSource => typeof value === 'function' || (typeof value === 'object' && value !== null),
  ),
);

/** A function that receives progress events. */
export const onProgress = optional(func<OnProgress>('a function (event) => void'));

/** Who listens to progress, and the number of batches that it counts up to. */
export const PROGRESS = { onProgress, total: optional(nonNegative) };

/** T multiplies the covariance. */
export const temperature = defaulted(nonNegative, 1);

/** The most bytes to allocate on the device. */
export const memoryBudget = defaulted(positiveOrInfinite, MEMORY_BUDGET);

/** What decides draws of weights, beside their number. */
export const DRAWS = {
  temperature,
  seed: defaulted(seed, 0),
  design: defaulted(literals(...DESIGNS), 'independent'),
};
