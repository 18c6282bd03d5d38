/** How much of the trace of an output factor is held by the directions that `lowRank` keeps. */
import { ofKind } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import { POSTERIOR_LAYER } from './kind.js';
import type { PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';

/**
 * The share of the trace of a layer's output factor G that the kept directions hold.
 *
 * @returns a share in [0, 1]. For `lowRank` it is Σ λ / tr G, and the diagonal holds the rest of the trace. It is 1 for every
 *   other structure, and if G is diagonal.
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
export function keptTrace(given: PosteriorLayer): number {
  const layer = orThrow(ofKind('keptTrace', POSTERIOR_LAYER, given));
  return posteriorStructure(layer).keptTrace?.(layer) ?? 1;
}
