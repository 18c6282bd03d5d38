/** A small network with a posterior and held-out data, tuned. */
import type * as tf from '@tensorflow/tfjs';
import {
  batches,
  type Curvature,
  type Likelihood,
  type Posterior,
  type TuneOptions,
  type Tuning,
  type TuningInput,
  tune,
} from 'tfjs-laplace';
import { dataFor, factorsOf, posteriorFrom } from './math/laplace.js';
import { chain } from './math/networks.js';

/** Sums of float32 outputs in another order; losses are logarithms of their probabilities. */
export const SAME = 5;

export interface Case {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
  readonly targets: number[][];
  readonly tuned: Tuning;
}

/** A network whose posterior is too wide, and held-out data from the labels' own distribution. */
export async function caseOf(
  likelihood: Likelihood,
  tuning: TuningInput = {},
  curvature?: Curvature,
  options: TuneOptions = {},
): Promise<Case> {
  const model = chain([3, 4, 3]);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, 12), curvature), {
    priorPrecision: 0.1,
  });
  const { x: inputs, targets, y } = dataFor(model, likelihood, 40, 77);
  const x = inputs[0] as tf.Tensor;
  return { model, posterior, x, y, targets, tuned: await tune(model, posterior, batches({ x, y }, 16), tuning, options) };
}

export const labelsOf = (targets: number[][]): number[] => targets.map((row) => row.indexOf(1));
