/**
 * Metrics of a classifier from sums: counts, moments of the losses, and bins of equal width of the confidence and of each class. The size
 * of a state is 5 (C + 1) M numbers for M bins, and 2048 for the smooth calibration error. `summary.ts` has the laws.
 */
import { either as E, function as F } from 'fp-ts';
import { optionsOf, positiveInteger, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { rightOnes } from './accuracy.js';
import { addSums, type BinSums, binCount, binned, evenEdges, noSums } from './bins.js';
import { brierOf } from './brier.js';
import { type BrierDecomposition, partsOf } from './brierDecomposition.js';
import { type ClasswiseCalibration, classwiseOf, eachClass } from './classwise.js';
import { confidences } from './ece.js';
import { addMoments, type Estimate, estimateOf, type Moments, momentsOf, NO_MOMENTS } from './estimate.js';
import { nllOf } from './nll.js';
import { type Calibration, calibrationOf } from './reliability.js';
import { labelled, type NumberRows, problemOf } from './rows.js';
import { type SmoothCalibration, smoothCalibrationOf } from './smoothCalibration.js';
import { addSmoothSums, NO_SMOOTH_SUMS, type SmoothSums, smoothSums } from './smoothing.js';
import { type Summary, summaryOf } from './summary.js';

/** Options of `classSummary`. */
export interface ClassSummaryOptions {
  /** C, the number of classes; 2 for rows of one probability. */
  readonly classes: number;
  /** M, the number of bins of equal width, an integer >= 1. Default 15. */
  readonly bins?: number;
}

/** Sums over examples. Plain data. */
export interface ClassSums {
  readonly _tag: 'classSums';
  readonly accuracy: Moments;
  readonly nll: Moments;
  readonly brierScore: Moments;
  /** Bins of the confidence. */
  readonly confidence: BinSums;
  /** Bins of the probability of each class, [C]. */
  readonly classes: ReadonlyArray<BinSums>;
  /** Of the confidence. */
  readonly smooth: SmoothSums;
}

export interface ClassMetrics {
  /** Examples. */
  readonly count: number;
  readonly accuracy: Estimate;
  /** Nats per example. */
  readonly nll: Estimate;
  readonly brierScore: Estimate;
  readonly calibration: Calibration;
  readonly smooth: SmoothCalibration;
  readonly classwise: ClasswiseCalibration;
  readonly decomposition: BrierDecomposition;
}

/** A batch: probabilities [B][C], or [B][1], and labels [B]. */
export type ClassBatch = readonly [probabilities: NumberRows, labels: ArrayLike<number>];

const Options = struct('options', { classes: positiveInteger, bins: binCount });

/**
 * Adds up the metrics of a classifier over batches and parts of a data set: `accuracy`, `nll`, `brierScore`, `calibration`,
 * `smoothCalibration`, `classwiseCalibration` and `brierDecomposition`.
 *
 * @returns a monoid with `add(state, probabilities, labels)` and `value(state)`. `concat` throws `InvalidInput` for states of other
 *   options; `add` returns the errors of `correctness`, and `InvalidInput` for rows of another number of classes.
 * @throws LaplaceError `InvalidOption` if `classes` or `bins` is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { classSummary, orThrow } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = classSummary({ classes: 2 });
 * const here = orThrow(add(empty, [[0.9, 0.1], [0.4, 0.6]], [0, 0]));
 * const there = orThrow(add(empty, [[0.2, 0.8]], [1]));
 * const { count, accuracy } = orThrow(value(concat(here, there)));
 * count; // => 3
 * accuracy.value; // => 0.6666…
 * accuracy.standardError; // => 0.3333…
 * ```
 */
export function classSummary(options: ClassSummaryOptions): Summary<ClassBatch, ClassSums, ClassMetrics> {
  const { classes: C, bins: M } = optionsOf('classSummary', Options, options);
  return summaryOf<ClassBatch, ClassSums, ClassMetrics>({
    name: 'classSummary',
    empty: {
      _tag: 'classSums',
      accuracy: NO_MOMENTS,
      nll: NO_MOMENTS,
      brierScore: NO_MOMENTS,
      confidence: noSums(M),
      classes: Array.from({ length: C }, () => noSums(M)),
      smooth: NO_SMOOTH_SUMS,
    },
    size: ({ classes, confidence }) => `${classes.length} classes and ${confidence.count.length} bins`,
    of: (probabilities, labels) => sumsOf(probabilities, labels, C, M),
    concat: (a, b) => ({
      _tag: 'classSums',
      accuracy: addMoments(a.accuracy, b.accuracy),
      nll: addMoments(a.nll, b.nll),
      brierScore: addMoments(a.brierScore, b.brierScore),
      confidence: addSums(a.confidence, b.confidence),
      classes: a.classes.map((sums, c) => addSums(sums, b.classes[c] as BinSums)),
      smooth: addSmoothSums(a.smooth, b.smooth),
    }),
    count: ({ nll }) => nll.count,
    value: (sums) => ({
      count: sums.nll.count,
      accuracy: estimateOf(sums.accuracy),
      nll: estimateOf(sums.nll),
      brierScore: estimateOf(sums.brierScore),
      calibration: calibrationOf({ edges: evenEdges(M), sums: sums.confidence }),
      smooth: smoothCalibrationOf(sums.smooth),
      classwise: classwiseOf(sums.classes.map((own) => calibrationOf({ edges: evenEdges(M), sums: own }))),
      decomposition: partsOf(sums.classes),
    }),
  });
}

const sumsOf = (probabilities: NumberRows, labels: ArrayLike<number>, C: number, M: number): E.Either<LaplaceError, ClassSums> =>
  F.pipe(
    labelled(probabilities, labels),
    E.filterOrElse(
      (rows) => rows[0]?.length === C,
      (rows) => problemOf('probabilities[0]', `${rows[0]?.length} classes`, `${C}, as the option classes says`),
    ),
    E.map((rows) => {
      const [scores, right] = [confidences(rows), rightOnes(rows, labels)];
      return {
        _tag: 'classSums',
        accuracy: momentsOf(right),
        nll: momentsOf(nllOf(rows, labels)),
        brierScore: momentsOf(brierOf(rows, labels)),
        confidence: binned(scores, right, M, 'width').sums,
        classes: eachClass(rows, labels, (own, outcomes) => binned(own, outcomes, M, 'width').sums),
        smooth: smoothSums(scores, right),
      };
    }),
  );
