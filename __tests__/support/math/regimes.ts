/** Networks whose curvature is a Kronecker product, each beside a neighbour for which it is not: see `exactness.test.ts`. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, heteroscedastic, type Likelihood, perStep, poisson } from 'tfjs-laplace';
import { chain, dense, functional, on, withWeights } from './networks.js';

const L = tf.layers;

const numbers = gaussian({ noiseVariance: [0.3, 0.8] });

/** A network, its likelihood and some examples; which blocks are no Kronecker products. */
export interface Regime {
  readonly name: string;
  readonly build: () => tf.LayersModel;
  readonly likelihood: Likelihood;
  readonly examples: number;
  readonly weightSharing?: 'expand' | 'reduce';
  /** Inputs are token numbers below this. */
  readonly tokens?: number;
  /** Numbers of the layers that are off; all others are exact. */
  readonly off?: ReadonlyArray<number>;
}

const sequential = (...layers: tf.layers.Layer[]): tf.LayersModel => withWeights(tf.sequential({ layers }), 11);

/** A linear network on sequences whose outputs are the mean over positions. */
const pooled = () => sequential(dense(3, { inputShape: [4, 2] }), dense(2), L.globalAveragePooling1d({}), dense(2));
/** The same with images and a convolution; what comes after it sees one position at a time. */
const pooledImages = () =>
  sequential(
    L.conv2d({ inputShape: [5, 4, 2], filters: 3, kernelSize: 3, padding: 'same' }),
    L.conv2d({ filters: 2, kernelSize: 1 }),
    L.globalAveragePooling2d({}),
    dense(2),
  );
/** A linear network with outputs of its own at each of four steps. */
const stepwise = () =>
  sequential(L.conv1d({ inputShape: [6, 2], filters: 3, kernelSize: 3 }), L.timeDistributed({ layer: dense(3) }), dense(2));

const ONE_EXAMPLE = (
  [categorical(), bernoulli(), gaussian({ noiseVariance: [0.3, 0.8, 1.5, 0.1] }), heteroscedastic(), poisson()] as const
).flatMap((likelihood): Regime[] => [
  { name: `one example of a chain, ${likelihood._tag}`, build: () => chain([4, 3, 4]), likelihood, examples: 1 },
  {
    name: `two examples of a chain, ${likelihood._tag}`,
    build: () => chain([4, 3, 4]),
    likelihood,
    examples: 2,
    // The last layer's G of a Gaussian with known noise is that of every example.
    off: likelihood._tag === 'gaussian' ? [0, 1] : [0, 1, 2],
  },
]);

/** Every regime beside what leaves it by one step. */
export const REGIMES: ReadonlyArray<Regime> = [
  ...ONE_EXAMPLE,
  {
    name: 'one example where convolutions see one position, groups too',
    build: () =>
      sequential(
        L.depthwiseConv2d({ inputShape: [3, 2, 2], kernelSize: [3, 2], depthMultiplier: 2, activation: 'tanh' }),
        L.conv2d({ filters: 3, kernelSize: 1, activation: 'tanh' }),
        L.flatten(),
        dense(3),
      ),
    likelihood: categorical(),
    examples: 1,
  },
  {
    name: 'one example in a residual graph',
    build: () =>
      withWeights(
        functional([3], (x) => on(dense(2), on(L.add(), x, on(dense(3), on(dense(3, { activation: 'tanh' }), x))))),
        7,
      ),
    likelihood: categorical(),
    examples: 1,
  },
  {
    name: 'one example that goes through a layer twice',
    build: () => {
      const shared = dense(3, { activation: 'tanh' });
      return withWeights(
        functional([3], (x) => on(dense(2), on(shared, on(shared, x)))),
        7,
      );
    },
    likelihood: categorical(),
    examples: 1,
    off: [0],
  },
  {
    name: 'one example with shared weights below a mean, no longer linear',
    build: () => sequential(dense(3, { inputShape: [4, 2], activation: 'tanh' }), L.globalAveragePooling1d({}), dense(3)),
    likelihood: categorical(),
    examples: 1,
    weightSharing: 'reduce',
    off: [0],
  },
  {
    name: 'a deep linear network, Gaussian',
    build: () => sequential(dense(4, { inputShape: [3] }), dense(3), dense(2)),
    likelihood: numbers,
    examples: 6,
  },
  {
    name: 'a linear graph, Gaussian',
    build: () =>
      withWeights(
        functional([3], (x) => on(dense(2), on(L.concatenate(), x, on(dense(3), on(dense(2), x))))),
        7,
      ),
    likelihood: numbers,
    examples: 6,
  },
  {
    name: 'a deep linear network, categorical',
    build: () => sequential(dense(4, { inputShape: [3] }), dense(3), dense(2)),
    likelihood: categorical(),
    examples: 6,
    off: [0, 1, 2],
  },
  { name: 'a mean over positions, reduce', build: pooled, likelihood: numbers, examples: 6, weightSharing: 'reduce' },
  {
    name: 'a mean over positions, expand',
    build: pooled,
    likelihood: numbers,
    examples: 6,
    weightSharing: 'expand',
    off: [0, 1],
  },
  { name: 'a mean over pixels, reduce', build: pooledImages, likelihood: numbers, examples: 6, weightSharing: 'reduce' },
  {
    name: 'a mean over pixels, expand',
    build: pooledImages,
    likelihood: numbers,
    examples: 6,
    weightSharing: 'expand',
    off: [0, 1],
  },
  {
    // Pixels at the border are seen by fewer windows of the second convolution: their gradients are others.
    name: 'a mean over pixels below a convolution of several, reduce',
    build: () =>
      sequential(
        L.conv2d({ inputShape: [5, 4, 2], filters: 3, kernelSize: 2 }),
        L.conv2d({ filters: 2, kernelSize: 2 }),
        L.globalAveragePooling2d({}),
        dense(2),
      ),
    likelihood: numbers,
    examples: 6,
    weightSharing: 'reduce',
    off: [0],
  },
  {
    name: 'a loss at every step, expand',
    build: stepwise,
    likelihood: perStep(numbers),
    examples: 6,
    weightSharing: 'expand',
  },
  {
    name: 'a loss at every step, reduce',
    build: stepwise,
    likelihood: perStep(numbers),
    examples: 6,
    weightSharing: 'reduce',
    off: [0, 1, 2],
  },
  {
    name: 'a loss at every token, expand',
    build: () => sequential(L.embedding({ inputDim: 6, outputDim: 3, inputLength: 5 }), dense(3), dense(2)),
    likelihood: perStep(numbers),
    examples: 6,
    weightSharing: 'expand',
    tokens: 6,
  },
  {
    name: 'a loss at every step that sees its neighbours, expand',
    build: () => sequential(dense(3, { inputShape: [6, 2] }), L.conv1d({ filters: 2, kernelSize: 3, padding: 'same' })),
    likelihood: perStep(numbers),
    examples: 6,
    weightSharing: 'expand',
    off: [0],
  },
];
