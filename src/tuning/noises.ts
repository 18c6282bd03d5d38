/**
 * By how much the variance of each output has to change so that it suits held-out labels best:
 *
 *   minimise Σ_i loss(mean_ic, κ_c variance_ic, y_ic)   in κ_c, for each output c
 *
 * The variance is the total one. What is uncertain about an output goes with its noise, in a linear model with a weak prior in proportion:
 * so the noise that suits changes by the factor that the total variance does.
 */
import type { Criterion } from './criterion.js';
import { MOST } from './fit.js';
import { rowLosses, type Truth } from './losses.js';
import type { Moments } from './numeric.js';

/** log κ is found to this. */
const EXACT = 1e-10;

/**
 * κ of each output, where its noise is `times` that of the moments.
 *
 * @param criterion the CRPS, or any other, which is replaced by the NLL: it does not look at variances, or not smoothly
 */
export function varianceFactors(
  { labels, counts }: Truth,
  { mean, epistemic, noise }: Moments,
  times: number,
  criterion: Criterion,
): ReadonlyArray<number> {
  const rows = labels.flatMap((y, i) => (counts[i] ? [{ y, i }] : []));
  return Array.from(labels[0] ?? [], (_, c) => {
    const own = rows.map(({ y, i }) => ({
      error: (y[c] as number) - (mean[i]?.[c] as number),
      variance: (epistemic[i]?.[c] as number) + times * (noise[i]?.[c] as number),
    }));
    return criterion === 'crps' ? ofCrps(own) : bounded(own.reduce((sum, r) => sum + r.error ** 2 / r.variance, 0) / own.length);
  });
}

type Row = Readonly<Record<'error' | 'variance', number>>;

const bounded = (kappa: number): number => Math.min(Math.exp(MOST), Math.max(Math.exp(-MOST), kappa));

/** Where the slope of the CRPS in log κ is 0, by bisection: it rises from below 0 for a κ that is too small to above 0. */
function ofCrps(rows: ReadonlyArray<Row>): number {
  const { inVariance } = rowLosses('crps').numbers;
  const slope = (log: number): number =>
    rows.reduce((sum, { error, variance }) => {
      const own = Math.exp(log) * variance;
      return sum + own * inVariance(0, own, error);
    }, 0);
  let [low, high] = [-MOST, MOST];
  while (high - low > EXACT) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  return Math.exp((low + high) / 2);
}
