/** Tests whether one score separates two groups better than another score (DeLong, DeLong & Clarke-Pearson 1988, eq. 5 to 7). */
import { auroc, orThrow, type ScoredGroups } from 'tfjs-laplace';
import { mean } from './scores.js';

/**
 * The AUROC of `a` minus the AUROC of `b`, with the standard error of the difference.
 *
 * @param a scores of both groups by the first detector
 * @param b scores by the second detector, of the same examples in the same order
 */
export function aurocDifference(a: ScoredGroups, b: ScoredGroups): { readonly mean: number; readonly standardError: number } {
  const byPositive = differences(placements(a.positives, a.negatives), placements(b.positives, b.negatives));
  const byNegative = differences(placements(a.negatives, a.positives), placements(b.negatives, b.positives));
  const standardError = Math.sqrt(variance(byPositive) / byPositive.length + variance(byNegative) / byNegative.length);
  return { mean: orThrow(auroc(a)) - orThrow(auroc(b)), standardError };
}

/** For each of the `values`: the share of `others` that are less than it. An equal one counts half. */
export function placements(values: ArrayLike<number>, others: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(others).sort();
  return Float64Array.from(values, (v) => (below(sorted, v, false) + below(sorted, v, true)) / (2 * sorted.length));
}

/** How many of the sorted numbers are less than `v`, or at most `v` if `orEqual`. */
function below(sorted: Float64Array, v: number, orEqual: boolean): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const s = sorted[middle] as number;
    if (s < v || (orEqual && s === v)) from = middle + 1;
    else to = middle;
  }
  return from;
}

const differences = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v - (b[i] as number));

const variance = (values: Float64Array): number => {
  const centre = mean(values);
  return values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1);
};
