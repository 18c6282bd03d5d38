/**
 * Curves of a score that tells two groups apart, at all thresholds t: an example counts as positive if its score is >= t. With TP and FP
 * positives and negatives at or above t, out of P and Q:
 *
 *   true positive rate = recall = TP / P,   false positive rate = FP / Q,   precision = TP / (TP + FP)
 *   average precision = Σ_k (recall_k − recall_{k−1}) precision_k          over thresholds from the highest to the lowest
 *
 * There is one point for each distinct score, so that no result depends on the order of equal scores. Average precision is the area
 * under the curve of precision as scikit-learn's `average_precision_score` defines it. It is not interpolated: trapezoids between the
 * points, as OpenOOD has them, would be too optimistic (Davis & Goadrich 2006). O(n log n).
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, optionsOf, share, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { sound } from './rows.js';
import { averagePrecision, checkGroups, countsOf, falsePositiveRate, type ScoredGroups } from './thresholds.js';

/** Thresholds from the highest to the lowest, with both rates at each. */
export interface RocCurve {
  /** Infinity, where nothing is positive, then each distinct score from the highest to the lowest. */
  readonly threshold: Float64Array;
  /** The share of the negatives that is at or above the threshold: from 0 to 1. */
  readonly falsePositiveRate: Float64Array;
  /** The share of the positives that is at or above the threshold: from 0 to 1. */
  readonly truePositiveRate: Float64Array;
}

/** Thresholds from the highest to the lowest, with precision and recall at each. */
export interface PrecisionRecallCurve {
  /** Each distinct score, from the highest to the lowest. */
  readonly threshold: Float64Array;
  /** The share of positives among all examples at or above the threshold. */
  readonly precision: Float64Array;
  /** The share of the positives that is at or above the threshold: it rises to 1. */
  readonly recall: Float64Array;
  /** Average precision. */
  readonly area: number;
}

/** Options of `fprAtTpr`. */
export interface FprOptions {
  /** The least true positive rate, in (0, 1]. Default 0.95. */
  readonly rate?: number;
}

export const positiveRate = defaulted(share, 0.95);
const Options = struct('options', { rate: positiveRate });

/**
 * The receiver operating characteristic as data. `auroc` is the area below it, by trapezoids.
 *
 * @returns the curve, which begins at (0, 0) and ends at (1, 1). `Empty` for a group without examples, `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { orThrow, rocCurve } from 'tfjs-laplace';
 *
 * const { falsePositiveRate, truePositiveRate } = orThrow(rocCurve({ positives: [0.9, 0.4], negatives: [0.1, 0.4] }));
 * truePositiveRate; // => Float64Array.of(0, 0.5, 1, 1)
 * falsePositiveRate; // => Float64Array.of(0, 0, 0.5, 1)
 * ```
 */
export const rocCurve = (groups: ScoredGroups): E.Either<LaplaceError, RocCurve> =>
  sound(checkGroups(groups), () => {
    const { threshold, positives, negatives } = countsOf(groups);
    const rates = (above: ArrayLike<number>, all: number) => Float64Array.from([0, ...Array.from(above)], (n) => n / all);
    return {
      threshold: Float64Array.from([Number.POSITIVE_INFINITY, ...threshold]),
      falsePositiveRate: rates(negatives, groups.negatives.length),
      truePositiveRate: rates(positives, groups.positives.length),
    };
  });

/**
 * Precision against recall, as data.
 *
 * @returns the curve and the area below it. `Empty` for a group without examples, `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { orThrow, precisionRecall } from 'tfjs-laplace';
 *
 * const { precision, recall } = orThrow(precisionRecall({ positives: [0.9, 0.4], negatives: [0.1, 0.4] }));
 * recall; // => Float64Array.of(0.5, 1, 1)
 * precision; // => Float64Array.of(1, 2 / 3, 0.5)
 * ```
 */
export const precisionRecall = (groups: ScoredGroups): E.Either<LaplaceError, PrecisionRecallCurve> =>
  sound(checkGroups(groups), () => {
    const counts = countsOf(groups);
    const { threshold, positives, negatives } = counts;
    const precision = positives.map((tp, k) => tp / (tp + (negatives[k] as number)));
    const recall = positives.map((tp) => tp / groups.positives.length);
    return { threshold, precision, recall, area: averagePrecision(counts) };
  });

/**
 * Area under the curve of precision and recall (AUPR): average precision. It tells more than `auroc` where positives are rare. A score
 * that knows nothing has about the share of positives, P / (P + Q). Which group is positive matters: swap them for the other one.
 *
 * @returns the area, in (0, 1]. `Empty` for a group without examples, `NotFinite` for NaN.
 *
 * @example
 * ```ts
 * import { aupr, orThrow } from 'tfjs-laplace';
 *
 * orThrow(aupr({ positives: [0.9, 0.4], negatives: [0.1, 0.4] })); // => 0.8333…
 * ```
 */
export const aupr = (groups: ScoredGroups): E.Either<LaplaceError, number> =>
  F.pipe(
    precisionRecall(groups),
    E.map(({ area }) => area),
  );

/**
 * The false positive rate where the true positive rate is at least 0.95 (FPR95), or another `rate`: at the highest threshold that has it.
 *
 * Libraries differ. Here every threshold counts. OpenOOD also takes the first point of the curve, but scikit-learn's `roc_curve` leaves out
 * points on a straight line by default, so its rate may be higher. Interpolation between two points, or the point whose true positive rate
 * is nearest to 0.95, may give a lower rate. Papers also differ in which group is positive: for Hendrycks,
 * Mazeika & Dietterich 2019 the foreign examples are, for Liang, Li & Srikant 2018 the familiar ones.
 *
 * @returns the rate, in [0, 1]: 0 is best. `Empty` for a group without examples, `NotFinite` for NaN.
 * @throws LaplaceError `InvalidOption` for a rate outside (0, 1].
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { fprAtTpr } from 'tfjs-laplace';
 *
 * const groups = { positives: [0.9, 0.4], negatives: [0.1, 0.4] };
 * fprAtTpr(groups); // => E.right(0.5)
 * fprAtTpr(groups, { rate: 0.5 }); // => E.right(0)
 * ```
 */
export function fprAtTpr(groups: ScoredGroups, options: FprOptions = {}): E.Either<LaplaceError, number> {
  const { rate } = optionsOf('fprAtTpr', Options, options);
  return sound(checkGroups(groups), () => falsePositiveRate(countsOf(groups), rate));
}
