/** Small factors and posteriors of every structure, for tests of files. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  customFisher,
  customLikelihood,
  diagonal,
  ekfac,
  type Factors,
  factoredDamping,
  full,
  gaussian,
  kfac,
  kfra,
  type Likelihood,
  lowRank,
  type Posterior,
  perOutput,
  perStep,
} from 'tfjs-laplace';
import { LARGEST_FACTOR } from '../../src/limits.js';
import { factorsOf, posteriorFrom } from './math/laplace.js';
import { dense, functional, inputsFor, on, withWeights } from './math/networks.js';

/** A likelihood of one's own: a normal with variance 1. */
export const ownLikelihood = customLikelihood({
  name: 'own',
  nll: (f, y) => tf.sum(tf.mul(0.5, tf.squaredDifference(f, y)), 1),
  hessianRoot: (f) => tf.mul(tf.expandDims(tf.eye(f.shape[1]), 1), tf.onesLike(tf.expandDims(f, 0))),
});

/** A model, its factors and a posterior. */
export interface Kept {
  readonly model: tf.LayersModel;
  readonly x: tf.Tensor[];
  readonly factors: Factors;
  readonly posterior: Posterior;
}

const chainOf = (): tf.LayersModel => functional([2], (x) => on(dense(2), on(dense(2, { activation: 'tanh' }), x)));

const embedded = (): tf.LayersModel =>
  functional([3], (x) =>
    on(dense(2), on(tf.layers.globalAveragePooling1d({}), on(tf.layers.embedding({ inputDim: 4, outputDim: 2 }), x))),
  );

const depthwise = (): tf.LayersModel =>
  functional([3, 3, 2], (x) =>
    on(dense(1), on(tf.layers.flatten(), on(tf.layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 1 }), x))),
  );

const wide = (): tf.LayersModel => functional([2], (x) => on(dense(2), x));

const steps = (): tf.LayersModel => functional([3, 2], (x) => on(dense(2), x));

const twoHeads = (): tf.LayersModel =>
  functional([2], (x) => {
    const hidden = on(dense(2, { activation: 'tanh' }), x);
    return [on(dense(1, { name: 'left' }), hidden), on(dense(2, { name: 'right' }), hidden)];
  });

type Recipe = readonly [model: () => tf.LayersModel, likelihood: Likelihood, curvature: Curvature];

/** What each case is made of. */
export const KEPT: Readonly<Record<string, Recipe>> = {
  kronecker: [chainOf, gaussian(), kfac()],
  'kronecker with shares': [chainOf, gaussian({ noiseVariance: [0.5, 2] }), kfac({ noise: 'perOutput' })],
  groups: [depthwise, gaussian(), kfac()],
  embedding: [embedded, gaussian(), kfac()],
  diagonal: [chainOf, gaussian(), diagonal()],
  'diagonal with shares': [chainOf, gaussian(), diagonal({ noise: 'perOutput' })],
  eigen: [chainOf, gaussian(), ekfac()],
  full: [wide, gaussian(), full()],
  'full with shares': [wide, gaussian(), full({ noise: 'perOutput' })],
  'low rank': [wide, { _tag: 'categorical', labelSmoothing: 0 } as Likelihood, lowRank({ rank: 1 })],
  'low rank, diagonal': [wide, gaussian(), lowRank({ rank: 1 })],
  kfra: [chainOf, gaussian(), kfra()],
  'steps of a sequence': [steps, perStep(gaussian()), kfac({ weightSharing: 'reduce' })],
  'several outputs': [twoHeads, perOutput({ left: gaussian(), right: gaussian({ noiseVariance: [1, 3] }) }), kfac()],
  'a likelihood of one’s own': [chainOf, ownLikelihood, kfac()],
  'a Fisher matrix of one’s own': [
    chainOf,
    gaussian(),
    kfac({ fisher: customFisher({ name: 'mine', columns: (f) => tf.ones([1, ...f.shape]) as tf.Tensor3D }) }),
  ],
};

/** One input more than a whole input factor may have, counting the bias: of the inputs only the diagonal is kept. */
const manyInputs = (): tf.LayersModel => functional([LARGEST_FACTOR], (x) => on(dense(2), x));

/** Cases with files too large for a test of every byte. */
export const LARGE: Readonly<Record<string, Recipe>> = {
  'many inputs': [manyInputs, gaussian(), kfac({ unsupported: 'diagonal' })],
};

/** Makes a case. */
export async function keptOf(name: string): Promise<Kept> {
  const [create, likelihood, curvature] = { ...KEPT, ...LARGE }[name] as Recipe;
  const model = withWeights(create(), 7);
  const x =
    name === 'embedding'
      ? [
          tf.tensor2d(
            [
              [0, 1, 2],
              [3, 3, 0],
            ],
            [2, 3],
            'int32',
          ),
        ]
      : inputsFor(model, 2, 3);
  const y = model.outputs.map(({ shape }, o) => {
    const [, ...rest] = shape as number[];
    const size = rest.reduce((a, b) => a * b, 2);
    const values = Array.from({ length: size }, (_, i) => Math.sin(3 * i + o));
    return likelihood._tag === 'categorical'
      ? tf.tensor2d([
          [1, 0],
          [0, 1],
        ])
      : tf.tensor(values, [2, ...rest]);
  });
  const factors = await factorsOf(model, likelihood, { x, y: (y.length === 1 ? y[0] : y) as tf.Tensor }, curvature, 2);
  const damping = name === 'kronecker' ? { damping: factoredDamping() } : {};
  return { model, x, factors, posterior: await posteriorFrom(factors, { priorPrecision: 0.3, ...damping }) };
}
