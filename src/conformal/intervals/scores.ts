/** The scores of intervals. A new score is a file beside this one, and a line in each of the two lists below. */
import { type Flat, taggedUnion } from '../../codec/index.js';
import { Absolute, absoluteBand } from './absolute.js';
import type { BandRule } from './band.js';
import { Cqr, cqrBand } from './cqr.js';
import { Normalised, normalisedBand } from './normalised.js';

/** The variants of these scores. */
export const INTERVAL_SCORES = [Absolute, Normalised, Cqr] as const;

/** Decodes a score of intervals. */
export const IntervalScores = taggedUnion('a score of intervals', ...INTERVAL_SCORES);

/** How far a target is from its prediction. */
export type IntervalScore = Flat<(typeof IntervalScores)['_A']>;

const RULES: { readonly [T in IntervalScore['_tag']]: BandRule<Extract<IntervalScore, { readonly _tag: T }>> } = {
  absolute: absoluteBand,
  normalised: normalisedBand,
  cqr: cqrBand,
};

/** The band of predictions under a score. */
export const bandOf: BandRule<IntervalScore> = (what, score, predictions) =>
  (RULES[score._tag] as BandRule<IntervalScore>)(what, score, predictions);
