/**
 * Metrics of Gaussian predictions from sums: moments of the losses, the sum of the variances, and how many entries the interval and the quantile
 * of each level are the first to hold. `summary.ts` has the laws.
 */
import type { either as E } from 'fp-ts';
import { optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { addMoments, type Estimate, estimateOf, type Moments, momentsOf, NO_MOMENTS } from './estimate.js';
import { checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { addLists } from './histogram.js';
import {
  centralLevels,
  curveOf,
  type IntervalCalibration,
  type IntervalCalibrationOptions,
  LevelOptions,
  levelCounts,
} from './intervals.js';
import { lossesOf } from './losses.js';
import { pitCounts, pitOf, type QuantileCalibration, quantilesOf } from './pit.js';
import { sound } from './rows.js';
import { type Summary, summaryOf } from './summary.js';

/** Sums over examples and entries. Plain data. */
export interface GaussianSums {
  readonly _tag: 'gaussianSums';
  readonly nll: Moments;
  readonly crps: Moments;
  readonly squaredError: Moments;
  readonly absoluteError: Moments;
  /** Of the variances, over examples. */
  readonly variance: Moments;
  /** Entries by the first level whose interval holds them, [K]. */
  readonly levels: Float64Array;
  /** Entries by the first level that is at least their PIT, [K]. */
  readonly pit: Float64Array;
}

export interface GaussianMetrics {
  /** Examples. */
  readonly count: number;
  /** Nats per example, summed over outputs. */
  readonly nll: Estimate;
  /** Units of the targets, like all that follow. */
  readonly crps: Estimate;
  /** Its standard error is that of the mean squared error, divided by 2 RMSE (delta method). */
  readonly rmse: Estimate;
  readonly mae: Estimate;
  readonly sharpness: number;
  readonly intervals: IntervalCalibration;
  /** With the histogram of the PIT. */
  readonly quantiles: QuantileCalibration;
}

/**
 * Adds up the metrics of a regression over batches and parts of a data set: `gaussianNll`, `gaussianCrps`, `rmse`, `mae`, `sharpness`,
 * `intervalCalibration`, and `quantileCalibration` of `pitValues`. All batches have the same number of outputs.
 *
 * @returns a monoid with `add(state, predictions)` and `value(state)`. `concat` throws `InvalidInput` for states of other options; `add`
 *   returns the errors of `gaussianNll`.
 * @throws LaplaceError `InvalidOption` if `levels` is not an integer >= 2.
 *
 * @example
 * ```ts
 * import { gaussianSummary, orThrow } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = gaussianSummary();
 * const here = orThrow(add(empty, { targets: [[1]], mean: [[2]], variance: [[1]] }));
 * const there = orThrow(add(empty, { targets: [[7]], mean: [[0]], variance: [[7]] }));
 * const { rmse, sharpness } = orThrow(value(concat(here, there)));
 * rmse.value; // => 5
 * sharpness; // => 2
 * ```
 */
export function gaussianSummary(
  options: IntervalCalibrationOptions = {},
): Summary<readonly [predictions: GaussianPredictions], GaussianSums, GaussianMetrics> {
  const { levels: K } = optionsOf('gaussianSummary', LevelOptions, options);
  return summaryOf<readonly [predictions: GaussianPredictions], GaussianSums, GaussianMetrics>({
    name: 'gaussianSummary',
    empty: { _tag: 'gaussianSums', ...eachMoment(() => NO_MOMENTS), levels: new Float64Array(K), pit: new Float64Array(K) },
    size: ({ levels }) => `${levels.length} levels`,
    of: (predictions) => sumsOf(predictions, K),
    concat: (a, b) => ({
      _tag: 'gaussianSums',
      ...eachMoment((name) => addMoments(a[name], b[name])),
      levels: addLists(a.levels, b.levels),
      pit: addLists(a.pit, b.pit),
    }),
    count: ({ nll }) => nll.count,
    value: (sums) => ({
      count: sums.nll.count,
      nll: estimateOf(sums.nll),
      crps: estimateOf(sums.crps),
      rmse: rootOf(estimateOf(sums.squaredError)),
      mae: estimateOf(sums.absoluteError),
      sharpness: Math.sqrt(sums.variance.mean),
      intervals: curveOf(sums.levels),
      quantiles: quantilesOf(sums.pit),
    }),
  });
}

const MOMENTS = ['nll', 'crps', 'squaredError', 'absoluteError', 'variance'] as const;

const eachMoment = (of: (name: (typeof MOMENTS)[number]) => Moments): Pick<GaussianSums, (typeof MOMENTS)[number]> =>
  Object.fromEntries(MOMENTS.map((name) => [name, of(name)])) as Pick<GaussianSums, (typeof MOMENTS)[number]>;

/** The root of an estimate. */
const rootOf = ({ value, standardError }: Estimate): Estimate => {
  const root = Math.sqrt(value);
  return { value: root, standardError: standardError === 0 ? 0 : standardError / (2 * root) };
};

const sumsOf = (predictions: GaussianPredictions, K: number): E.Either<LaplaceError, GaussianSums> =>
  sound(checkPredictions(predictions), () => {
    const lists = { ...lossesOf(predictions), variance: predictions.variance.map(meanOf) };
    return {
      _tag: 'gaussianSums',
      ...eachMoment((name) => momentsOf(lists[name])),
      levels: levelCounts(centralLevels(entries(predictions)), K),
      pit: pitCounts(pitOf(predictions), K),
    };
  });

const meanOf = (row: ArrayLike<number>): number => Array.from(row).reduce((sum, v) => sum + v, 0) / row.length;
