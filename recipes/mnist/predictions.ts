/** Predictions for many digits, by one network or under a posterior. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, map, toArray } from 'rxjs';
import {
  type Calibrator,
  type Classification,
  calibrate,
  entropy,
  type InputSource,
  type OnProgress,
  orThrow,
  type Posterior,
  type Predictive,
  predict,
} from 'tfjs-laplace';
import { CLASSES, type Digits, inputsOf } from './digits.js';

/** Predictions for B digits. */
export interface Predictions {
  /** Class probabilities [B][10]. */
  readonly probabilities: ReadonlyArray<Float32Array>;
  /** Predictive entropy [B], in nats. */
  readonly entropy: ArrayLike<number>;
  /** The part of the entropy that comes from uncertainty about the weights [B], in nats. */
  readonly mutualInformation: ArrayLike<number>;
  /** How long the predictions took. */
  readonly milliseconds: number;
}

/** Digits in a batch of the linearised predictive or of activation sampling. */
export const BATCH = 128;
/**
 * Digits in a batch of a single network, or of weight sampling, whose batches all share the networks drawn with the first one.
 */
const LARGE_BATCH = 1000;

/** Predictions of one network: the trained one (MAP) or a sampled one. Their mutual information is 0. */
export async function networkPredictions(model: LayersModel, digits: Digits): Promise<Predictions> {
  const start = performance.now();
  const probabilities: Float32Array[] = [];
  for (const batch of inputsOf(digits, LARGE_BATCH)) {
    const p = tf.tidy(() => model.predict(batch()) as tf.Tensor);
    const values = await p.data().finally(() => p.dispose());
    for (let b = 0; b < values.length; b += CLASSES) probabilities.push((values as Float32Array).subarray(b, b + CLASSES));
  }
  const milliseconds = performance.now() - start;
  return {
    probabilities,
    entropy: orThrow(entropy(probabilities)),
    mutualInformation: new Float32Array(digits.count),
    milliseconds,
  };
}

/**
 * The predictions of a network at another temperature of its softmax.
 *
 * @param scale the inverse of the temperature
 */
export function rescaled({ probabilities: given, mutualInformation, milliseconds }: Predictions, scale: number): Predictions {
  const temperature: Calibrator = {
    _tag: 'calibrator',
    classes: (given[0] as Float32Array).length,
    map: { _tag: 'temperature', temperature: 1 / scale },
  };
  const probabilities = orThrow(calibrate(given, temperature)).map((row) => Float32Array.from(row));
  return { probabilities, entropy: orThrow(entropy(probabilities)), mutualInformation, milliseconds };
}

/**
 * Predictions under a posterior.
 *
 * @param predictive how the weights are integrated out: linearised or by sampling
 */
export async function posteriorPredictions(
  model: LayersModel,
  posterior: Posterior,
  predictive: Predictive,
  digits: Digits,
  onProgress: OnProgress,
): Promise<Predictions> {
  const start = performance.now();
  const batches = inputsOf(digits, predictive._tag === 'weightSampling' ? LARGE_BATCH : BATCH);
  const parts = await lastValueFrom(
    from<Iterable<InputSource>>(batches).pipe(
      predict(model, posterior, predictive, { onProgress, total: batches.length }),
      // The likelihood is categorical, so every prediction is a classification. The type of a posterior does not tell that.
      map((prediction) => prediction as Classification),
      toArray(),
    ),
  );
  return {
    probabilities: parts.flatMap((part) => part.probabilities),
    entropy: parts.flatMap((part) => Array.from(part.entropy)),
    mutualInformation: parts.flatMap((part) => Array.from(part.mutualInformation)),
    milliseconds: performance.now() - start,
  };
}

/** The predictions of an ensemble: the mean of its members' probabilities, and the entropies of that mean. */
export function ensemble(members: ReadonlyArray<Predictions>): Predictions {
  const first = members[0] as Predictions;
  const probabilities = first.probabilities.map((row, b) =>
    row.map((_, c) => members.reduce((sum, member) => sum + (member.probabilities[b]?.[c] as number), 0) / members.length),
  );
  const total = orThrow(entropy(probabilities));
  const mean = (b: number): number => members.reduce((sum, member) => sum + (member.entropy[b] as number), 0) / members.length;
  return {
    probabilities,
    entropy: total,
    mutualInformation: total.map((h, b) => Math.max(0, h - mean(b))),
    milliseconds: members.reduce((sum, member) => sum + member.milliseconds, 0),
  };
}
