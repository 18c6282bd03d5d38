/**
 * Split conformal prediction for numbers. It is fitted on n held-out examples, which the network has not been trained or tuned on. For each
 * output the interval of a new example holds the target with a probability of at least `level`, whatever the network and the data are, if
 * the new example and the held-out ones are exchangeable: no drift, no sorting by time or source. Several outputs are covered one by one,
 * and not all at once. With n < level / (1 − level) the intervals are infinite, and the threshold's tag is 'everything'.
 * Reference: Vovk, Gammerman & Shafer 2005; Lei et al. 2018.
 */
import { either as E, function as F } from 'fp-ts';
import {
  anyOf,
  argument,
  array,
  defaulted,
  dictionary,
  type Flat,
  type InputOf,
  isArrayLike,
  literals,
  optional,
  optionsOf,
  probability,
  struct,
  tagged,
  variant,
} from '../../codec/index.js';
import { dual, type HasData } from '../../dual.js';
import type { LaplaceError } from '../../errors.js';
import { checkCount, type NumberRows, sound } from '../../metrics/rows.js';
import { ALL, checkGroups, GroupList, type Groups, grouped, mapGroups, ofGroups } from '../groups.js';
import { largestScore, Thresholds, thresholdOf } from '../quantile.js';
import { type Band, type IntervalPredictions, sameShape } from './band.js';
import { bandOf, IntervalScores } from './scores.js';

/** Decodes fitted intervals. */
export const ConformalIntervalsValue = variant('conformalIntervals', {
  score: IntervalScores,
  /** The probability that an interval holds the target. */
  level: probability,
  /** For what each threshold is: all examples, or those of a group. */
  by: literals('all', 'group'),
  /** The thresholds of the outputs [T], of 'all' or of each group by its name. */
  thresholds: dictionary(
    'an object with the thresholds of each group',
    array('a list with a threshold for each output', Thresholds),
  ),
});

/** Fitted intervals: frozen data, which JSON can hold and `decodeConformal` reads. */
export type ConformalIntervals = Flat<(typeof ConformalIntervalsValue)['_A']>;

/** Options of `conformalIntervals`. */
export interface ConformalIntervalsOptions {
  /** `normalisedError()`, `absoluteError()` or `cqr()`, or one of the tags 'normalised', 'absolute' and 'cqr'. Default 'normalised'. */
  readonly score?: InputOf<typeof IntervalScores>;
  /** The probability 1 − α that an interval holds its target, in (0, 1). Default 0.9. */
  readonly level?: number;
  /** For what the level holds: on average over 'all' examples (the default), or within each group. For groups give the group of each example, [N]. */
  readonly by?: 'all' | Groups;
}

const FitOptions = struct('options', {
  score: defaulted(IntervalScores, 'normalised'),
  level: defaulted(probability, 0.9),
  by: defaulted(anyOf(literals('all'), GroupList, isArrayLike), 'all'),
});

/**
 * Fits prediction intervals on held-out predictions.
 *
 * @param predictions a `Regression`, or { mean, variance } with rows [N][T], for 'normalised' and 'absolute'; { lower, upper } with rows
 *   [N][T] for 'cqr'.
 * @param targets rows [N][T].
 * @returns the fitted value for `predictionIntervals`. `InvalidInput`, `NotFinite` or `Empty` for rows, variances or groups that don't fit.
 * @throws LaplaceError `InvalidOption` for another score, a level outside (0, 1), or an unknown option.
 *
 * @example
 * ```ts
 * import { conformalIntervals, orThrow, predictionIntervals } from 'tfjs-laplace';
 *
 * const heldOut = { mean: [[0], [0], [0]], variance: [[1], [4], [1]] };
 * const fitted = orThrow(conformalIntervals(heldOut, [[1], [-4], [3]], { level: 0.5 }));
 * fitted.thresholds; // => { all: [{ _tag: 'score', score: 2, examples: 3 }] }
 * orThrow(predictionIntervals({ mean: [[5]], variance: [[9]] }, fitted)).upper; // => [Float64Array.of(11)]
 * ```
 */
