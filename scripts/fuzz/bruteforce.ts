/** Curvature and linearised outputs of random networks against Jacobians by tf.variableGrads, which are combined in float64. */
import { inspect } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { type Curvature, diagonal, ekfac, full, kfac, type Likelihood, moments, outputDistribution, recipe } from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { matricesOf } from '../../__tests__/support/factors.js';
import { jacobiansOf } from '../../__tests__/support/linearised.js';
import { gaussNewton } from '../../__tests__/support/math/curvature64.js';
import { product, type Rows, transposed } from '../../__tests__/support/math/dense64.js';
import { factorsOf, posteriorFrom, right } from '../../__tests__/support/math/laplace.js';
import { hessian } from '../../__tests__/support/math/likelihoods64.js';
import { type Numbers, numbersOf } from '../../__tests__/support/math/numbers.js';
import { covarianceOf } from '../../__tests__/support/math/posteriors64.js';
import { blockJacobians } from '../../__tests__/support/zoo.js';
import { type Analysis, drawn } from './analysis/cases.js';
import { disposeModel } from './analysis/check.js';
import { type Head, likelihoodOf, oneHead } from './analysis/heads.js';
import { build, type NetworkSpec, usual } from './analysis/network.js';
import { largestOf } from './analysis/oracles.js';
import { claim } from './kind.js';
import { kindOf } from './kindOf.js';

/**
 * Float32 forward and backward passes of both sides, each in its own order, through up to eight operations (a recurrent layer has more) with
 * slopes of at most 1: some ten roundings each, of sums of up to 20 terms, relative to the largest entry. A dropped term is off by 1e-2.
 */
const FLOAT32 = 1e-4;
const N = 3;

/** A network of one output, whose weights and inputs are of the usual size, and an estimator. */
interface Compared {
  readonly network: NetworkSpec;
  readonly head: Head;
  readonly seed: number;
  readonly curvature: 'full' | 'diagonal' | 'kfac' | 'ekfac';
  readonly weightSharing: 'expand' | 'reduce';
}

/**
 * tfjs does not differentiate dilated convolutions. The maximum of equal numbers has no derivative: the same token at two positions gives them,
 * or numbers that rounding makes different.
 */
const isDifferentiable = ({ input, first, join }: NetworkSpec): boolean =>
  first.every(({ layer }) => layer !== 'dilated') && !(input === 'tokens' && join === 'maximum');

const compared: fc.Arbitrary<Compared> = fc.record({
  network: usual.filter(isDifferentiable),
  head: oneHead,
  seed: fc.nat(1e6),
  curvature: fc.constantFrom('full', 'diagonal', 'kfac', 'ekfac'),
  weightSharing: fc.constantFrom('expand', 'reduce'),
});

const estimator = ({ curvature, weightSharing }: Compared): Curvature =>
  ({ full: full(), diagonal: diagonal(), kfac: kfac({ weightSharing }), ekfac: ekfac({ weightSharing }) })[curvature];

/** Without weights of classes, which `hessian` does not know, and without a link: Jacobians are those of the outputs before it. */
const plain = ({ likelihood, ...own }: Head): Head => {
  const { classWeights: _, ...rest } = likelihood as typeof likelihood & { readonly classWeights?: unknown };
  return { ...own, link: 'linear', likelihood: rest };
};

const analysisOf = (own: Compared): Analysis => ({
  network: own.network,
  heads: [plain(own.head)],
  examples: { N, batch: N, seed: own.seed, scale: 1, repeated: false, weighted: false, ignores: false },
  choices: {},
  throughJson: false,
});

async function check(own: Compared): Promise<void> {
  const analysis = analysisOf(own);
  const model = build(analysis.network, analysis.heads);
  const { x, y } = drawn(analysis, model);
  try {
    const { likelihood } = recipe({ likelihood: likelihoodOf(analysis.heads, false, false) });
    await compare(own, model, likelihood, x, y[0] as tf.Tensor);
  } finally {
    disposeModel(model);
    tf.dispose([x, y]);
  }
}

