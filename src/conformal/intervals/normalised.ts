/**
 * The normalised error |y − μ| / σ: intervals μ ± q σ, which are wide where the posterior is unsure. σ² is the total variance of the
 * prediction. Reference: Papadopoulos, Gammerman & Vovk 2008; Lei et al. 2018, section 5.2.
 */
import { make, variant } from '../../codec/index.js';
import { type BandRule, scaledMeansOf } from './band.js';

export const Normalised = variant('normalised', {});

/** The value of `normalisedError`. */
export type NormalisedScore = (typeof Normalised)['_A'];

export const normalisedBand: BandRule<NormalisedScore> = (what, _, predictions) => scaledMeansOf(what, predictions);

/**
 * The score |y − μ| / σ for `conformalIntervals` (Lei et al. 2018, section 5.2), where σ² is the total variance of the prediction:
 * intervals are wide where the posterior is unsure.
 *
 * @example
 * ```ts
 * import { normalisedError } from 'tfjs-laplace';
 *
 * normalisedError(); // => { _tag: 'normalised' }
 * ```
 */
export const normalisedError = (): NormalisedScore => make('normalisedError', Normalised, {}, 'normalised');
