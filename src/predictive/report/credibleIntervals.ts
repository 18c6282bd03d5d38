/**
 * Central credible intervals of a regression, from the moments of its prediction: between the quantiles (1 − level)/2 and (1 + level)/2.
 *
 * |  | of the mean, E[y \| f] | of the label, y |
 * |---|---|---|
 * | numbers | normal(mean, epistemic variance) | normal(mean, total variance) |
 * | counts | log-normal of the rate's mean and variance | negative binomial of the label's mean and variance |
 *
 * Exact under the linearised predictive: the means of gaussian and heteroscedastic, the rate of poisson, and the labels of gaussian.
 * The others have the moments of the distribution and not its form: labels of heteroscedastic are a normal of uncertain width, with
 * heavier tails; labels of poisson mix over a log-normal rate where the negative binomial mixes over a gamma; sampled networks may
 * make any distribution of means.
 */
import { dual, ifTagged } from '../../dual.js';
import { laplaceError } from '../../errors.js';
import { centralQuantile } from '../../random/normal.js';
import { type Regression, type Rows, rowsOf } from '../prediction.js';

/** Options of `credibleIntervals`. */
export interface CredibleOptions {
  /** Probability of an interval, in (0, 1). Default 0.95. */
  readonly level?: number;
  /** Where the next label falls, noise and all; or where the mean function lies, which more data would narrow to a point. */
  readonly of?: 'label' | 'mean';
}

/** Ends of intervals. */
export interface CredibleIntervals {
  /** [B][T] */
  readonly lower: Rows;
  /** [B][T] */
  readonly upper: Rows;
}

type Interval = readonly [lower: number, upper: number];

/**
 * Credible intervals of every label of a regression, in units of the labels. Of counts they end at counts: the least and the most of
 * those between which the label falls with at least this probability.
 *
 * @throws LaplaceError `InvalidOption` for a level outside (0, 1) or another `of`.
 *
 * @example
 * ```ts
 * import { credibleIntervals } from 'tfjs-laplace';
 *
 * const rows = (v: number) => [Float32Array.of(v)];
 * const prediction = {
 *   _tag: 'regression', support: 'real', mean: rows(1), epistemicVariance: rows(1), noiseVariance: rows(3), totalVariance: rows(4),
 * } as const;
 * credibleIntervals(prediction, { level: 0.9 }).upper[0][0]; // => 4.2897…
 * credibleIntervals(prediction, { level: 0.9, of: 'mean' }).upper[0][0]; // => 2.6448…
 * // For a stream of predictions, or a pipe:
 * [prediction].map(credibleIntervals({ level: 0.9 }))[0].upper[0][0]; // => 4.2897…
 * ```
 */
export function credibleIntervals(options?: CredibleOptions): (prediction: Regression) => CredibleIntervals;
export function credibleIntervals(prediction: Regression, options?: CredibleOptions): CredibleIntervals;
export function credibleIntervals(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifTagged('regression'), ({ level = 0.95, of = 'label' }: CredibleOptions = {}) => {
    if (!(level > 0 && level < 1)) throw refused('level', String(level), 'a number in (0, 1)');
    if (of !== 'label' && of !== 'mean') throw refused('of', String(of), "'label' or 'mean'");
    return (prediction: Regression) => intervals(prediction, level, of);
  });
}

function intervals(prediction: Regression, level: number, of: 'label' | 'mean'): CredibleIntervals {
  const z = centralQuantile(level);
  const isCount = prediction.support === 'counts';
  const intervalOf = (mean: number, variance: number): Interval => {
    if (!isCount) return [mean - z * Math.sqrt(variance), mean + z * Math.sqrt(variance)];
    return of === 'mean' ? logNormal(mean, variance, z) : counts(mean, variance, level, z);
  };
  const variances = of === 'mean' ? prediction.epistemicVariance : prediction.totalVariance;
  const T = prediction.mean[0]?.length ?? 0;
  const lower = new Float32Array(prediction.mean.length * T);
  const upper = new Float32Array(lower.length);
  prediction.mean.forEach((row, b) => {
    for (let t = 0; t < T; t++) {
      const [low, high] = intervalOf(row[t] as number, variances[b]?.[t] as number);
      lower[b * T + t] = low;
      upper[b * T + t] = high;
    }
  });
  return { lower: rowsOf(lower, T), upper: rowsOf(upper, T) };
}

const refused = (field: string, found: string, expected: string) =>
  laplaceError('InvalidOption', { what: `credibleIntervals: ${field}`, field, found, expected });

/** e^f with f ~ N(m, v): mean e^{m + v/2}, variance mean² (e^v − 1). */
function logNormal(mean: number, variance: number, z: number): Interval {
  if (mean === 0) return [0, 0];
  const v = Math.log1p(variance / mean ** 2);
  const at = (quantile: number): number => mean * Math.exp(quantile * Math.sqrt(v) - v / 2);
  return [at(-z), at(z)];
}

/** Standard deviation from which counts are as good as numbers: there are 10⁵ of them within one. */
const DENSE = 1e5;
/** Share of the mode's probability below which a count is not looked at. */
const NEGLIGIBLE = 1e-18;

/**
 * Quantiles of the negative binomial of this mean and variance; with no more variance than the mean, of the Poisson distribution.
 * Probabilities by their ratios, p(k + 1) / p(k) = (k e + mean²) / ((mean + e) (k + 1)) with e = variance − mean, outwards from the mode.
 */
function counts(mean: number, variance: number, level: number, z: number): Interval {
  if (mean === 0) return [0, 0];
  if (Math.sqrt(variance) > DENSE) return logNormal(mean, variance, z);
  const excess = Math.max(0, variance - mean);
  const ratio = (k: number): number => (k * excess + mean * mean) / ((mean + excess) * (k + 1));
  // ratio(k) < 1 from k > mean − 1 − excess/mean on.
  const mode = Math.max(0, Math.floor(mean - excess / mean));
  const below: number[] = [];
  for (let [k, p] = [mode, 1]; k > 0 && p > NEGLIGIBLE; k--) {
    p /= ratio(k - 1);
    below.push(p);
  }
  const weights = [...below.reverse(), 1];
  const first = mode - below.length;
  for (let [k, p] = [mode, 1]; p > NEGLIGIBLE; k++) {
    p *= ratio(k);
    weights.push(p);
  }
  const total = weights.reduce((a, b) => a + b, 0);
  /** The least count that has this share at it and below. */
  const quantile = (share: number): number => {
    let k = 0;
    for (let sum = weights[0] as number; sum < share * total && k < weights.length - 1; sum += weights[k] as number) k++;
    return first + k;
  };
  return [quantile((1 - level) / 2), quantile((1 + level) / 2)];
}
