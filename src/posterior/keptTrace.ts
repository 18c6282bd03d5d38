/** How much of an output factor the directions of a low rank hold. */
import type { PosteriorLayer } from './posterior.js';

/**
 * The share of the trace of a layer's output factor G whose directions are kept, in [0, 1]: Σ λ / tr G for `lowRank`, whose diagonal holds
 * the rest; 1 for every other structure, and where G is its diagonal.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, categorical, keptTrace, lowRank, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 20, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor1d([7, 1, 19]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, categorical()), accumulateFactors(lowRank({ rank: 20 })), toPosterior()),
 * );
 * keptTrace(posterior.layers[0]) > 0.99; // => true
 * ```
 */
export function keptTrace(layer: PosteriorLayer): number {
  if (layer.structure !== 'lowRank') return 1;
  const { diagonal, rankValues } = layer.parts;
  if (rankValues === undefined) return 1;
  const [rest, kept] = [diagonal, rankValues].map(({ data }) => data.reduce((sum, v) => sum + v, 0)) as [number, number];
  return kept / (rest + kept);
}