export function conformalIntervals(
  predictions: IntervalPredictions,
  targets: NumberRows,
  options: ConformalIntervalsOptions = {},
): E.Either<LaplaceError, ConformalIntervals> {
  const { score, level, by } = optionsOf('conformalIntervals', FitOptions, options);
  const groups = by === 'all' ? undefined : by;
  return F.pipe(
    bandOf('conformalIntervals', score, predictions),
    E.chain((band) => sound(sameShape(targets, band.lower, 'targets') ?? checkGroups(groups, targets.length, 'by'), () => band)),
    E.map((band) => {
      const scores = targets.map((row, i) => Array.from(row, (y, t) => scoreAt(band, i, t, y)));
      const outputs = Array.from({ length: targets[0]?.length as number }, (_, t) => t);
      const parts = grouped(scores, (i) => (groups === undefined ? ALL : String(groups[i])));
      const thresholds = mapGroups(parts, (own) =>
        Object.freeze(
          outputs.map((t) =>
            thresholdOf(
              own.map((row) => row[t] as number),
              level,
            ),
          ),
        ),
      );
      return Object.freeze({ _tag: 'conformalIntervals', score, level, by: groups === undefined ? 'all' : 'group', thresholds });
    }),
  );
}

const scoreAt = ({ lower, upper, scale }: Band, i: number, t: number, y: number): number =>
  Math.max((lower[i]?.[t] as number) - y, y - (upper[i]?.[t] as number)) / (scale?.[i]?.[t] ?? 1);

/** Options of `predictionIntervals`. */
export interface PredictionIntervalsOptions {
  /** The group [B] of each new example, if the intervals were fitted for groups. */
  readonly groups?: Groups;
}

/** Ends of intervals in units of the targets. They are infinite where too few examples were held out. */
export interface PredictionIntervals {
  /** [B][T] */
  readonly lower: ReadonlyArray<Float64Array>;
  /** [B][T] */
  readonly upper: ReadonlyArray<Float64Array>;
}

const ApplyOptions = struct('options, after predictions and fitted intervals', { groups: optional(GroupList) });

const isFitted = tagged<ConformalIntervals>('conformalIntervals');
const ifPredictions: HasData = (args) => args.length > 2 || (args.length === 2 && !isFitted(args[0]));

/**
 * The interval of each new target, at the fitted level.
 *
 * @param predictions as `conformalIntervals` takes them for the fitted score, with B rows.
 * @returns both ends, [B][T]. `InvalidInput` for rows with another number of outputs, or for groups that are missing or unknown;
 *   `NotFinite` or `Empty` for broken rows.
 * @throws LaplaceError `InvalidOption` for a fitted value that does not decode, or an unknown option.
 *
 * @example
 * ```ts
 * import { function as F } from 'fp-ts';
 * import { conformalIntervals, cqr, orThrow, predictionIntervals } from 'tfjs-laplace';
 *
 * const heldOut = { lower: [[0], [0], [0]], upper: [[2], [2], [2]] };
 * const fitted = orThrow(conformalIntervals(heldOut, [[1], [1], [2.5]], { score: cqr(), level: 0.75 }));
 * orThrow(F.pipe({ lower: [[4]], upper: [[5]] }, predictionIntervals(fitted))).lower; // => [Float64Array.of(3.5)]
 * ```
 */
export function predictionIntervals(
  fitted: ConformalIntervals,
  options?: PredictionIntervalsOptions,
): (predictions: IntervalPredictions) => E.Either<LaplaceError, PredictionIntervals>;
export function predictionIntervals(
  predictions: IntervalPredictions,
  fitted: ConformalIntervals,
  options?: PredictionIntervalsOptions,
): E.Either<LaplaceError, PredictionIntervals>;
export function predictionIntervals(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifPredictions, (given: ConformalIntervals, options: PredictionIntervalsOptions = {}) => {
    const fitted = argument('predictionIntervals', 'fitted', ConformalIntervalsValue, given);
    const { groups } = optionsOf('predictionIntervals', ApplyOptions, options);
    const outputs = (Object.values(fitted.thresholds)[0] as ReadonlyArray<unknown>).length;
    return (predictions: IntervalPredictions) =>
      F.pipe(
        bandOf('predictionIntervals', fitted.score, predictions),
        E.chain((band) => sound(checkCount(band.lower[0]?.length as number, outputs, 'predictions[0]'), () => band)),
        E.chain((band) =>
          F.pipe(
            ofGroups('predictionIntervals', fitted.thresholds, fitted.by === 'group', groups, band.lower.length),
            E.map((thresholds) =>
              intervals(
                band,
                thresholds.map((own) => own.map(largestScore)),
              ),
            ),
          ),
        ),
      );
  });
}

function intervals({ lower, upper, scale }: Band, largest: NumberRows): PredictionIntervals {
  const reach = (i: number, t: number): number => (largest[i]?.[t] as number) * (scale?.[i]?.[t] ?? 1);
  return {
    lower: lower.map((row, i) => Float64Array.from(row, (v, t) => v - reach(i, t))),
    upper: upper.map((row, i) => Float64Array.from(row, (v, t) => v + reach(i, t))),
  };
}
