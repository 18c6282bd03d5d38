/**
 * Split conformal prediction for classes. It is fitted on n held-out examples, which the network has not been trained or tuned on, and
 * gives a set of classes for each new example:
 *
 *   set(x) = { c : s_c(x) <= q },   q the ⌈(n + 1) level⌉-th smallest of the scores s_y(x) of the held-out labels.
 *
 * The set holds the label with a probability of at least `level`, whatever the network and the data are, if the new example and the
 * held-out ones are exchangeable: no drift, no sorting by time or source. The probability is over held-out and new examples together.
 * With n < level / (1 − level) nothing can be excluded, and every set holds all classes: the threshold's tag is then 'everything'.
 * Reference: Vovk, Gammerman & Shafer 2005; Angelopoulos & Bates 2023.
 */
import { either as E, function as F } from 'fp-ts';
import {
  anyOf,
  argument,
  atLeastTwo,
  defaulted,
  dictionary,
  type Flat,
  type InputOf,
  isArrayLike,
  literals,
  optional,
  optionsOf,
  probability,
  seed,
  struct,
  tagged,
  variant,
} from '../../codec/index.js';
import { dual, type HasData } from '../../dual.js';
import type { LaplaceError } from '../../errors.js';
import { checkCount, type NumberRows, sound } from '../../metrics/rows.js';
import { type ClassPredictions, labelledRows, probabilityRows } from '../classRows.js';
import { ALL, type ByGroup, checkGroups, GroupList, type Groups, grouped, mapGroups, ofGroups } from '../groups.js';
import { largestScore, type Threshold, Thresholds, thresholdOf } from '../quantile.js';
import { ClassScores, HELD_OUT, NEW, randomParts, scoresOf } from './scores.js';

/** Decodes fitted sets. */
export const ConformalSetsValue = variant('conformalSets', {
  score: ClassScores,
  /** The probability that a set holds the label. */
  level: probability,
  /** C. */
  classes: atLeastTwo,
  /** For what each threshold is: all examples, the examples of a class, or those of a group. */
  by: literals('all', 'class', 'group'),
  /** The threshold of 'all', of each class by its number, or of each group by its name. */
  thresholds: dictionary('an object with a threshold for each group', Thresholds),
});

/** Fitted sets: frozen data, which JSON can hold and `decodeConformal` reads. */
export type ConformalSets = Flat<(typeof ConformalSetsValue)['_A']>;

/** Options of `conformalSets`. */
export interface ConformalSetsOptions {
  /** `lac()`, `aps()` or `raps()`, or one of these words. Default `lac()`. */
  readonly score?: InputOf<typeof ClassScores>;
  /** The probability 1 − α that a set holds the label, in (0, 1). Default 0.9. */
  readonly level?: number;
  /**
   * For what the level holds: on average over 'all' examples (the default), within each 'class', or within each group of examples. For
   * groups give the group [N] of each held-out example.
   */
  readonly by?: 'all' | 'class' | Groups;
}

const FitOptions = struct('options', {
  score: defaulted(ClassScores, 'lac'),
  level: defaulted(probability, 0.9),
  by: defaulted(anyOf(literals('all', 'class'), GroupList, isArrayLike), 'all'),
});

/**
 * Fits prediction sets on held-out predictions.
 *
 * @param predictions rows [N][C] that add up to 1, or [N][1] with the probability of class 1; or a `Classification`.
 * @param labels classes [N], 0 to C − 1.
 * @returns the fitted value for `predictionSets`. `InvalidInput`, `InvalidLabels`, `NotFinite` or `Empty` for rows, labels or groups that
 *   don't fit.
 * @throws LaplaceError `InvalidOption` for another score, a level outside (0, 1), or an unknown option.
 *
 * @example
 * ```ts
 * import { conformalSets, orThrow, predictionSets } from 'tfjs-laplace';
 *
 * const fitted = orThrow(conformalSets([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], [0, 0, 1], { level: 0.5 }));
 * fitted.thresholds; // => { all: { _tag: 'score', score: 0.25, examples: 3 } }
 * orThrow(predictionSets([[0.875, 0.125], [0.5, 0.5]], fitted)); // => [Int32Array.of(0), Int32Array.of()]
 * // Three examples are too few for a level of 0.9: each set holds every class.
 * orThrow(conformalSets([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], [0, 0, 1])).thresholds; // => { all: { _tag: 'everything', examples: 3, needed: 9 } }
 * ```
 */
export function conformalSets(
  predictions: ClassPredictions,
  labels: ArrayLike<number>,
  options: ConformalSetsOptions = {},
): E.Either<LaplaceError, ConformalSets> {
  const own = optionsOf('conformalSets', FitOptions, options);
  const groups = typeof own.by === 'string' ? undefined : own.by;
  return F.pipe(
    labelledRows(predictions, labels),
    E.chain((rows) => sound(checkGroups(groups, rows.length, 'by'), () => rows)),
    E.map((rows) => fittedSets(rows, labels, own, groups)),
  );
}

