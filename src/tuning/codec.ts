/** How a prior is chosen on held-out data, as data. */
import type * as t from 'io-ts';
import { array, defaulted, type Flat, type InputOf, literals, optional, positive, struct } from '../codec/index.js';
import { CriterionCodec } from './criterion.js';

/** What `tune` can choose. */
export const DIMENSIONS = ['precision', 'layerPrecisions', 'scale', 'temperature', 'noiseVariance', 'noiseVariances'] as const;

/** One of the things that `tune` can choose. */
export type Dimension = (typeof DIMENSIONS)[number];

/** Decodes a tuning. */
export const TuningCodec = struct('a tuning', {
  /** What is minimised on held-out data: `'nll'`, `'brier'`, `'ece'`, `'crps'`, or a function of the predictions. Default `'nll'`. */
  criterion: defaulted(CriterionCodec, 'nll'),
  /** The rule of choice. Default: `'widest'` if the model predicts classes or labels, otherwise `'best'`. */
  rule: optional(literals('best', 'widest', 'evidence')),
  /**
   * What is chosen. Default: the precision; the scale if the model predicts classes or labels; and the noise variance if the likelihood is
   * gaussian.
   */
  over: optional(array('a list of what to choose', literals(...DIMENSIONS))),
  /** The precisions to try, in place of a search. */
  precisions: optional(array('a list of precisions > 0', positive)),
});

/** How a prior is chosen on held-out data: see `tune`. */
export type TuningChoices = Flat<t.TypeOf<typeof TuningCodec>>;

/** A tuning as it may be written. */
export type TuningInput = Flat<InputOf<typeof TuningCodec>>;

/** A rule of choice. */
export type TuningRule = NonNullable<TuningChoices['rule']>;
