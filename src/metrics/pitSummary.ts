/**
 * The histogram of the probability integral transform (PIT) of any predictive distribution, as counts, and the calibration of quantiles, which
 * follows exactly, because their levels are the edges of the bins. For Gaussian predictions `gaussianSummary` has it too. `summary.ts` has the
 * laws.
 */
import { optionsOf } from '../codec/index.js';
import { addLists, total } from './histogram.js';
import { LevelOptions } from './intervals.js';
import { checkPit, pitCounts, type QuantileCalibration, type QuantileCalibrationOptions, quantilesOf } from './pit.js';
import { type NumberRows, sound } from './rows.js';
import { type Summary, summaryOf } from './summary.js';

/** Counts of entries. Plain data. */
export interface PitCounts {
  readonly _tag: 'pitCounts';
  /** Entries by the first level that is at least their PIT, [K]. */
  readonly levels: Float64Array;
}

/**
 * Adds up the histogram of PIT values over batches and parts of a data set, for `quantileCalibration`.
 *
 * @returns a monoid with `add(state, pit)` and `value(state)`. `concat` throws `InvalidInput` for states of other options; `add` returns the
 *   errors of `quantileCalibration`.
 * @throws LaplaceError `InvalidOption` if `levels` is not an integer >= 2.
 *
 * @example
 * ```ts
 * import { orThrow, pitSummary } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = pitSummary({ levels: 5 });
 * const [here, there] = [orThrow(add(empty, [[0.2], [0.6]])), orThrow(add(empty, [[0.7], [1]]))];
 * const { histogram, meanAbsolute } = orThrow(value(concat(here, there)));
 * histogram; // => Float64Array.of(0.25, 0, 0.5, 0.25)
 * meanAbsolute; // => 0.05
 * ```
 */
export function pitSummary(
  options: QuantileCalibrationOptions = {},
): Summary<readonly [pit: NumberRows], PitCounts, QuantileCalibration> {
  const { levels: K } = optionsOf('pitSummary', LevelOptions, options);
  return summaryOf<readonly [pit: NumberRows], PitCounts, QuantileCalibration>({
    name: 'pitSummary',
    empty: { _tag: 'pitCounts', levels: new Float64Array(K) },
    size: ({ levels }) => `${levels.length} levels`,
    of: (pit) => sound(checkPit(pit), () => ({ _tag: 'pitCounts', levels: pitCounts(pit, K) })),
    concat: (a, b) => ({ _tag: 'pitCounts', levels: addLists(a.levels, b.levels) }),
    count: ({ levels }) => total(levels),
    value: ({ levels }) => quantilesOf(levels),
  });
}
