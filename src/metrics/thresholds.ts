/**
 * Two groups of scores at every threshold: how many positives TP_k and negatives FP_k have a score of at least the k-th highest distinct
 * score. All that is said of how a score tells groups apart follows from these counts, with P = TP_K and Q = FP_K:
 *
 *   area under the ROC curve = Σ_k (FP_k − FP_{k−1}) (TP_k + TP_{k−1}) / (2 P Q)
 *   average precision = Σ_k (TP_k − TP_{k−1}) / P · TP_k / (TP_k + FP_k)
 *   false positive rate at a true positive rate r = FP_k / Q for the first k with TP_k >= r P
 *
 * An example may count several times, or not at all. So a resample costs O(n): the scores are sorted once, in O(n log n).
 */
import { ascending, checkOrdered, type Problem } from './rows.js';

/** Scores of two groups: higher means positive. Infinite scores are ranked like any other. */
export interface ScoredGroups {
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
}

/** Counts at all thresholds, from the highest to the lowest. */
export interface ThresholdCounts {
  /** Each distinct score. */
  readonly threshold: Float64Array;
  /** How many positives, and how many negatives, are at or above each threshold. */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** How often each example counts. */
export type Multiplicities = ScoredGroups;

/** Checks that both groups have examples, and no NaN. */
export const checkGroups = (groups: ScoredGroups): Problem =>
  checkOrdered(groups?.positives, 'positives') ?? checkOrdered(groups?.negatives, 'negatives');

/** Sorts the scores, and gives the function that counts. By default each example counts once. */
export function counter({ positives, negatives }: ScoredGroups): (times?: Multiplicities) => ThresholdCounts {
  const P = positives.length;
  const all = new Float64Array(P + negatives.length);
  all.set(Float64Array.from(positives));
  all.set(Float64Array.from(negatives), P);
  const order = ascending(all).reverse();
  const isLast = (k: number): boolean => k + 1 === order.length || all[order[k + 1] as number] !== all[order[k] as number];
  const ends = Uint32Array.from(order.keys()).filter(isLast);
  const threshold = Float64Array.from(ends, (k) => all[order[k] as number] as number);
  return (times) => {
    const counts = { threshold, positives: new Float64Array(ends.length), negatives: new Float64Array(ends.length) };
    let [tp, fp, k] = [0, 0, 0];
    ends.forEach((end, at) => {
      for (; k <= end; k++) {
        const i = order[k] as number;
        if (i < P) tp += times === undefined ? 1 : (times.positives[i] as number);
        else fp += times === undefined ? 1 : (times.negatives[i - P] as number);
      }
      counts.positives[at] = tp;
      counts.negatives[at] = fp;
    });
    return counts;
  };
}

/** The counts of groups in which each example counts once. */
export const countsOf = (groups: ScoredGroups): ThresholdCounts => counter(groups)();

/** The area under the ROC curve. */
export function rocArea({ positives, negatives }: ThresholdCounts): number {
  let twice = 0;
  positives.forEach((tp, k) => {
    twice += ((negatives[k] as number) - (negatives[k - 1] ?? 0)) * (tp + (positives[k - 1] ?? 0));
  });
  return twice / 2 / ((positives.at(-1) as number) * (negatives.at(-1) as number));
}

/** The area under the curve of precision. A threshold that no example reaches adds nothing. */
export function averagePrecision({ positives, negatives }: ThresholdCounts): number {
  let sum = 0;
  positives.forEach((tp, k) => {
    const more = tp - (positives[k - 1] ?? 0);
    if (more > 0) sum += (more * tp) / (tp + (negatives[k] as number));
  });
  return sum / (positives.at(-1) as number);
}

/** 0.07 · 100 is 7.000000000000001. With this factor 7 of 100 positives have a rate of 0.07. */
const ROUNDING = 1 - 1e-12;

/** How many of P positives have this true positive rate. */
export const wantedPositives = (rate: number, P: number): number => rate * P * ROUNDING;

/** The false positive rate at the highest threshold that has this true positive rate. */
export function falsePositiveRate({ positives, negatives }: ThresholdCounts, rate: number): number {
  const wanted = wantedPositives(rate, positives.at(-1) as number);
  return (negatives[positives.findIndex((tp) => tp >= wanted)] as number) / (negatives.at(-1) as number);
}
