/** The structures of curvature that are compared, and a posterior of each, its prior precision chosen on held-out digits. */

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

/** Of each batch's columns those that make up all but a thousandth of its trace. */
const fisher = truncated({ tolerance: 1e-3 });

export const LIKELIHOOD = categorical();
export const KFAC = kfac({ fisher });

/** Name and curvature. */
export const STRUCTURES: ReadonlyArray<readonly [string, Curvature]> = [
  ['kfac', KFAC],
  ['ekfac', ekfac({ fisher })],
  ['diagonal', diagonal({ fisher })],
  ['kfac, last layer', kfac({ fisher, layers: 'last' })],
];

/** Factors by one pass; `ekfac` takes the eigenvectors of `basis` in place of a pass of its own for them. */
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

/** At a prior precision of 1: where the search for a better one starts. */
export const posteriorOf = (factors: Factors): Promise<Posterior> => lastValueFrom(of(factors).pipe(toPosterior()));