function fittedSets(
  rows: NumberRows,
  labels: ArrayLike<number>,
  { score, level, by }: (typeof FitOptions)['_A'],
  groups: Groups | undefined,
): ConformalSets {
  const classes = rows[0]?.length as number;
  const u = randomParts(score, rows.length, HELD_OUT);
  const scores = rows.map((row, i) => scoresOf(score, row, u[i] as number)[labels[i] as number] as number);
  const keyOf = (i: number): string => (by === 'all' ? ALL : String(groups === undefined ? labels[i] : groups[i]));
  // A class without a held-out example has a threshold too.
  const none = by === 'class' ? Object.fromEntries(Array.from({ length: classes }, (_, c) => [c, []])) : {};
  const thresholds = mapGroups({ ...none, ...grouped(scores, keyOf) }, (own: ReadonlyArray<number>) => thresholdOf(own, level));
  const kind = groups === undefined ? (by as 'all' | 'class') : 'group';
  return Object.freeze({ _tag: 'conformalSets', score, level, classes, by: kind, thresholds });
}

/** Options of `predictionSets`. */
export interface PredictionSetsOptions {
  /** The group [B] of each new example, if the sets were fitted for groups. */
  readonly groups?: Groups;
  /** Seed of the random parts of a randomised score; give each batch its own. Default: the seed of the score. */
  readonly seed?: number;
}

const ApplyOptions = struct('options, after predictions and fitted sets', { groups: optional(GroupList), seed: optional(seed) });

const isFitted = tagged<ConformalSets>('conformalSets');
const ifPredictions: HasData = (args) => args.length > 2 || (args.length === 2 && !isFitted(args[0]));

/**
 * The set of classes of each new example, at the fitted level. A set may hold every class, and may be empty: then every class is more
 * unusual for the example than the level allows.
 *
 * @param predictions rows [B][C] as `conformalSets` takes them, or a `Classification`.
 * @returns the class numbers of each example in ascending order, [B]. `InvalidInput` for rows with another number of classes, or for groups
 *   that are missing or unknown; `NotFinite` or `Empty` for broken rows.
 * @throws LaplaceError `InvalidOption` for a fitted value that does not decode, or an unknown option.
 *
 * @example
 * ```ts
 * import { function as F } from 'fp-ts';
 * import { aps, conformalSets, orThrow, predictionSets } from 'tfjs-laplace';
 *
 * const heldOut = [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]];
 * const fitted = orThrow(conformalSets(heldOut, [0, 1, 1], { score: aps({ randomised: false }), level: 0.75 }));
 * orThrow(F.pipe([[0.875, 0.125]], predictionSets(fitted))); // => [Int32Array.of(0, 1)]
 * ```
 */
export function predictionSets(
  fitted: ConformalSets,
  options?: PredictionSetsOptions,
): (predictions: ClassPredictions) => E.Either<LaplaceError, ReadonlyArray<Int32Array>>;
export function predictionSets(
  predictions: ClassPredictions,
  fitted: ConformalSets,
  options?: PredictionSetsOptions,
): E.Either<LaplaceError, ReadonlyArray<Int32Array>>;
export function predictionSets(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifPredictions, (given: ConformalSets, options: PredictionSetsOptions = {}) => {
    const fitted = argument('predictionSets', 'fitted', ConformalSetsValue, given);
    const { groups, seed: own } = optionsOf('predictionSets', ApplyOptions, options);
    return (predictions: ClassPredictions) =>
      F.pipe(
        probabilityRows(predictions),
        E.chain((rows) => sound(checkCount(rows[0]?.length as number, fitted.classes, 'probabilities[0]'), () => rows)),
        E.chain((rows) =>
          F.pipe(
            limits(fitted, groups, rows.length),
            E.map((limit) => setsOf(fitted, rows, limit, own)),
          ),
        ),
      );
  });
}

/** The largest score of each class in the set of each example. */
type Limit = (i: number, c: number) => number;

const limits = (
  { by, thresholds, classes }: ConformalSets,
  groups: Groups | undefined,
  B: number,
): E.Either<LaplaceError, Limit> => {
  if (by !== 'class' || groups !== undefined) {
    return F.pipe(
      ofGroups('predictionSets', thresholds, by === 'group', groups, B),
      E.map((own) => (i: number) => largestScore(own[i] as Threshold)),
    );
  }
  return F.pipe(
    ofGroups(
      'predictionSets',
      thresholds as ByGroup<Threshold>,
      true,
      Int32Array.from({ length: classes }, (_, c) => c),
      classes,
    ),
    E.map((own) => (_: number, c: number) => largestScore(own[c] as Threshold)),
  );
};

function setsOf(
  { score, classes }: ConformalSets,
  rows: NumberRows,
  limit: Limit,
  own: number | undefined,
): ReadonlyArray<Int32Array> {
  const u = randomParts(score, rows.length, NEW, own);
  return rows.map((row, i) => {
    const scores = scoresOf(score, row, u[i] as number);
    return Int32Array.from({ length: classes }, (_, c) => c).filter((c) => (scores[c] as number) <= limit(i, c));
  });
}
