/** The structures of curvature that the recipe compares, and the factors and posterior for each. */

import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  type Factors,
  kfac,
  type OnProgress,
  observe,
  type Posterior,
  toPosterior,
  truncated,
} from 'tfjs-laplace';
import { type Digits, tensors } from '../mnist/digits.js';

/** The truncated Fisher: it leaves out columns that together make up at most a thousandth of the trace of a batch. */
const fisher = truncated({ tolerance: 1e-3 });

export const LIKELIHOOD = categorical();
export const KFAC = kfac({ fisher });

/** Name and curvature of each structure. */
export const STRUCTURES: ReadonlyArray<readonly [string, Curvature]> = [
  ['kfac', KFAC],
  ['ekfac', ekfac({ fisher })],
  ['diagonal', diagonal({ fisher })],
  ['kfac, last layer', kfac({ fisher, layers: 'last' })],
];

/**
 * Accumulates factors in one pass over the digits.
 *
 * @param basis for `ekfac`: a posterior whose eigenvectors are used, so that no extra pass is needed to find them
 */
export async function factorsOf(
  model: LayersModel,
  digits: Digits,
  curvature: Curvature,
  onProgress: OnProgress,
  basis?: Posterior,
): Promise<Factors> {
  const SIZE = 128;
  const data = tensors(
    digits,
    Array.from({ length: digits.count }, (_, i) => i),
  );
  const options = { onProgress, total: Math.ceil(digits.count / SIZE), ...(basis && { basis }) };
  return lastValueFrom(from(batches(data, SIZE)).pipe(observe(model, LIKELIHOOD), accumulateFactors(curvature, options))).finally(
    () => tf.dispose([data.x, data.y]),
  );
}

/** The posterior at a prior precision of 1. The recipe then chooses a better precision on held-out digits. */
export const posteriorOf = (factors: Factors): Promise<Posterior> => lastValueFrom(of(factors).pipe(toPosterior()));
