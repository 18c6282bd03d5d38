/**
 * Central credible intervals of a regression, from the moments of its prediction. An interval lies between the quantiles (1 −
 * level)/2 and (1 + level)/2 of one of these distributions:
 *
 * |  | of the mean, E[y \| f] | of the label, y |
 * |---|---|---|
 * | numbers | normal(mean, epistemic variance) | normal(mean, total variance) |
 * | counts | log-normal with the rate's mean and variance | negative binomial with the label's mean and variance |
 *
 * Under the linearised predictive these are exact for the means of gaussian and heteroscedastic, for the rate of poisson, and for
 * the labels of gaussian. In the other cases they only have the right moments. Labels of heteroscedastic are a normal of
 * uncertain width, which has heavier tails. Labels of poisson mix over a log-normal rate, but a negative binomial mixes over a
 * gamma rate. Sampled networks can give the mean any distribution.
 */
import { defaulted, literals, ofKind, optionsOf, probability, struct } from '../../codec/index.js';
import { dual, ifTagged } from '../../dual.js';
import { orThrow } from '../../orThrow.js';
import { centralQuantile } from '../../random/normal.js';
import { type Regression, type Rows, rowsOf } from '../prediction.js';
import { REGRESSION } from './kind.js';

/** Options of `credibleIntervals`. */
export interface CredibleOptions {
  /** Probability of an interval, in (0, 1). Default 0.95. */
  readonly level?: number;
  /**
   * Whether the interval is for the next label, including its noise, or for the mean function. More data would narrow the
   * interval of the mean to a point.
   */
  readonly of?: 'label' | 'mean';
}

const Options = struct('options, or the prediction of a regression', {
  level: defaulted(probability, 0.95),
  of: defaulted(literals('label', 'mean'), 'label'),
});

/** The ends of the intervals. */
export interface CredibleIntervals {
  /** [B][T] */
  readonly lower: Rows;
  /** [B][T] */
  readonly upper: Rows;
}

type Interval = readonly [lower: number, upper: number];

/**
 * Credible intervals of every label of a regression, in units of the labels. Intervals of counts end at counts: the smallest and
 * the largest count of a range that holds the label with at least this probability.
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
  return dual(args, ifTagged(1), (options: CredibleOptions = {}) => {
    const { level, of } = optionsOf('credibleIntervals', Options, options);
    return (prediction: Regression) => intervals(orThrow(ofKind('credibleIntervals', REGRESSION, prediction)), level, of);
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

/** e^f with f ~ N(m, v): mean e^{m + v/2}, variance mean² (e^v − 1). */
function logNormal(mean: number, variance: number, z: number): Interval {
  if (mean === 0) return [0, 0];
  const v = Math.log1p(variance / mean ** 2);
  const at = (quantile: number): number => mean * Math.exp(quantile * Math.sqrt(v) - v / 2);
  return [at(-z), at(z)];
}

/** From this standard deviation on, counts are treated as numbers: there are 10⁵ counts within it. */
const DENSE = 1e5;
/** A count is left out if its probability is less than this share of the mode's probability. */
const NEGLIGIBLE = 1e-18;

/**
 * Quantiles of the negative binomial with this mean and variance. If the variance is at most the mean, it is the Poisson
 * distribution. Probabilities are computed from their ratios, outwards from the mode: p(k + 1) / p(k) = (k e + mean²) / ((mean +
 * e) (k + 1)) with e = variance − mean.
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
  /** The smallest count k with P(y <= k) >= share. */
  const quantile = (share: number): number => {
    let k = 0;
    for (let sum = weights[0] as number; sum < share * total && k < weights.length - 1; sum += weights[k] as number) k++;
    return first + k;
  };
  return [quantile((1 - level) / 2), quantile((1 + level) / 2)];
}
