/**
 * Histogram binning: a probability p in ((m − 1)/M, m/M] becomes the share of positives among the held-out probabilities in this bin. A bin
 * without examples keeps its middle. Reference: Zadrozny & Elkan 2001, section 3; bins of equal width as in Guo et al. 2017. O(N).
 */
import { array, defaulted, make, type Options, positiveInteger, refined, variant } from '../codec/index.js';
import { type BinaryExamples, eachClass, mapsOf, together } from './oneVersusRest.js';
import type { CalibrationRule } from './rule.js';

const unit = refined('a number in [0, 1]', (v): v is number => typeof v === 'number' && v >= 0 && v <= 1);

export const HistogramMethod = variant('histogram', {
  /** M, an integer >= 1; default 15. */
  bins: defaulted(positiveInteger, 15),
});
export const HistogramMap = variant('histogram', {
  /** The value of each bin, [M], of each map: one for two classes, else one for each. */
  values: array('a list of lists', array('a list with the value of each bin', unit)),
});

/** Options of `histogramBinning`. */
export type HistogramOptions = Options<typeof HistogramMethod>;

/**
 * Histogram binning for `fitCalibrator` (Zadrozny & Elkan 2001): all probabilities of a bin become the share of positives in it.
 *
 * @throws LaplaceError `InvalidOption` if `bins` is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { histogramBinning } from 'tfjs-laplace';
 *
 * histogramBinning(); // => { _tag: 'histogram', bins: 15 }
 * ```
 */
export const histogramBinning = (options: HistogramOptions = {}): (typeof HistogramMethod)['_A'] =>
  make('histogramBinning', HistogramMethod, options, 'histogram');

export const histogramRule: CalibrationRule<(typeof HistogramMethod)['_A'], (typeof HistogramMap)['_A']> = {
  fit: ({ bins }, rows, labels) =>
    Object.freeze({ _tag: 'histogram', values: eachClass(rows, labels, (examples) => binned(examples, bins)) }),
  apply: ({ values }, row) => together(values, row, (own, p) => own[binOf(p, own.length)] as number),
  suits: ({ values }, C) => values.length === mapsOf(C),
};

/** The bin of a probability. 0 belongs to the first one, and what rounding has lifted above 1 to the last one. */
const binOf = (p: number, M: number): number => Math.min(M, Math.max(1, Math.ceil(p * M))) - 1;

function binned({ p, y }: BinaryExamples, M: number): ReadonlyArray<number> {
  const [counts, positives] = [new Float64Array(M), new Float64Array(M)];
  p.forEach((own, i) => {
    const m = binOf(own, M);
    counts[m] = (counts[m] as number) + 1;
    positives[m] = (positives[m] as number) + (y[i] as number);
  });
  return Object.freeze(Array.from(counts, (n, m) => (n > 0 ? (positives[m] as number) / n : (m + 0.5) / M)));
}
