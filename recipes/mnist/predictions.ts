/** Predictions for many digits at once: by the network as it was trained, or under the posterior. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, map, toArray } from 'rxjs';
import {
  type Classification,
  entropy,
  type InputSource,
  type OnProgress,
  type Posterior,
  type Predictive,
  predict,
} from 'tfjs-laplace';
import { CLASSES, type Digits, inputsOf } from './digits.js';

/** What is predicted for some digits. */
export interface Predictions {
  /** [B][10] */
  readonly probabilities: ReadonlyArray<Float32Array>;
  /** Predictive entropy in nats. [B] */
  readonly entropy: ArrayLike<number>;
  /** The part of it that comes from not knowing the weights, in nats. [B] */
  readonly mutualInformation: ArrayLike<number>;
  readonly milliseconds: number;
}

/** Digits that go through the network at once. */
const BATCH = 128;
/** The same where a digit is one row, or where all batches share networks that are drawn with the first. */
const LARGE_BATCH = 1000;

/** Class probabilities of one network: the MAP's, or a sampled one's. */
export async function networkPredictions(model: LayersModel, digits: Digits): Promise<Predictions> {
  const start = performance.now();
  const probabilities: Float32Array[] = [];
  for (const batch of inputsOf(digits, LARGE_BATCH)) {
    const p = tf.tidy(() => model.predict(batch()) as tf.Tensor);
    const values = await p.data().finally(() => p.dispose());
    for (let b = 0; b < values.length; b += CLASSES) probabilities.push((values as Float32Array).subarray(b, b + CLASSES));
  }
  const milliseconds = performance.now() - start;
  return { probabilities, entropy: entropy(probabilities), mutualInformation: new Float32Array(digits.count), milliseconds };
}

/** What a posterior predicts. */
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
      // A categorical likelihood gives classifications, which the types of a posterior do not say.
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

/** The mean of several networks' predictions. */
export function ensemble(members: ReadonlyArray<Predictions>): Predictions {
  const first = members[0] as Predictions;
  const probabilities = first.probabilities.map((row, b) =>
    row.map((_, c) => members.reduce((sum, member) => sum + (member.probabilities[b]?.[c] as number), 0) / members.length),
  );
  const total = entropy(probabilities);
  const mean = (b: number): number => members.reduce((sum, member) => sum + (member.entropy[b] as number), 0) / members.length;
  return {
    probabilities,
    entropy: total,
    mutualInformation: total.map((h, b) => Math.max(0, h - mean(b))),
    milliseconds: members.reduce((sum, member) => sum + member.milliseconds, 0),
  };
}
