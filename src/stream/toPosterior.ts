/** Factors to posterior, as an operator around the pure `posteriorOf`. */
import { map, type OperatorFunction } from 'rxjs';
import type { LayerSelection } from '../codec/layers.js';
import type { Factors } from '../curvature/factors.js';
import type { LinalgEngine } from '../linalg/engine.js';
import { defaultEngine } from '../linalg/select.js';
import { type Damping, exactDamping, isotropic, type Prior, perLayer } from '../posterior/codec.js';
import { type Posterior, posteriorOf } from '../posterior/posterior.js';
import type { OnProgress } from '../types.js';
import { orThrow } from './observed.js';

/** Options of `toPosterior`; a recipe serves as well. */
export interface ToPosteriorOptions {
  /** τ: one number > 0 for all layers, or one by layer name. Default 1. */
  readonly priorPrecision?: number | Readonly<Record<string, number>>;
  /** The same as a value of the DSL; `priorPrecision` wins. */
  readonly prior?: Prior;
  /** Default `exactDamping()`. */
  readonly damping?: Damping;
  /** Layers to cover; the others stay at their MAP. Default: those of the factors. */
  readonly layers?: LayerSelection;
  /** N, where it is not the number of observed examples. */
  readonly datasetSize?: number;
  /** Linear algebra; chosen by the backend unless given. */
  readonly engine?: LinalgEngine;
  /** Called after each layer. */
  readonly onProgress?: OnProgress;
}

/**
 * Builds a posterior from each `Factors`. Blocks while it decomposes two symmetric matrices a layer; no device memory is held.
 *
 * Errors of the stream: those of `posteriorOf`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior({ priorPrecision: 10 })),
 * );
 * posterior.layers[0].priorPrecision; // => 10
 * ```
 */
export const toPosterior = (options: ToPosteriorOptions = {}): OperatorFunction<Factors, Posterior> =>
  map((factors) => orThrow(posteriorOf(factors, decided(options), engineOf(options), progress(options))));

function decided(options: ToPosteriorOptions) {
  const { priorPrecision: tau, prior = isotropic(1), damping = exactDamping(), layers = 'all', datasetSize } = options;
  const own = tau === undefined ? prior : typeof tau === 'number' ? isotropic(tau) : perLayer(tau);
  return { prior: own, damping, layers, ...(datasetSize === undefined ? {} : { datasetSize }) };
}

const engineOf = (options: ToPosteriorOptions): LinalgEngine => options.engine ?? defaultEngine();

const progress =
  ({ onProgress }: ToPosteriorOptions) =>
  (done: number, total: number, detail: string): void =>
    onProgress?.({ phase: 'decompose', done, total, unit: 'layers', detail });
