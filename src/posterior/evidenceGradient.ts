/** The slopes of the evidence in the logarithms of the prior precisions and of the noise variance, at fixed weights. */
import { either as E } from 'fp-ts';
import { ofKind } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import { determinant, squaredNorm } from './evidence.js';
import { POSTERIOR } from './kind.js';
import { noiseOf } from './noise.js';
import { hasShares, slopesPerOutput } from './noisePerOutput.js';
import type { Posterior } from './posterior.js';

/** The gradient of the log marginal likelihood, in nats. */
export interface EvidenceGradient {
  /** The slope in log τ of each covered layer, by the layer's name. */
  readonly logPrecisions: Readonly<Record<string, number>>;
  /** The slope in log τ if all layers share it: the sum of `logPrecisions`. */
  readonly logPrecision: number;
  /**
   * The slope in log σ²; for several variances in a factor that they share. Absent if the likelihood has no σ² that can change
   * without its data, as for `withNoiseVariance`.
   */
  readonly logNoiseVariance?: number;
  /** The slope in log σ_c² of each output alone. Absent unless the curvature has `noise: 'perOutput'`. */
  readonly logNoiseVariances?: ReadonlyArray<number>;
}

/**
 * The gradient of the evidence from the eigenvalues that a posterior holds, without data, at the weights θ* that it has:
 *
 *   ∂ / ∂ log τ_l = ½ (γ_l − τ_l ‖θ*_l‖²),      ∂ / ∂ log σ² = ½ (Σ (f − y)² / σ² − N C + γ)
 *
 * with γ_l = Σ λ / (λ + τ_l) along the directions of a layer, and γ their sum (MacKay 1992). Under factored damping the γ of the
 * second formula counts the output side alone, and the empirical Fisher matrix counts twice, as its curvature falls with σ⁴. For one output
 * alone it has the squared errors, labels and γ of that output. It costs O(n m) for each layer, and O(m³) for each output alone.
 *
 * @throws LaplaceError `InvalidInput` for a value that is no posterior.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, evidenceGradient, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * model.setWeights([tf.tensor2d([[2]])]);
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2.5], [3.5], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const { logPrecision, logNoiseVariance } = evidenceGradient(posterior);
 * logPrecision; // => -1.55
 * Math.abs((logNoiseVariance ?? 0) + 0.8) < 1e-5; // => true
 * ```
 */
export function evidenceGradient(given: Posterior): EvidenceGradient {
  const posterior = orThrow(ofKind('evidenceGradient', POSTERIOR, given));
  const slopes = posterior.layers.map((layer) => {
    const { count, output } = determinant(posterior, layer).effective(layer.priorPrecision);
    return { name: layer.name, output, slope: 0.5 * (count - layer.priorPrecision * squaredNorm(layer)) };
  });
  const logPrecision = slopes.reduce((sum, { slope }) => sum + slope, 0);
  const logPrecisions = Object.freeze(Object.fromEntries(slopes.map(({ name, slope }) => [name, slope])));
  const noise = noiseOf('evidenceGradient', posterior);
  if (E.isLeft(noise)) return Object.freeze({ logPrecisions, logPrecision });
  const { squares, labels, power } = noise.right;
  const output = slopes.reduce((sum, one) => sum + one.output, 0);
  const logNoiseVariance = 0.5 * (squares - labels + power * output);
  if (!hasShares(posterior)) return Object.freeze({ logPrecisions, logPrecision, logNoiseVariance });
  return Object.freeze({
    logPrecisions,
    logPrecision,
    logNoiseVariance,
    logNoiseVariances: Object.freeze(slopesPerOutput(posterior, labels)),
  });
}
