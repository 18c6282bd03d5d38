/** The variances of a layer's weights along its directions: S² [P·n, m]. */
import { either as E, function as F } from 'fp-ts';
import { ofKind } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { POSTERIOR, POSTERIOR_LAYER } from './kind.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';
import type { Precisions } from './structure/structure.js';

/**
 * The precisions 1/S² of a layer's weights along its directions. Undefined if the weights are independent along no directions:
 * this is so for `lowRank`, unless its G is diagonal.
 */
export const precisions = (posterior: Posterior, layer: PosteriorLayer): Precisions | undefined =>
  posteriorStructure(layer).precisions(layer, posterior);

/**
 * The variances of a layer's weights along its directions, at temperature 1. `pipe(posterior, variances(layer))` is the same.
 *
 * @returns S² [P·n, m], or `UnsupportedLayer` for a layer of diagonal plus low rank: its weights are independent along no
 *   directions.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, toPosterior, variances } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2], [4], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const found = variances(posterior, posterior.layers[0]);
 * // 1 / (9 + τ)
 * if (E.isRight(found)) found.right.data[0]; // => 0.1
 * ```
 */
export function variances(layer: PosteriorLayer): (posterior: Posterior) => E.Either<LaplaceError, Matrix>;
export function variances(posterior: Posterior, layer: PosteriorLayer): E.Either<LaplaceError, Matrix>;
export function variances(...args: ReadonlyArray<unknown>): unknown {
  return dual(
    args,
    ifArguments(2),
    (layer: PosteriorLayer) => (posterior: Posterior) =>
      F.pipe(
        E.Do,
        E.apS('layer', ofKind('variances', POSTERIOR_LAYER, layer)),
        E.apS('posterior', ofKind('variances', POSTERIOR, posterior)),
        E.chain((given) => {
          const own = precisions(given.posterior, given.layer);
          return own === undefined ? E.left(noDirections(given.layer.name)) : E.right(inverses(own, given.layer));
        }),
      ),
  );
}

/** 1 / precision, [P·n, m]. */
function inverses(own: Precisions, { groups, n, m }: PosteriorLayer): Matrix {
  if (own._tag === 'table') return { rows: groups * n, cols: m, data: own.curvature.map((v) => 1 / (v + own.shift)) };
  const data = new Float64Array(groups * n * m);
  for (let i = 0; i < groups * n; i++) {
    const [scale, shift] = [own.scale[i] as number, own.shift[i] as number];
    const gradient = own.gradient.subarray(Math.floor(i / n) * m);
    for (let j = 0; j < m; j++) data[i * m + j] = 1 / (scale * (gradient[j] as number) + shift);
  }
  return { rows: groups * n, cols: m, data };
}

/**
 * The error for a layer of diagonal plus low rank, which has no variances along directions. `operation` names what needed them.
 */
export const noDirections = (layer: string, operation?: string): LaplaceError =>
  laplaceError('UnsupportedLayer', {
    what:
      operation === undefined
        ? `The weights of layer '${layer}' are not independent along any directions`
        : `${operation} cannot be computed for layer '${layer}'`,
    layer,
    found: 'an output factor of diagonal plus low rank (lowRank)',
    expected: 'a posterior whose weights are independent along directions, as from kfac, ekfac, diagonal or full',
    remedy:
      'predict, outputDistribution, evidence and sampleModels take this posterior as it is; for anything else use kfac or diagonal.',
  });

/**
 * Throws `UnsupportedLayer` if the weights of some layer are independent along no directions. `operation` names what needs them.
 */
export function requireDirections(posterior: Posterior, operation: string): void {
  const foreign = posterior.layers.find((layer) => precisions(posterior, layer) === undefined);
  if (foreign !== undefined) throw noDirections(foreign.name, operation);
}