async function compare(
  chosen: Compared,
  model: tf.LayersModel,
  likelihood: Likelihood,
  x: tf.Tensor[],
  y: tf.Tensor,
): Promise<void> {
  const network = right(withBlocks(right(readNetwork(model, likelihood)), 'all'));
  const outputs = tf.tidy(() => (model.predict(x.length === 1 ? (x[0] as tf.Tensor) : x) as tf.Tensor2D).arraySync());
  const factors = await factorsOf(model, likelihood, { x, y }, estimator(chosen), 2);
  const jacobians = blockJacobians(network, x);
  const hessians = outputs.map((f) => hessian(likelihood, f));

  if (chosen.curvature === 'full' || chosen.curvature === 'diagonal') {
    const expected = chosen.curvature === 'full' ? [joined(jacobians)] : jacobians;
    const blocks = expected.map((own) => gaussNewton(own, hessians));
    // Slopes of a softmax, or of a normalisation, may cancel to ε of their terms, and are then off by some 1e-6 of these. A block of ε² is off
    // by 2e-6 ε of a block without: by less than FLOAT32 of ε², or of 1e-3.
    const least = 1e-3 * largestOf(blocks.flat(2));
    right(moments(factors)).forEach((layer, i) => {
      const block = blocks[i] as number[][];
      const { gradient, squares } = matricesOf(layer);
      const wanted = squares ? block.map((row, k) => row[k] as number) : block.flat();
      near(gradient?.data ?? squares?.data ?? [], wanted, `curvature of layer ${i}`, Math.max(largestOf(wanted), least));
    });
  }

  const posterior = await posteriorFrom(factors, { priorPrecision: 1 });
  const { covariance } = await outputDistribution(model, posterior, x.length === 1 ? (x[0] as tf.Tensor) : x);
  const rows = jacobiansOf(network, posterior, x);
  const C = network.outputs;
  const own = rows.map((layer) => Array.from({ length: N }, (_, b) => layer.slice(b * C, (b + 1) * C)));
  const expected = Array.from({ length: N }, (_, b) =>
    posterior.layers
      .map((_layer, l) => {
        const J = own[l]?.[b] as Rows;
        return product(J, covarianceOf(posterior, l), transposed(J)).flat();
      })
      .reduce((sum, layer) => sum.map((v, k) => v + (layer[k] as number))),
  );
  // Variances are at most 1, the prior's. The data may leave very little of J Σ Jᵀ, of terms as large as those of J Jᵀ.
  const largest = Math.max(...rows.flatMap((layer) => layer.map((row) => row.reduce((sum, v) => sum + v * v, 0))));
  near(covariance, expected.flat(), 'covariance of the outputs', largest);
}

/** Jacobians [example] of all blocks side by side. */
const joined = (jacobians: ReadonlyArray<ReadonlyArray<Rows>>): Rows[] =>
  Array.from({ length: N }, (_, b) =>
    ((jacobians[0] as ReadonlyArray<Rows>)[b] as Rows).map((_, c) =>
      jacobians.flatMap((block) => (block[b] as Rows)[c] as number[]),
    ),
  );

/** Numbers are near each other if they are off by less than rounding leaves of numbers of this size. */
function near(found: Numbers, expected: ReadonlyArray<number>, what: string, size: number): void {
  const numbers = numbersOf(found);
  claim(numbers.length === expected.length, () => `${numbers.length} numbers of the ${what} instead of ${expected.length}`);
  const error = largestOf(numbers.map((v, i) => v - (expected[i] as number)));
  claim(error <= FLOAT32 * size, () => `the ${what} is off by ${error} of ${size}`);
}

/** Networks whose curvature and outputs are computed by definition. */
export const bruteforce = kindOf({
  name: 'bruteforce',
  about: 'a random network: curvature and covariances of outputs against Jacobians in float64',
  share: 2,
  cases: compared,
  check,
  show: (own) => inspect(JSON.parse(JSON.stringify(own)), { depth: null, breakLength: 130 }),
});
