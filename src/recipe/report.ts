/** What a run of a recipe reports beside the metrics of its predictions, as data. */
import type * as t from 'io-ts';
import {
  defaulted,
  type Flat,
  type InputOf,
  literals,
  optional,
  probability,
  seed,
  struct,
  taggedUnion,
} from '../codec/index.js';
import { INTERVAL_SCORES } from '../conformal/intervals/scores.js';
import { CLASS_SCORES } from '../conformal/sets/scores.js';
import { binCount } from '../metrics/bins.js';
import { resampleCount } from '../metrics/bootstrap.js';

/** Whether a score is one of numbers. */
export const isIntervalScore = ({ _tag }: { readonly _tag: string }): boolean => INTERVAL_SCORES.some(({ tag }) => tag === _tag);

const Conformal = struct('options of conformal prediction', {
  /** How unusual a label is. Default: `'lac'` for classes and `'normalised'` for numbers. */
  score: optional(taggedUnion('a score', ...CLASS_SCORES, ...INTERVAL_SCORES)),
  /** The probability that a set or an interval holds the label. */
  level: defaulted(probability, 0.9),
  /** For what the level holds. `'class'` is for classes alone. */
  by: defaulted(literals('all', 'class'), 'all'),
});

const Abstention = struct('options of abstaining', {
  /** The largest share of wrong predictions among the kept ones. */
  risk: probability,
  /** The probability that this holds. */
  confidence: defaulted(probability, 0.95),
});

/** Decodes a report. */
export const ReportCodec = struct('a report', {
  /** Sets of classes, or intervals of numbers, that are fitted on the held-out data. Without it there are none. */
  conformal: optional(Conformal),
  /** A threshold on the entropy of classes, fitted on the held-out data. Without it there is none. */
  abstention: optional(Abstention),
  /** Resamples, bins and seed of `evaluate`. */
  resamples: resampleCount(100),
  bins: binCount,
  seed: defaulted(seed, 0),
});

/** What a run of a recipe reports. */
export type ReportChoices = Flat<t.TypeOf<typeof ReportCodec>>;

/** A report as it may be written. */
export type ReportInput = Flat<InputOf<typeof ReportCodec>>;
