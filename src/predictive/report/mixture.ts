/**
 * The prediction of a mixture of M networks with equal weights, which arrive one after another:
 *
 *   p = 1/M Σ p_m                                                       of classes and labels,
 *   mean = 1/M Σ μ_m,  epistemic = 1/M Σ (μ_m − mean)²,  noise = 1/M Σ σ²_m   of numbers and counts.
 *
 * The networks are all that there is, and not draws of a distribution: variances are divided by M, and a single network is a mixture too.
 * For draws of a posterior see `sampleFold`. Reference: Lakshminarayanan, Pritzel & Blundell 2017, section 2.4. Memory: a few arrays
 * [rows, P], however many networks there are.
 */
import type { Moments } from '../../likelihood/moments.js';
import type { OutputPrediction } from '../prediction.js';
import { assertFinite, classification, formOf, type Rowed, regression } from './report.js';
import { runningMean } from './runningMean.js';

/** A mixture that networks are added to. */
export interface Mixture {
  /** Adds the prediction of the next network: [rows, P], as `networkMoments` gives it. */
  readonly add: (values: Float32Array) => void;
  /** The report of the networks so far. There must be one. */
  readonly report: () => OutputPrediction;
}

/** An empty mixture for a head's rows of P numbers. */
export function mixture(head: Rowed, rows: number, P: number): Mixture {
  const form = formOf(head);
  const values = runningMean('independent', rows * P);
  const expectedEntropy = new Float64Array(rows);
  /** Σ (x − mean)² / M, from Σ (x − mean)² / (M (M − 1)). */
  const spread = (): Float64Array => {
    const others = values.samples() - 1;
    return values.errorVariance()?.map((v) => others * v) ?? new Float64Array(rows * P);
  };
  return {
    add: (own) => {
      assertFinite(own, 'mean');
      values.add(own);
      if (form._tag === 'regression') return;
      for (let b = 0; b < rows; b++) {
        const h = form.entropy(own.subarray(b * P, (b + 1) * P));
        expectedEntropy[b] = (expectedEntropy[b] as number) + (h - (expectedEntropy[b] as number)) / values.samples();
      }
    },
    report: () => {
      const [mean, variance] = [values.mean(), spread()];
      if (form._tag === 'classification') {
        const deviations = Float32Array.from(variance, Math.sqrt);
        return classification(form.entropy, Float32Array.from(mean), deviations, Float32Array.from(expectedEntropy), P);
      }
      const T = P / 2;
      const moments = Array.from({ length: rows * T }, (_, i): Moments => {
        const at = Math.floor(i / T) * P + (i % T);
        return { mean: mean[at] as number, epistemic: variance[at] as number, noise: mean[at + T] as number };
      });
      return regression(form.support, moments, T);
    },
  };
}
