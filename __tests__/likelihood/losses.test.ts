/** The losses that a likelihood lists are its negative log-likelihood, up to the factor that it lists: by autodiff of tfjs's own loss. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, categorical, gaussian, type OutputLikelihood, poisson } from 'tfjs-laplace';
import { type LossRule, likelihoodOps } from '../../src/likelihood/index.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { FLOAT32, inRows, relativeError } from '../support/math/numbers.js';

const CASES: ReadonlyArray<readonly [OutputLikelihood, C: number, labels: tf.TensorLike, sparse: tf.TensorLike]> = [
  [
    categorical(),
    3,
    [
      [0, 0, 1],
      [1, 0, 0],
    ],
    [2, 0],
  ],
  [bernoulli(), 1, [[1], [0]], []],
  [
    bernoulli(),
    3,
    [
      [1, 0, 1],
      [0, 0, 1],
    ],
    [],
  ],
  [gaussian({ noiseVariance: 0.3 }), 1, [[2], [-1]], []],
  [
    gaussian({ noiseVariance: [2, 2] }),
    2,
    [
      [2, 1],
      [-1, 0],
    ],
    [],
  ],
  [poisson(), 1, [[2], [0]], []],
  [
    poisson(),
    3,
    [
      [2, 1, 20],
      [0, 0, 4],
    ],
    [],
  ],
  [
    gaussian({ noiseVariance: 4 }),
    3,
    [
      [1, 0, 5],
      [0, -3, 1],
    ],
    [],
  ],
];

const RULES = CASES.flatMap(([likelihood, C, labels, sparse]) =>
  likelihoodOps(likelihood, C).losses.map((rule) => ({
    name: `${likelihood._tag} of ${C}: ${typeof rule.loss === 'string' ? rule.loss : rule.loss.name.replace(/_+(op)?_*$/, '')}`,
    likelihood,
    C,
    labels: rule.loss === 'sparseCategoricalCrossentropy' ? sparse : labels,
    rule,
  })),
);

it.each(RULES)('$name', ({ likelihood, C, labels, rule }) => {
  const ops = likelihoodOps(likelihood, C);
  const f = tf.tensor2d(inRows(take(2 * C, normalSource(5)), C));
  const y = tf.tensor(labels);
  const loss = compiled(rule, C);
  const link = (t: tf.Tensor): tf.Tensor => (rule.takes === 'outputs' ? ops.mean(t as tf.Tensor2D) : t);
  // What training differentiates is the mean over the batch of two; the NLL is of one example.
  const trained = tf.grad((t) => tf.mean(loss(y, link(t))))(f);
  const found = tf.mul(trained, 2 * rule.scale(C));
  // tfjs's logLoss adds 1e-7 within the logarithm: a relative 1e-7 / p, below FLOAT32 for these probabilities of 0.1 and more.
  expect(relativeError(found, ops.gradient(f, ops.targets(y, C)))).toBeLessThan(FLOAT32);
});

/** The loss as `compile` makes it from its name. */
function compiled(rule: LossRule, C: number): (y: tf.Tensor, outputs: tf.Tensor) => tf.Tensor {
  const inputs = tf.input({ shape: [1] });
  const model = tf.model({ inputs, outputs: tf.layers.dense({ units: C }).apply(inputs) as tf.SymbolicTensor });
  model.compile({ optimizer: 'sgd', loss: rule.loss as string });
  const { lossFunctions } = model as unknown as { lossFunctions: [(y: tf.Tensor, outputs: tf.Tensor) => tf.Tensor] };
  model.dispose();
  return lossFunctions[0];
}
