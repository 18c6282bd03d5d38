/** `leaveOneOut` against refits without each example, and against the dense formula in the weights; all references in float64. */
import * as tf from '@tensorflow/tfjs';
import {
  batches,
  bernoulli,
  categorical,
  full,
  gaussian,
  heteroscedastic,
  type LeaveOneOutOptions,
  type Likelihood,
  leaveOneOut,
  type Posterior,
  perStep,
  poisson,
  type Regression,
  type TensorData,
} from 'tfjs-laplace';
import { pass } from '../support/factors.js';
import { ANGLE, ANGLES, BOTH, DIGIT, DIGITS, headData, twoHeads } from '../support/heads.js';
import { combination, identity, inverse, outer, product, type Rows, transposed } from '../support/math/dense64.js';
import { denseLayers, jacobians } from '../support/math/jacobians.js';
import { dataFor, factorsOf, posteriorFrom } from '../support/math/laplace.js';
import { gradient, hessian, negativeLogLikelihood } from '../support/math/likelihoods64.js';
import { chain, dense, inputsFor, withWeights } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';

type Vector = ReadonlyArray<number>;

const dot = (a: Vector, b: Vector): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const times = (A: Rows, v: Vector): number[] => A.map((row) => dot(row, v));
const plain = (rows: ReadonlyArray<ArrayLike<number>>): number[][] => rows.map((row) => Array.from(row));
const meanOf = (values: Vector): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Cuts a data set into batches of four, and leaves its examples out one by one. */
const leftOut = (model: tf.LayersModel, posterior: Posterior, data: TensorData, options: LeaveOneOutOptions = {}) =>
  leaveOneOut(model, posterior, batches(data, 4), options);

describe('a linear model with Gaussian noise, at the ridge solution', () => {
  const [NOISE, TAU, N] = [[0.25, 4], 0.7, 12] as const;
  const likelihood = gaussian({ noiseVariance: NOISE });

  it('is the refit without each example: mean, covariance, prediction and NLL', async () => {
    const model = chain([2]);
    const data = dataFor(model, likelihood, N);
    const X = ((data.x[0] as tf.Tensor).arraySync() as number[][]).map((a) => [...a, 1]);
    /** The ridge solution of one output, and its covariance, from some of the examples. */
    const ridge = (t: number, without?: number) => {
      const kept = X.flatMap((a, i) => (i === without ? [] : [{ a, y: data.targets[i]?.[t] as number }]));
      const noise = NOISE[t] as number;
      const covariance = inverse(combination([TAU, identity(4)], ...kept.map(({ a }) => [1 / noise, outer(a, a)] as const)));
      const sum = kept.reduce((all, { a, y }) => all.map((v, i) => v + ((a[i] as number) * y) / noise), [0, 0, 0, 0]);
      return { weights: times(covariance, sum), covariance };
    };
    const W = transposed([ridge(0).weights, ridge(1).weights]);
    model.setWeights([tf.tensor2d(W.slice(0, 3)), tf.tensor1d(W[3] as number[])]);
    const posterior = await posteriorFrom(await factorsOf(model, likelihood, data, full()), { priorPrecision: TAU });
    const found = await leftOut(model, posterior, { x: data.x[0] as tf.Tensor, y: data.y });
    expect([found.form, found.untrusted]).toEqual(['corrected', 0]);

    const refits = X.map((a, i) =>
      [0, 1].map((t) => {
        const { weights, covariance } = ridge(t, i);
        return { mean: dot(weights, a), variance: dot(a, times(covariance, a)) };
      }),
    );
    // Float32 covariances have relative errors of some 1e-6, and an example of leverage h multiplies them by 1 / (1 − h)², here up to 10.
    const CLOSE = 2e-5;
    const means = refits.map((own) => own.map(({ mean }) => mean));
    expect(relativeError(plain(found.mean), means)).toBeLessThan(CLOSE);
    const covariances = refits.map(([a, b]) => [a?.variance as number, 0, 0, b?.variance as number]);
    expect(relativeError(plain(found.covariance), covariances)).toBeLessThan(CLOSE);
    const losses = refits.map((own, i) =>
      own.reduce((sum, { mean, variance }, t) => {
        const noise = gaussian({ noiseVariance: (NOISE[t] as number) + variance });
        return sum + negativeLogLikelihood(noise, [mean], [data.targets[i]?.[t] as number]);
      }, 0),
    );
    expect(relativeError(Array.from(found.losses), losses)).toBeLessThan(CLOSE);
    expect(found.nll.value).toBeCloseTo(meanOf(losses), 4);
    const spread = losses.reduce((sum, v) => sum + (v - meanOf(losses)) ** 2, 0);
    expect(found.nll.standardError).toBeCloseTo(Math.sqrt(spread / (N - 1) / N), 4);
    const prediction = found.prediction as Regression;
    expect(relativeError(plain(prediction.mean), means)).toBeLessThan(CLOSE);
    const leverage = X.map((a) =>
      [0, 1].reduce((sum, t) => sum + dot(a, times(ridge(t).covariance, a)) / (NOISE[t] as number), 0),
    );
    expect(relativeError(Array.from(found.leverage), leverage)).toBeLessThan(CLOSE);
    // The sign: the outputs move away from the label.
    const own = times(transposed(W), X[0] as number[]);
    const pull = (found.mean[0]?.[0] as number) - (own[0] as number);
    expect(Math.sign(pull)).toBe(Math.sign((own[0] as number) - (data.targets[0]?.[0] as number)));
  });
});

