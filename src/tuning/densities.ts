/**
 * −log p(y) in nats of a number or count whose predictive has known moments, in float64:
 *
 * | label | distribution with its mean and total variance |
 * |---|---|
 * | a number | a normal |
 * | a count | a negative binomial; a Poisson distribution if mean and variance are equal, as the trained network's own are |
 *
 * A normal is no distribution of counts: where the rate is low its density at 0 grows without bound, and a count of 0 would earn the more,
 * the narrower the prediction is.
 */

/** From here on counts are treated as numbers. A sum over fewer counts takes no time. */
const DENSE = 1e4;
/** A product of ratios is turned into its logarithm before it leaves these bounds by one more ratio of float32 numbers. */
const [SMALL, LARGE] = [1e-150, 1e150];

/** −log p(y) of a number. */
export const numberNll = (mean: number, variance: number, y: number): number =>
  0.5 * (Math.log(2 * Math.PI * variance) + (y - mean) ** 2 / variance);

/** Its slope in the variance. */
export const numberNllInVariance = (mean: number, variance: number, y: number): number =>
  (0.5 * (1 - (y - mean) ** 2 / variance)) / variance;

/**
 * −log p(y) of a count, an integer >= 0. A variance below the mean counts as the mean. With e = variance − mean:
 * log p(0) = −(mean²/e) log(1 + e/mean), p(k + 1) / p(k) = (k e + mean²) / ((mean + e) (k + 1)).
 */
export function countNll(rate: number, variance: number, y: number): number {
  // e^f in float32 may be 0.
  const mean = Math.max(rate, Number.MIN_VALUE);
  if (Math.max(y, mean) >= DENSE) return numberNll(mean, variance, y);
  const excess = Math.max(0, variance - mean);
  const ratio = excess / mean;
  let sum = ratio === 0 ? mean : (mean * Math.log1p(ratio)) / ratio;
  let product = 1;
  for (let k = 0; k < y; k++) {
    product *= (k * excess + mean * mean) / ((mean + excess) * (k + 1));
    if (product > SMALL && product < LARGE) continue;
    sum -= Math.log(product);
    product = 1;
  }
  return sum - Math.log(product);
}
