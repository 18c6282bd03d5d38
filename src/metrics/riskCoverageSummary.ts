/**
 * The risk-coverage curve and its areas from bins of the uncertainty, with the sum and the extremes of the losses in each, and from the same of
 * the losses, for the best order. All depend on the order of all examples, so nothing smaller has the areas exactly, and each has the bounds
 * that `riskBounds.ts` derives. More bins make them narrower. Where each bin holds one distinct value, they are exact. The size of a
 * state is 12 numbers for each bin. `summary.ts` has the laws.
 */
import { defaulted, finite, optionsOf, struct } from '../codec/index.js';
import { addExtremes, addLists, extremesOf, HISTOGRAM, noExtremes, placer, sumsIn, total } from './histogram.js';
import { type LossBins, type RiskMetrics, riskBounds } from './riskBounds.js';
import { sound } from './rows.js';
import { checkRisk } from './selective.js';
import { type Summary, summaryOf } from './summary.js';

/** Options of `riskCoverageSummary`. */
export interface RiskCoverageSummaryOptions {
  /** The number of bins of equal width, an integer >= 1: of the uncertainty, and of the losses. Default 1000. */
  readonly bins?: number;
  /** Where the first bin of the uncertainty begins. It also takes what is lower. Default 0. */
  readonly lower?: number;
  /** Where the last bin of the uncertainty ends. It also takes what is higher. Default 1. For entropies take log C. */
  readonly upper?: number;
  /** Where the first bin of the losses begins. It also takes what is lower. Default 0. */
  readonly lowerLoss?: number;
  /** Where the last bin of the losses ends. It also takes what is higher. Default 1, for losses of 0 and 1. */
  readonly upperLoss?: number;
}

/** Sums by bins of the uncertainty and of the losses. Plain data. */
export interface RiskSums {
  readonly _tag: 'riskSums';
  /** Where the bins of the uncertainty begin and end, and where those of the losses do. */
  readonly ends: readonly [lower: number, upper: number, lowerLoss: number, upperLoss: number];
  readonly uncertainty: LossBins;
  readonly losses: LossBins;
}

/** A batch: uncertainties [B], higher for less certain predictions, and losses [B]. */
export type RiskBatch = readonly [uncertainty: ArrayLike<number>, losses: ArrayLike<number>];

const Options = struct('options', { ...HISTOGRAM, lowerLoss: defaulted(finite, 0), upperLoss: defaulted(finite, 1) });

/**
 * Adds up the risk-coverage curve over batches and parts of a data set. The curve is given at the ends of bins, where it is exact, and the three
 * areas of `riskCoverage` with the error within which the exact one lies.
 *
 * @returns a monoid with `add(state, uncertainty, losses)` and `value(state)`. `concat` throws `InvalidInput` for states of other options;
 *   `add` returns the errors of `riskCoverage`.
 * @throws LaplaceError `InvalidOption` for options out of range, or if an upper end is not above the lower one.
 *
 * @example
 * ```ts
 * import { orThrow, riskCoverageSummary } from 'tfjs-laplace';
 *
 * const { add, concat, empty, value } = riskCoverageSummary({ bins: 4 });
 * const here = orThrow(add(empty, [0.1, 0.6], [0, 1]));
 * const there = orThrow(add(empty, [0.7, 0.9], [0, 0]));
 * const { threshold, coverage, risk, area } = orThrow(value(concat(here, there)));
 * threshold; // => Float64Array.of(0.1, 0.7, 0.9)
 * coverage; // => Float64Array.of(0.25, 0.75, 1)
 * risk; // => Float64Array.of(0, 1 / 3, 1 / 4)
 * area.value; // => 0.2083…
 * area.error; // => 0.0625
 * ```
 */
export function riskCoverageSummary(options: RiskCoverageSummaryOptions = {}): Summary<RiskBatch, RiskSums, RiskMetrics> {
  const { bins, lower, upper, lowerLoss, upperLoss } = optionsOf('riskCoverageSummary', Options, options);
  const ends = [lower, upper, lowerLoss, upperLoss] as const;
  const place = placer(bins, [lower, upper]);
  const placeOfLoss = placer(bins, [lowerLoss, upperLoss], ['lowerLoss', 'upperLoss']);
  return summaryOf<RiskBatch, RiskSums, RiskMetrics>({
    name: 'riskCoverageSummary',
    empty: { _tag: 'riskSums', ends, uncertainty: noLosses(bins), losses: noLosses(bins) },
    size: (state) => `${state.losses.count.length} bins, of uncertainties and losses with the ends ${state.ends.join(', ')}`,
    of: (uncertainty, losses) =>
      sound(checkRisk(uncertainty, losses), () => ({
        _tag: 'riskSums',
        ends,
        uncertainty: lossesBy(uncertainty, losses, place, bins),
        losses: lossesBy(losses, losses, placeOfLoss, bins),
      })),
    concat: (a, b) => ({
      ...a,
      uncertainty: addLosses(a.uncertainty, b.uncertainty),
      losses: addLosses(a.losses, b.losses),
    }),
    count: ({ losses }) => total(losses.count),
    value: ({ uncertainty, losses }) => riskBounds(uncertainty, losses),
  });
}

const noLosses = (M: number): LossBins => ({
  count: new Float64Array(M),
  losses: new Float64Array(M),
  loss: noExtremes(M),
  order: noExtremes(M),
});

function lossesBy(order: ArrayLike<number>, losses: ArrayLike<number>, placeOf: (value: number) => number, M: number): LossBins {
  const place = Uint32Array.from(order, placeOf);
  return {
    count: sumsIn(place, M),
    losses: sumsIn(place, M, losses),
    loss: extremesOf(losses, place, M),
    order: extremesOf(order, place, M),
  };
}

const addLosses = (a: LossBins, b: LossBins): LossBins => ({
  count: addLists(a.count, b.count),
  losses: addLists(a.losses, b.losses),
  loss: addExtremes(a.loss, b.loss),
  order: addExtremes(a.order, b.order),
});
