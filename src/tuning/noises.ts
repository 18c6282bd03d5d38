/**
 * The noise variance of each output that suits held-out labels best, with the uncertainty of the outputs as it is:
 *
 *   minimise Σ_i loss(mean_ic, epistemic_ic + κ_c noise_ic, y_ic)   in log κ_c, for each output c
 *
 * Each output has its own labels, so each is a problem by itself. They are solved together.
 */
import { minimise } from '../linalg/lbfgs.js';
import type { Criterion } from './criterion.js';
import { MOST } from './fit.js';
import { rowLosses, type Truth } from './losses.js';
import type { Moments } from './numeric.js';

/** The largest slope that counts as 0, for each label. */
const FLAT = 1e-8;

/**
 * κ of each output.
 *
 * @param criterion any but the CRPS is replaced by the NLL: it does not look at variances, or not smoothly
 */
export function noiseFactors(truth: Truth, { mean, epistemic, noise }: Moments, criterion: Criterion): ReadonlyArray<number> {
  const { numbers } = rowLosses(criterion === 'crps' ? 'crps' : 'nll');
  const { labels, counts } = truth;
  const rows = labels.flatMap((y, i) => (counts[i] ? [{ y, i }] : []));
  const evaluate = (logs: Float64Array) => {
    const gradient = new Float64Array(logs.length);
    let value = 0;
    for (const { y, i } of rows) {
      for (let c = 0; c < logs.length; c++) {
        const [m, v] = [mean[i]?.[c] as number, epistemic[i]?.[c] as number];
        const own = Math.exp(clamped(logs[c] as number)) * (noise[i]?.[c] as number);
        value += numbers.of(m, v + own, y[c] as number);
        gradient[c] = (gradient[c] as number) + numbers.inVariance(m, v + own, y[c] as number) * own;
      }
    }
    // With this factor the curvature is near 1, so that the first step is a good one.
    const factor = 2 / rows.length;
    return { value: factor * value, gradient: gradient.map((slope) => factor * slope) };
  };
  const start = new Float64Array(labels[0]?.length ?? 0);
  return Array.from(minimise(evaluate, start, FLAT), (log) => Math.exp(clamped(log)));
}

const clamped = (log: number): number => Math.min(MOST, Math.max(-MOST, log));
