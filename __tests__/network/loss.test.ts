/** Which losses a likelihood takes, and what it says to the others: every loss that tfjs has, under every likelihood. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { bernoulli, categorical, customLikelihood, gaussian, heteroscedastic, type Likelihood, poisson } from 'tfjs-laplace';
import { type Head, type LossMatch, matchLoss, readNetwork } from 'tfjs-laplace/extend';
import { right } from '../support/math/laplace.js';

/** By their names in `compile`; tfjs lists them nowhere public. */
const NAMES = [
  'meanSquaredError',
  'meanAbsoluteError',
  'meanAbsolutePercentageError',
  'meanSquaredLogarithmicError',
  'squaredHinge',
  'hinge',
  'categoricalHinge',
  'logcosh',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'kullbackLeiblerDivergence',
  'poisson',
  'cosineProximity',
];
const FUNCTIONS = Object.entries(tf.losses).filter(([name]) => name !== 'computeWeightedLoss');
const LOSSES: ReadonlyArray<readonly [string, unknown]> = [...NAMES.map((name) => [name, name] as const), ...FUNCTIONS];

/** Class 'exponential', which a user can register with tfjs. */
class Exponential extends tf.serialization.Serializable {
  static readonly className = 'exponential';
  apply(x: tf.Tensor): tf.Tensor {
    return tf.exp(x);
  }
  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}
tf.serialization.registerClass(Exponential);

function match(likelihood: Likelihood, activation: string, loss: unknown, units = 4): E.Either<unknown, LossMatch> {
  const model = tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [3], activation: activation as 'softmax' })] });
  model.compile({ optimizer: 'sgd', loss: loss as string });
  try {
    return matchLoss(right(readNetwork(model, likelihood)));
  } finally {
    model.dispose();
  }
}

const factors = (likelihood: Likelihood, activation: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    LOSSES.flatMap(([name, loss]) => {
      const found = match(likelihood, activation, loss);
      if (E.isLeft(found)) return [];
      return [
        [typeof loss === 'string' ? name : `tf.losses.${name}`, found.right._tag === 'known' ? found.right.scale : Number.NaN],
      ];
    }),
  );

it('knows every loss of tfjs', () => {
  for (const name of NAMES) expect(() => match(gaussian(), 'linear', name)).not.toThrow();
  expect(FUNCTIONS.map(([name]) => name)).toHaveLength(8);
});

it.each<[string, Likelihood, string, Record<string, number>]>([
  [
    'probabilities of classes',
    categorical(),
    'softmax',
    { categoricalCrossentropy: 1, sparseCategoricalCrossentropy: 1, kullbackLeiblerDivergence: 1 },
  ],
  ['logits of classes', categorical(), 'linear', { 'tf.losses.softmaxCrossEntropy': 1 }],
  // Log-probabilities are logits: a loss of probabilities would take their logarithm once more.
  ['log-probabilities of classes', categorical(), 'logSoftmax', { 'tf.losses.softmaxCrossEntropy': 1 }],
  ['smoothed classes', categorical({ labelSmoothing: 0.1 }), 'softmax', {}],
  ['probabilities of labels', bernoulli(), 'sigmoid', { binaryCrossentropy: 4, 'tf.losses.logLoss': 4 }],
  ['logits of labels', bernoulli(), 'linear', { 'tf.losses.sigmoidCrossEntropy': 4 }],
  ['numbers', gaussian({ noiseVariance: 2 }), 'linear', { meanSquaredError: 1, 'tf.losses.meanSquaredError': 1 }],
  [
    'equal noise variances',
    gaussian({ noiseVariance: [2, 2, 2, 2] }),
    'linear',
    { meanSquaredError: 1, 'tf.losses.meanSquaredError': 1 },
  ],
  ['unequal noise variances', gaussian({ noiseVariance: [2, 2, 2, 3] }), 'linear', {}],
  ['means and log-variances', heteroscedastic(), 'linear', {}],
  ['rates', poisson(), 'exponential', { poisson: 4 }],
  ['log rates', poisson(), 'linear', {}],
])('%s have the losses', (_, likelihood, activation, expected) => {
  expect(factors(likelihood, activation)).toEqual(expected);
});

