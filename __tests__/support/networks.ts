/** Small networks and data whose numbers are the same in every run. */
import * as tf from '@tensorflow/tfjs';
import type { Likelihood } from 'tfjs-laplace';
import { bernoulli, categorical, gaussian } from 'tfjs-laplace';

/** Numbers in [−1, 1) without a pattern that matters: the fractions of a fast sine. */
const numbers = (size: number, seed: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => {
    const v = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (v - Math.floor(v)) - 1;
  });

/** A tensor of such numbers. */
export const tensor = (shape: ReadonlyArray<number>, seed: number): tf.Tensor =>
  tf.tensor(numbers(tf.util.sizeFromShape([...shape]), seed), [...shape]);

/** Gives a model weights that depend on nothing but their order, and the model back. */
export function withFixedWeights<M extends tf.LayersModel>(model: M, seed = 1): M {
  tf.tidy(() => model.setWeights(model.getWeights().map((w, i) => tensor(w.shape, seed + i))));
  return model;
}

/** A likelihood with a loss of tfjs that is its negative log-likelihood, and what they ask of a model and its labels. */
export interface Pair {
  readonly name: string;
  readonly likelihood: Likelihood;
  readonly outputs: number;
  /** The last activation. */
  readonly link: 'softmax' | 'sigmoid' | 'linear';
  readonly loss: tf.ModelCompileArgs['loss'];
  readonly labels: (examples: number) => tf.Tensor;
}

const classNumbers = (examples: number): Float32Array => numbers(examples, 5).map((v) => Math.floor(1.5 * (v + 1)));
const oneHot = (examples: number): tf.Tensor =>
  tf.tidy(() => tf.oneHot(tf.tensor1d(classNumbers(examples), 'int32'), 3).toFloat());
const coins =
  (K: number) =>
  (examples: number): tf.Tensor =>
    tf.tensor2d(
      numbers(examples * K, 6).map((v) => (v > 0 ? 1 : 0)),
      [examples, K],
    );
const reals =
  (C: number) =>
  (examples: number): tf.Tensor =>
    tensor([examples, C], 7);

const classes = { likelihood: categorical(), outputs: 3 } as const;
const yesOrNo = (K: number) => ({ likelihood: bernoulli(), outputs: K, labels: coins(K) }) as const;
const regression = (C: number) =>
  ({ likelihood: gaussian({ noiseVariance: 0.3 }), outputs: C, link: 'linear', labels: reals(C) }) as const;

/** Every pair that the likelihoods list, with one output and with several where both exist. */
export const PAIRS: ReadonlyArray<Pair> = [
  { name: 'classes, softmax inside', ...classes, link: 'softmax', loss: 'categoricalCrossentropy', labels: oneHot },
  {
    name: 'class numbers, softmax inside',
    ...classes,
    link: 'softmax',
    loss: 'sparseCategoricalCrossentropy',
    labels: (examples) => tf.tensor1d(classNumbers(examples)),
  },
  { name: 'classes, logits', ...classes, link: 'linear', loss: tf.losses.softmaxCrossEntropy, labels: oneHot },
  { name: 'a label, sigmoid inside', ...yesOrNo(1), link: 'sigmoid', loss: 'binaryCrossentropy' },
  { name: 'labels, sigmoid inside', ...yesOrNo(3), link: 'sigmoid', loss: 'binaryCrossentropy' },
  { name: 'a label, sigmoid inside, logLoss', ...yesOrNo(1), link: 'sigmoid', loss: tf.losses.logLoss },
  { name: 'labels, sigmoid inside, logLoss', ...yesOrNo(3), link: 'sigmoid', loss: tf.losses.logLoss },
  { name: 'a label, logit', ...yesOrNo(1), link: 'linear', loss: tf.losses.sigmoidCrossEntropy },
  { name: 'labels, logits', ...yesOrNo(3), link: 'linear', loss: tf.losses.sigmoidCrossEntropy },
  { name: 'a number', ...regression(1), loss: 'meanSquaredError' },
  { name: 'numbers', ...regression(3), loss: 'meanSquaredError' },
  { name: 'a number, loss as a function', ...regression(1), loss: tf.losses.meanSquaredError },
  { name: 'numbers, loss as a function', ...regression(3), loss: tf.losses.meanSquaredError },
];

/** The pair of that name. */
export const pair = (name: string): Pair => {
  const found = PAIRS.find((p) => p.name === name);
  if (found === undefined) throw new Error(`no pair is named ${name}`);
  return found;
};

/** Inputs of every network here have 4 numbers. */
export const INPUTS = 4;

/** Training data for a pair. */
export const dataOf = ({ labels }: Pick<Pair, 'labels'>, examples: number): { x: tf.Tensor; y: tf.Tensor } => ({
  x: tensor([examples, INPUTS], 3),
  y: labels(examples),
});

/** Options of `chain`. */
export interface ChainOptions {
  readonly activation?: string;
  readonly optimizer?: string | tf.Optimizer;
}

/** 4 inputs, 5 hidden units and the pair's outputs: compiled, with fixed weights. */
export function chain(
  { outputs, link, loss }: Pair,
  { activation = 'tanh', optimizer = 'sgd' }: ChainOptions = {},
): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [INPUTS], activation: activation as 'tanh', name: 'hidden' }),
      tf.layers.dense({ units: outputs, activation: link, name: 'outputs' }),
    ],
  });
  model.compile({ optimizer, loss });
  return withFixedWeights(model);
}
