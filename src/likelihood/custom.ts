/** The operations of a likelihood of one's own: what was given, what follows from it, and checks of the shapes that come out. */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import { foldIn } from '../random/key.js';
import type { LikelihoodOf } from './codec.js';
import type { LikelihoodOps } from './likelihood.js';

/** Operations made of the given functions; the gradient comes from autodiff unless it is given. */
export const customOps = (own: LikelihoodOf<'custom'>): LikelihoodOps<'numbers'> => {
  const { name, nll, sample, mean, variance, labelShapeFits = firstIsBatch, labelsInRange } = own;
  const returned = <T extends tf.Tensor>(what: string, found: T, shape: ReadonlyArray<number | null>): T => {
    const fits = found.rank === shape.length && shape.every((d, i) => d === null || d === found.shape[i]);
    if (fits) return found;
    throw laplaceError('InvalidOption', {
      what: `${what} of likelihood '${name}' returned another shape`,
      field: what,
      found: `[${found.shape.join(', ')}]`,
      expected: `[${shape.map((d) => d ?? '…').join(', ')}]`,
    });
  };
  const losses = (f: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor1D => returned('nll', nll(f, y), [f.shape[0]]);
  const byAutodiff = (f: tf.Tensor2D, y: tf.Tensor2D) => tf.grad((t) => tf.sum(losses(t as tf.Tensor2D, y)))(f) as tf.Tensor2D;
  const { gradient: given = byAutodiff } = own;
  const gradient = (f: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D => returned('gradient', given(f, y), f.shape);
  return {
    name,
    predicts: 'numbers',
    links: [],
    forbidden: [],
    outputsFit: (C) => C >= 1,
    outputs: 'C >= 1',
    losses: [],
    ownLoss: 'its NLL',
    labels: () => `the labels of '${name}'`,
    labelShapeFits,
    // Never [B]: beside outputs [B, 1] that would broadcast to [B, B].
    targets: (y) => (y.rank === 1 ? tf.reshape(tf.cast(y, 'float32'), [-1, 1]) : (tf.cast(y, 'float32') as tf.Tensor2D)),
    labelsInRange: (y) =>
      labelsInRange === undefined ? tf.scalar(1) : (tf.reshape(tf.cast(labelsInRange(y), 'float32'), []) as tf.Scalar),
    logLikelihoods: (f, targets) => tf.neg(losses(f, targets)),
    gradient,
    hessianRoot: (f) => returned('hessianRoot', own.hessianRoot(f), [null, ...f.shape]),
    sampledGradient: (f, key, draws) => {
      if (sample === undefined) throw noSampler(name);
      const all = tf.tile(f, [draws, 1]);
      const y = sample(all, foldIn(key, 0).lo);
      const labels = returned('sample', y.rank === 1 ? tf.reshape(y, [-1, 1]) : y, [
        all.shape[0],
        ...y.shape.slice(1),
        ...(y.rank === 1 ? [1] : []),
      ]);
      return tf.reshape(gradient(all, tf.cast(labels, 'float32') as tf.Tensor2D), [draws, ...f.shape]);
    },
    mean: (f) => (mean === undefined ? f : returned('mean', mean(f), [f.shape[0], null])),
    missing: (['mean', 'variance'] as const).filter((moment) => own[moment] === undefined),
    ...(variance === undefined ? {} : { variance: (f) => returned('variance', variance(f), [f.shape[0], null]) }),
  };
};

const firstIsBatch = (shape: ReadonlyArray<number>, size: number): boolean => shape.length >= 1 && shape[0] === size;

const noSampler = (name: string) =>
  laplaceError('InvalidOption', {
    what: `Likelihood '${name}' cannot draw labels`,
    field: 'sample',
    found: 'no sample function',
    expected: 'sample: (f, seed) => labels, for the monteCarlo estimator',
    remedy: "Give customLikelihood a sample function, or use kfac({ fisher: 'exact' }), which draws nothing.",
  });