/** An example's gradient and curvature in f, with its weight. */
interface Term {
  readonly gradient: number[];
  readonly hessian: Rows;
}

interface Dense {
  readonly model: tf.LayersModel;
  /** The model up to its links, all outputs side by side. */
  readonly logits: tf.LayersModel;
  readonly likelihood: Likelihood;
  readonly data: TensorData;
  readonly term: (f: Vector, i: number) => Term;
}

const scaled = (w: number, { gradient: g, hessian: H }: Term): Term => ({
  gradient: g.map((v) => w * v),
  hessian: H.map((row) => row.map((v) => w * v)),
});

/** Terms of several likelihoods side by side. */
const beside = (...terms: ReadonlyArray<Term>): Term => {
  const sizes = terms.map((own) => own.gradient.length);
  const C = sizes.reduce((a, b) => a + b, 0);
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  return {
    gradient: terms.flatMap((own) => own.gradient),
    hessian: terms.flatMap(({ hessian: H }, t) =>
      H.map((row) => {
        const whole = new Array<number>(C).fill(0);
        row.forEach((v, c) => {
          whole[(starts[t] as number) + c] = v;
        });
        return whole;
      }),
    ),
  };
};

const termOf = (likelihood: Likelihood, f: Vector, y: Vector): Term => ({
  gradient: gradient(likelihood, f, y),
  hessian: hessian(likelihood, f),
});

const N = 10;

/** A chain under a likelihood, with a weight for each example. */
function ofChain(
  likelihood: Likelihood,
  C: number,
  weightOf: (y: Vector, i: number) => number = () => 1,
  weights?: Vector,
): Dense {
  const model = chain([4, C]);
  const { x, y, targets } = dataFor(model, likelihood, N);
  return {
    model,
    logits: model,
    likelihood,
    data: { x: x[0] as tf.Tensor, y, ...(weights && { weights: tf.tensor1d([...weights]) }) },
    term: (f, i) => scaled(weightOf(targets[i] as number[], i), termOf(likelihood, f, targets[i] as number[])),
  };
}

const COUNTS = Array.from({ length: N }, (_, i) => [1, 0.5, 3, 0, 2][i % 5] as number);

