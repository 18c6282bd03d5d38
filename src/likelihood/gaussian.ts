/**
 * Gaussian likelihood with one noise variance σ²: NLL = Σ_c (f_c − y_c)² / (2σ²) + ½ log(2πσ²), Λ = I / σ².
 * Labels: [B, C], or [B] when C = 1, any finite numbers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { foldIn } from '../random/key.js';
import { normals } from '../random/normals.js';
import { diagonalColumns } from './columns.js';
import type { LikelihoodOps } from './likelihood.js';

/** Operations for noise variance σ² > 0. */
export const gaussianOps = (noiseVariance: number): LikelihoodOps => ({
  name: 'gaussian',
  links: [],
  forbidden: ['softmax', 'logSoftmax'],
  minOutputs: 1,
  // tfjs's mean squared error is (1/C) Σ (f − y)².
  losses: [
    { loss: 'meanSquaredError', takes: 'outputs', scale: (C) => C / (2 * noiseVariance) },
    { loss: tf.losses.meanSquaredError, takes: 'outputs', scale: (C) => C / (2 * noiseVariance) },
  ],
  labels: (C) => `finite numbers of shape ${C === 1 ? '[B] or [B, 1]' : `[B, ${C}]`}`,
  labelShapeFits: (shape, size, C) =>
    shape[0] === size && ((shape.length === 2 && shape[1] === C) || (shape.length === 1 && C === 1)),
  targets: (y, C) => tf.reshape(tf.cast(y, 'float32'), [-1, C]),
  labelsInRange: () => tf.scalar(1),
  logLikelihood: (f, targets) => {
    const constant = 0.5 * f.size * Math.log(2 * Math.PI * noiseVariance);
    return tf.sub(tf.mul(-0.5 / noiseVariance, tf.sum(tf.square(tf.sub(f, targets)))), constant);
  },
  gradient: (f, targets) => tf.div(tf.sub(f, targets), noiseVariance),
  hessianRoot: (f) => diagonalColumns(tf.fill(f.shape, 1 / Math.sqrt(noiseVariance))),
  sampledGradient: (f, key, draws) => {
    const [B, C] = f.shape;
    // y = f + σ ε, so (f − y) / σ² = −ε / σ, which has the law of ε / σ.
    return tf.div(tf.tensor(normals(foldIn(key, 0), draws * B * C), [draws, B, C]), Math.sqrt(noiseVariance));
  },
  mean: (f) => f,
});
