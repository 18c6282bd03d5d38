/** The absolute error |y − μ|: intervals μ ± q of the same width for all examples. Reference: Lei et al. 2018, algorithm 2. */
import { either as E, function as F } from 'fp-ts';
import { make, variant } from '../../codec/index.js';
import { type BandRule, meansOf } from './band.js';

export const Absolute = variant('absolute', {});

/** The value of `absoluteError`. */
export type AbsoluteScore = (typeof Absolute)['_A'];

export const absoluteBand: BandRule<AbsoluteScore> = (what, _, predictions) =>
  F.pipe(
    meansOf(what, predictions),
    E.map((mean) => ({ lower: mean, upper: mean })),
  );

/**
 * The score |y − μ| for `conformalIntervals` (Lei et al. 2018): intervals of one width for all examples, in units of the targets.
 *
 * @example
 * ```ts
 * import { absoluteError } from 'tfjs-laplace';
 *
 * absoluteError(); // => { _tag: 'absolute' }
 * ```
 */
export const absoluteError = (): AbsoluteScore => make('absoluteError', Absolute, {}, 'absolute');