describe('a loss of tfjs that is not the NLL', () => {
  const said = (likelihood: Likelihood, activation: string, loss: unknown) =>
    E.swap(match(likelihood, activation, loss)) as E.Right<{ kind: string; expected: string; remedy: string; found: string }>;

  it.each<[string, unknown, string]>([
    ['meanSquaredError', 'meanSquaredError', 'gaussian()'],
    ['meanAbsoluteError', 'meanAbsoluteError', 'Laplace noise'],
    ['meanAbsolutePercentageError', 'meanAbsolutePercentageError', 'Laplace noise'],
    ['meanSquaredLogarithmicError', 'meanSquaredLogarithmicError', 'gaussian(), for a model of log(1 + y)'],
    ['squaredHinge', 'squaredHinge', 'no likelihood'],
    ['hinge', 'hinge', 'no likelihood'],
    ['categoricalHinge', 'categoricalHinge', 'no likelihood'],
    ['logcosh', 'logcosh', 'customLikelihood()'],
    ['categoricalCrossentropy', 'categoricalCrossentropy', 'categorical()'],
    ['sparseCategoricalCrossentropy', 'sparseCategoricalCrossentropy', 'categorical()'],
    ['binaryCrossentropy', 'binaryCrossentropy', 'bernoulli()'],
    ['kullbackLeiblerDivergence', 'kullbackLeiblerDivergence', 'categorical()'],
    ['poisson', 'poisson', 'poisson()'],
    ['cosineProximity', 'cosineProximity', 'customLikelihood()'],
    ['absoluteDifference', tf.losses.absoluteDifference, 'Laplace noise'],
    ['cosineDistance', tf.losses.cosineDistance, 'customLikelihood()'],
    ['hingeLoss', tf.losses.hingeLoss, 'no likelihood'],
    ['huberLoss', tf.losses.huberLoss, 'customLikelihood()'],
    ['logLoss', tf.losses.logLoss, 'bernoulli()'],
    ['meanSquaredError as a function', tf.losses.meanSquaredError, 'gaussian()'],
    ['sigmoidCrossEntropy', tf.losses.sigmoidCrossEntropy, 'bernoulli()'],
    ['softmaxCrossEntropy', tf.losses.softmaxCrossEntropy, 'categorical()'],
  ])('says which likelihood it belongs to: %s', (_, loss, words) => {
    const { right: error } = said(heteroscedastic(), 'linear', loss);
    expect(error.kind).toBe('LossMismatch');
    expect(error.remedy).toContain(words);
    expect(error.expected).toMatch(/^a function of your own: \(y, f\) => /);
  });

  it('says what takes the outputs as they are', () => {
    expect(said(categorical(), 'logSoftmax', 'categoricalCrossentropy').right).toMatchObject({
      found: "'categoricalCrossentropy', which takes outputs after the link",
      expected: 'tf.losses.softmaxCrossEntropy',
    });
    expect(said(categorical(), 'softmax', tf.losses.softmaxCrossEntropy).right.found).toContain('before the link');
    expect(said(poisson(), 'linear', 'poisson').right).toMatchObject({
      found: "'poisson', which takes outputs after the link",
      expected: expect.stringContaining('on log rates'),
    });
  });
});

describe("a function of one's own", () => {
  const own = (y: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.losses.softmaxCrossEntropy(y, f, undefined, 0.1);

  it.each<Likelihood>([
    categorical({ labelSmoothing: 0.1 }),
    gaussian(),
    heteroscedastic(),
    customLikelihood({ name: 'own', nll: (f) => tf.sum(f, 1), hessianRoot: (f) => tf.expandDims(f, 0) }),
  ])('may be anything: $_tag', (likelihood) => {
    expect(match(likelihood, 'linear', own)).toEqual(E.right({ _tag: 'custom' }));
  });

  it.each<[string, Likelihood, (y: tf.Tensor, f: tf.Tensor) => tf.Tensor]>([
    ['categorical', categorical({ labelSmoothing: 0.2 }), (y, f) => tf.losses.softmaxCrossEntropy(y, f, undefined, 0.2)],
    ['bernoulli', bernoulli({ labelSmoothing: 0.2 }), (y, f) => tf.losses.sigmoidCrossEntropy(y, f, undefined, 0.2)],
  ])('with label smoothing is the one that the error message names: %s', (_, likelihood, loss) => {
    const { heads } = right(readNetwork(tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] }), likelihood));
    const [{ ops }] = heads as [Head];
    const f = tf.tensor2d([
      [0.3, -1, 2],
      [0, 0.5, -0.1],
    ]);
    const y = tf.tensor2d([
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const scale = likelihood._tag === 'categorical' ? 2 : 6;
    const trained = tf.grad((t) => loss(y, t))(f);
    const expected = ops.gradient(f, ops.targets(y, 3));
    expect(tf.max(tf.abs(tf.sub(tf.mul(trained, scale), expected))).dataSync()[0]).toBeLessThan(1e-6);
  });
});
