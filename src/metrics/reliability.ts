/**
 * Calibration errors of binned examples, by the gap between outcome and score of bin m with n_m of N examples:
 *
 *   gap_m = mean outcome − mean score,   ECE = Σ_m (n_m / N) |gap_m|,   MCE = max_m |gap_m|
 *   squared = Σ_m (n_m / N) gap_m²
 *   debiased = Σ_m (n_m / N) (gap_m² − ō_m (1 − ō_m) / (n_m − 1)),   ō_m: the mean outcome
 *
 * ECE, MCE and `squared` are biased upwards where bins hold few examples: chance alone opens a gap. `debiased` subtracts the variance that
 * chance gives the mean outcome. A bin with one example has no such estimate, and counts 0. Reference: Naeini, Cooper & Hauskrecht 2015
 * (ECE, MCE); Kumar, Liang & Ma 2019, section 5 (debiased).
 */
import type { Bins } from './bins.js';

/** Predictions whose confidence lies in (lower, upper]. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  /** Predictions in the bin, >= 1. */
  readonly count: number;
  /** Their mean confidence. */
  readonly confidence: number;
  /** The share of them that is right. */
  readonly accuracy: number;
}

export interface Calibration {
  /** Expected calibration error, 0 to 1. */
  readonly ece: number;
  /** Maximum calibration error, 0 to 1: the largest gap of a bin. It has a large variance where a bin holds few predictions. */
  readonly mce: number;
  /** The mean squared gap, 0 to 1. Its root is the calibration error in the L2 norm. */
  readonly squared: number;
  /** The mean squared gap without the part that chance adds. It can be negative. */
  readonly debiasedSquared: number;
  /** Mean confidence, of all predictions: their sharpness. */
  readonly confidence: number;
  /** The share of all predictions that is right. It is below `confidence` for an over-confident model. */
  readonly accuracy: number;
  /** The reliability diagram: bins with a prediction in them, by ascending confidence. */
  readonly bins: ReadonlyArray<ReliabilityBin>;
}

/** The calibration of binned examples, at least one. */
export function calibrationOf({ edges, sums }: Bins): Calibration {
  const bins = Array.from(sums.count).flatMap((count, m): ReadonlyArray<ReliabilityBin> => {
    if (count === 0) return [];
    const [lower, upper] = [edges[m] as number, edges[m + 1] as number];
    return [
      { lower, upper, count, confidence: (sums.scores[m] as number) / count, accuracy: (sums.outcomes[m] as number) / count },
    ];
  });
  const N = bins.reduce((sum, { count }) => sum + count, 0);
  const mean = (of: (bin: ReliabilityBin) => number) => bins.reduce((sum, bin) => sum + bin.count * of(bin), 0) / N;
  return {
    ece: mean(gapOf),
    mce: bins.reduce((most, bin) => Math.max(most, gapOf(bin)), 0),
    squared: mean((bin) => gapOf(bin) ** 2),
    debiasedSquared: mean(debiased),
    confidence: mean(({ confidence }) => confidence),
    accuracy: mean(({ accuracy }) => accuracy),
    bins,
  };
}

const gapOf = ({ accuracy, confidence }: ReliabilityBin): number => Math.abs(accuracy - confidence);

const debiased = (bin: ReliabilityBin): number =>
  bin.count === 1 ? 0 : gapOf(bin) ** 2 - (bin.accuracy * (1 - bin.accuracy)) / (bin.count - 1);