const DENSE: ReadonlyArray<readonly [string, () => Dense]> = [
  ['gaussian', () => ofChain(gaussian({ noiseVariance: [0.5, 2] }), 2)],
  ['categorical', () => ofChain(categorical({ labelSmoothing: 0.1 }), 3)],
  ['categorical with class weights', () => ofChain(categorical({ classWeights: [1, 4, 0.5] }), 3, (y) => dot(y, [1, 4, 0.5]))],
  ['weights of examples', () => ofChain(categorical(), 3, (_, i) => COUNTS[i] as number, COUNTS)],
  ['bernoulli', () => ofChain(bernoulli(), 1)],
  ['several labels', () => ofChain(bernoulli(), 3)],
  ['poisson', () => ofChain(poisson(), 2)],
  ['heteroscedastic', () => ofChain(heteroscedastic(), 4)],
  [
    'several outputs',
    () => {
      const { model, side } = twoHeads();
      const data = headData(model, N);
      const [digit, angle] = [data.y.digit.arraySync() as number[], data.y.angle.arraySync() as number[][]];
      const oneHot = (k: number): number[] => Array.from({ length: DIGITS }, (_, c) => (c === k ? 1 : 0));
      return {
        model,
        logits: side,
        likelihood: BOTH,
        data: { x: data.x[0], y: data.y },
        term: (f, i) =>
          beside(
            termOf(DIGIT, f.slice(0, DIGITS), oneHot(digit[i] as number)),
            termOf(ANGLE, f.slice(DIGITS, DIGITS + ANGLES), angle[i] as number[]),
          ),
      };
    },
  ],
  [
    'every step of a sequence, of which some do not count',
    () => {
      const [S, C] = [2, 3];
      const body = [dense(4, { activation: 'tanh', inputShape: [3] }), dense(S * C)];
      const model = withWeights(tf.sequential({ layers: [...body, tf.layers.reshape({ targetShape: [S, C] })] }), 7);
      const labels = Array.from({ length: N }, (_, i) => [(2 * i) % C, i % 3 === 0 ? -1 : i % C]);
      const step = (f: Vector, y: number): Term =>
        scaled(
          y < 0 ? 0 : 1,
          termOf(
            categorical(),
            f,
            Array.from({ length: C }, (_, c) => (c === y ? 1 : 0)),
          ),
        );
      return {
        model,
        logits: tf.sequential({ layers: body }),
        likelihood: perStep(categorical(), { ignoreLabel: -1 }),
        data: { x: inputsFor(model, N, 5)[0] as tf.Tensor, y: tf.tensor2d(labels) },
        term: (f, i) => beside(...(labels[i] as number[]).map((y, s) => step(f.slice(s * C, (s + 1) * C), y))),
      };
    },
  ],
];

/** Takes J'ΛJ out of the precision of all weights, and inverts what is left. */
function inWeightSpace({ logits, data, term }: Dense, tau: number) {
  const examples = jacobians(logits, [data.x as tf.Tensor], denseLayers(logits)).map(({ outputs, layers }, i) => ({
    outputs,
    J: outputs.map((_, c) => layers.flatMap(({ rows }) => [...(rows[c] as number[])])),
    own: term(outputs, i),
  }));
  const curvatures = examples.map(({ J, own }) => product(transposed(J), own.hessian, J));
  const P = (curvatures[0] as Rows).length;
  const precision = combination([tau, identity(P)], ...curvatures.map((H) => [1, H] as const));
  return examples.map(({ outputs, J, own }, i) => {
    const without = inverse(combination([1, precision], [-1, curvatures[i] as Rows]));
    const [V, whole] = [without, inverse(precision)].map((S) => product(J, S, transposed(J))) as [number[][], number[][]];
    const moved = (S: Rows): number[] => times(S, own.gradient).map((v, c) => v + (outputs[c] as number));
    return {
      corrected: { mean: moved(V), covariance: V.flat() },
      plain: { mean: moved(whole), covariance: whole.flat() },
      leverage: product(own.hessian, whole).reduce((sum, row, c) => sum + (row[c] as number), 0),
    };
  });
}

describe.each(DENSE)('%s', (_, make) => {
  const TAU = 1.5;
  let own: Dense;
  let posterior: Posterior;
  let expected: ReturnType<typeof inWeightSpace>;
  beforeAll(async () => {
    own = make();
    posterior = await posteriorFrom(await pass(own.model, own.likelihood, own.data, full()), { priorPrecision: TAU });
    expected = inWeightSpace(own, TAU);
  });

  it.each(['corrected', 'plain'] as const)('is the formula in the space of all weights: %s', async (form) => {
    const found = await leftOut(own.model, posterior, own.data, { form });
    expect(found.form).toBe(form);
    // Jacobians and the posterior are float32 on the device, and 1 / (1 − leverage) is up to ten.
    const CLOSE = 3e-5;
    expect(
      relativeError(
        plain(found.mean),
        expected.map((e) => e[form].mean),
      ),
    ).toBeLessThan(CLOSE);
    expect(
      relativeError(
        plain(found.covariance),
        expected.map((e) => e[form].covariance),
      ),
    ).toBeLessThan(CLOSE);
    expect(
      relativeError(
        Array.from(found.leverage),
        expected.map(({ leverage }) => leverage),
      ),
    ).toBeLessThan(CLOSE);
  });
});
