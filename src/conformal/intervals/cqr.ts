/**
 * Conformalised quantile regression: the score max(L − y, y − U) of intervals [L, U] that a model predicts. The new intervals are
 * [L − q, U + q]. q is negative if the predicted ones are too wide. Reference: Romano, Patterson & Candès 2019, equations 6 to 8.
 */
import { make, variant } from '../../codec/index.js';
import { type BandRule, endsOf } from './band.js';

export const Cqr = variant('cqr', {});

/** The value of `cqr`. */
export type CqrScore = (typeof Cqr)['_A'];

export const cqrBand: BandRule<CqrScore> = (what, _, predictions) => endsOf(what, predictions);

/**
 * The score of conformalised quantile regression for `conformalIntervals` (Romano, Patterson & Candès 2019): max(L − y, y − U) for
 * predicted intervals [L, U], such as those of `credibleIntervals`. Intervals that are too wide get narrower by the same amount
 * everywhere; a narrow one can end up empty, with its lower end above its upper end.
 *
 * @example
 * ```ts
 * import { cqr } from 'tfjs-laplace';
 *
 * cqr(); // => { _tag: 'cqr' }
 * ```
 */
export const cqr = (): CqrScore => make('cqr', Cqr, {});
