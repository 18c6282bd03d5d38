/**
 * AUROC, average precision and false positive rate from histograms of both groups, with the bounds that the lost order within bins leaves.
 * Bins go from the highest to the lowest. With p positives and q negatives in a bin, T and F in the bins above, and P and Q in all:
 *
 *   P Q · AUROC            Σ_b (q T + what the bin adds), from 0 (its negatives on top) to p q (its positives on top)
 *   P · average precision  Σ_b Σ_{j=1}^p precision of the bin's j-th positive from the top. At its threshold T + j to T + p positives and F
 *                          to F + q negatives count: from (T + j) / (T + j + F + q) to (T + p) / (T + p + F)
 *   Q · FPR at a rate r    the threshold lies in the first bin with T + p >= r P: from F to F + q
 *
 * Where the lowest and the highest score of a bin are equal, the bin is one tie, and nothing is lost: it adds ½ p q, each of its positives has
 * the precision (T + p) / (T + p + F + q), and the threshold has F + q negatives. Every bound of a bin with both groups is reached by some
 * scores: negatives on top with distinct positives below, or tied positives on top. So nothing narrower follows from the counts.
 * O(M + P) for M bins.
 */
import { type Bounded, between } from './bounded.js';
import { type Extremes, total } from './histogram.js';
import { wantedPositives } from './thresholds.js';

/** Histograms of two groups, and the extremes of both together. */
export interface GroupCounts extends Extremes {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** Metrics of two groups of scores. */
export interface ScoreMetrics {
  readonly auroc: Bounded;
  /** Average precision. */
  readonly aupr: Bounded;
  readonly fprAtTpr: Bounded;
}

interface Bin {
  readonly p: number;
  readonly q: number;
  /** Positives and negatives in the bins above. */
  readonly T: number;
  readonly F: number;
  /** Whether all scores are equal. */
  readonly tied: boolean;
}

/** The metrics of counts with an example in each group. */
export function scoreBounds(counts: GroupCounts, rate: number): ScoreMetrics {
  const [P, Q] = [total(counts.positives), total(counts.negatives)];
  const bins = fromTheTop(counts);
  const sum = (of: (bin: Bin) => number) => bins.reduce((all, bin) => all + of(bin), 0);
  const wanted = wantedPositives(rate, P);
  const crossed = bins.find(({ T, p }) => T + p >= wanted) as Bin;
  return {
    auroc: between(sum(leastPairs) / (P * Q), sum(mostPairs) / (P * Q)),
    aupr: between(sum(leastPrecision) / P, sum(mostPrecision) / P),
    fprAtTpr: between((crossed.F + (crossed.tied ? crossed.q : 0)) / Q, (crossed.F + crossed.q) / Q),
  };
}

/** The bins with an example, from the highest to the lowest. */
function fromTheTop({ positives, negatives, lowest, highest }: GroupCounts): ReadonlyArray<Bin> {
  const bins: Bin[] = [];
  let [T, F] = [0, 0];
  for (let b = positives.length - 1; b >= 0; b--) {
    const [p, q] = [positives[b] as number, negatives[b] as number];
    if (p + q > 0) bins.push({ p, q, T, F, tied: lowest[b] === highest[b] });
    T += p;
    F += q;
  }
  return bins;
}

const leastPairs = ({ p, q, T, tied }: Bin): number => q * T + (tied ? (p * q) / 2 : 0);
const mostPairs = ({ p, q, T, tied }: Bin): number => q * T + (tied ? (p * q) / 2 : p * q);

function leastPrecision({ p, q, T, F, tied }: Bin): number {
  if (p === 0) return 0;
  if (tied) return (p * (T + p)) / (T + p + F + q);
  let sum = 0;
  for (let j = 1; j <= p; j++) sum += (T + j) / (T + j + F + q);
  return sum;
}

const mostPrecision = ({ p, q, T, F, tied }: Bin): number => (p === 0 ? 0 : (p * (T + p)) / (T + p + F + (tied ? q : 0)));
