/** Reads fitted conformal values from data, for example from JSON that another process has written. */
import type { either as E } from 'fp-ts';
import { decode, taggedUnion } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { type ConformalIntervals, ConformalIntervalsValue } from './intervals/conformalIntervals.js';
import { type ConformalSets, ConformalSetsValue } from './sets/conformalSets.js';

const Fitted = taggedUnion('a fitted conformal value', ConformalSetsValue, ConformalIntervalsValue);

/**
 * Reads fitted sets or intervals.
 *
 * @returns the value, frozen, or `InvalidInput` that lists every problem with its path.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { conformalSets, decodeConformal, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(conformalSets([[0.75, 0.25], [0.5, 0.5]], [0, 1], { level: 0.5 }));
 * decodeConformal(JSON.parse(JSON.stringify(fitted))); // => E.right(fitted)
 * ```
 */
export const decodeConformal = (input: unknown): E.Either<LaplaceError, ConformalSets | ConformalIntervals> =>
  decode(Fitted, input, 'conformal value', 'InvalidInput');
