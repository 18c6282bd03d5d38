/** Factors that count for less than they did: for data that grow old. */

import { either as E, function as F } from 'fp-ts';
import { argument, ofKind, share } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { times } from '../linalg/matrix.js';
import { FACTORS, type Factors, type LayerSums } from './factors.js';
import { partsOf, structured } from './structure/index.js';

/**
 * The same factors as if every example in them had `weight` times its weight. Everything is scaled: the sums, the log-likelihood, the number
 * of examples, and N, which stays honest: a posterior of a tenth of the data is as wide as that of a tenth of the examples.
 *
 * Merged with those of new data this forgets the old ones step by step: with one step a day, data of k days ago count weightᵏ.
 *
 * Name the data (`accumulateFactors(…, { part })`): only so does `merge` know examples that it has already, at whatever weight.
 *
 * @param weight in (0, 1]
 * @returns the factors, or `InvalidInput` for a value that is none.
 * @throws LaplaceError `InvalidOption` for a weight that is not in (0, 1]
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E, function as F } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, forget, merge, observe } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const factorsOf = (x: number[][], y: number[][], part: string) =>
 *   lastValueFrom(
 *     from(batches({ x: tf.tensor2d(x), y: tf.tensor2d(y) }, 2)).pipe(observe(model, 'gaussian'), accumulateFactors('kfac', { part })),
 *   );
 * const [old, recent] = [await factorsOf([[1, 2], [3, 4]], [[1], [2]], 'monday'), await factorsOf([[5, 6]], [[3]], 'tuesday')];
 * const both = F.pipe(forget(old, 0.5), E.chain(merge(recent)));
 * if (E.isRight(both)) both.right.datasetSize; // => 2
 * if (E.isRight(both)) both.right.parts?.[1]; // => { dataset: 'tuesday', first: 0, end: 1 }
 * ```
 */
export function forget(weight: number): (factors: Factors) => E.Either<LaplaceError, Factors>;
export function forget(factors: Factors, weight: number): E.Either<LaplaceError, Factors>;
export function forget(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (given: number) => {
    const weight = argument('forget', 'weight', share, given);
    return (factors: Factors) =>
      F.pipe(
        ofKind('forget', FACTORS, factors),
        E.map((own) => weighted(own, weight)),
      );
  });
}

function weighted(factors: Factors, weight: number): Factors {
  const { shares } = factors;
  return {
    ...factors,
    count: weight * factors.count,
    datasetSize: weight * factors.datasetSize,
    logLikelihood: weight * factors.logLikelihood,
    rows: weight * factors.rows,
    layers: factors.layers.map((layer) => ofLayer(layer, weight)),
    ...(shares && {
      shares: shares.map(({ squares, layers }) => ({
        squares: weight * squares,
        layers: layers.map((own) => times(own, weight)),
      })),
    }),
  };
}

const ofLayer = (layer: LayerSums, weight: number): LayerSums =>
  structured(
    layer.structure,
    Object.fromEntries(Object.entries(partsOf(layer)).map(([part, sum]) => [part, times(sum, weight)])),
  );
