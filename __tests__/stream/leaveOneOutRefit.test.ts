/** `leaveOneOut` against networks that are trained again without each example. */
import * as tf from '@tensorflow/tfjs';
import { batches, type Classification, categorical, full, leaveOneOut, linearised, type Posterior } from 'tfjs-laplace';
import { minimise } from '../../src/linalg/lbfgs.js';
import { type Data, factorsOf, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { softmax } from '../support/math/likelihoods64.js';
import { normalSource, take, uniformSource } from '../support/math/monteCarlo.js';
import { chain } from '../support/math/networks.js';

const meanOf = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The inputs of a network 3-4-3 with tanh, and its weights one after another: [3, 4], [4], [4, 3], [3]. */
const [INPUTS, HIDDEN, CLASSES] = [3, 4, 3] as const;
const SHAPES = [[INPUTS, HIDDEN], [HIDDEN], [HIDDEN, CLASSES], [CLASSES]];
const SIZES = SHAPES.map((shape) => shape.reduce((a, b) => a * b, 1));
const STARTS = SIZES.map((_, i) => SIZES.slice(0, i).reduce((a, b) => a + b, 0));

/** Σ NLL + τ/2 |θ|², and its gradient, in float64. */
function objective(X: number[][], labels: number[], tau: number, without?: number) {
  return (theta: Float64Array) => {
    const [w1, b1, w2, b2] = STARTS as [number, number, number, number];
    const at = (i: number): number => theta[i] as number;
    const slope = theta.map((v) => tau * v);
    const add = (i: number, v: number): void => {
      slope[i] = (slope[i] as number) + v;
    };
    let value = (tau / 2) * theta.reduce((sum, v) => sum + v * v, 0);
    X.forEach((x, n) => {
      if (n === without) return;
      const h = Array.from({ length: HIDDEN }, (_, j) =>
        Math.tanh(x.reduce((s, v, i) => s + v * at(w1 + i * HIDDEN + j), at(b1 + j))),
      );
      const f = Array.from({ length: CLASSES }, (_, c) => h.reduce((s, v, j) => s + v * at(w2 + j * CLASSES + c), at(b2 + c)));
      const p = softmax(f);
      value -= Math.log(p[labels[n] as number] as number);
      const g = p.map((v, c) => v - (c === labels[n] ? 1 : 0));
      g.forEach((v, c) => {
        add(b2 + c, v);
        h.forEach((own, j) => {
          add(w2 + j * CLASSES + c, own * v);
        });
      });
      h.forEach((own, j) => {
        const back = (1 - own * own) * g.reduce((s, v, c) => s + v * at(w2 + j * CLASSES + c), 0);
        add(b1 + j, back);
        x.forEach((v, i) => {
          add(w1 + i * HIDDEN + j, v * back);
        });
      });
    });
    return { value, gradient: slope };
  };
}

/** The weights with the least objective from a start. The objective is not convex, so the test looks at the gradient that is left. */
function trained(f: ReturnType<typeof objective>, start: Float64Array): Float64Array {
  const found = minimise(f, start, 1e-6);
  expect(f(found).gradient.reduce((most, v) => Math.max(most, Math.abs(v)), 0)).toBeLessThan(1e-5);
  return found;
}

const setWeights = (model: tf.LayersModel, theta: Float64Array): void =>
  tf.tidy(() => {
    model.setWeights(
      SHAPES.map((shape, i) =>
        tf.tensor(Array.from(theta.subarray(STARTS[i], (STARTS[i] as number) + (SIZES[i] as number))), shape),
      ),
    );
  });

describe('a trained classifier with 40 examples', () => {
  const [N, TAU] = [40, 1] as const;
  const model = chain([HIDDEN, CLASSES]);
  const [normal, uniform] = [normalSource(3), uniformSource(4)];
  const X = Array.from({ length: N }, () => take(INPUTS, normal));
  // Classes from a noisy teacher: they overlap, so that it matters which examples are there.
  const labels = X.map(([a, b, c]) => {
    const p = softmax([2 * (a as number), 2 * (b as number) - (c as number), Math.sin(3 * (c as number))]);
    const u = uniform();
    return u < (p[0] as number) ? 0 : u < (p[0] as number) + (p[1] as number) ? 1 : 2;
  });
  const oneHot = labels.map((k) => Array.from({ length: CLASSES }, (_, c) => (c === k ? 1 : 0)));
  const data = (indices: number[]): Data => ({
    x: [tf.tensor2d(indices.map((i) => X[i] as number[]))],
    y: tf.tensor2d(indices.map((i) => oneHot[i] as number[])),
    targets: [],
  });
  const all = X.map((_, i) => i);
  const fitted = async (indices: number[]): Promise<Posterior> =>
    posteriorFrom(await factorsOf(model, categorical(), data(indices), full()), { priorPrecision: TAU });

  it('is near to training again without each example', async () => {
    const start = Float64Array.from(
      take(
        SIZES.reduce((a, b) => a + b, 0),
        normalSource(9),
      ),
    );
    const theta = trained(objective(X, labels, TAU), start);
    const refits: { readonly own: number; readonly map: number }[] = [];
    for (const i of all) {
      const refit = trained(objective(X, labels, TAU, i), theta);
      setWeights(model, refit);
      const without = await fitted(all.filter((j) => j !== i));
      const found = (await predictOne(model, without, linearised(), data([i]).x)) as Classification;
      refits.push({
        own: -Math.log(found.probabilities[0]?.[labels[i] as number] as number),
        map: objective(X, labels, TAU)(refit).value - objective(X, labels, TAU, i)(refit).value,
      });
    }
    setWeights(model, theta);
    const posterior = await fitted(all);
    const { x, y } = data(all);
    const compared = async (form: 'corrected' | 'plain', temperature: 0 | 1) => {
      const options = { form, predictive: linearised({ temperature }) };
      const found = await leaveOneOut(model, posterior, batches({ x: x[0] as tf.Tensor, y }, 16), options);
      expect(found.untrusted).toBe(0);
      return nearness(
        Array.from(found.losses),
        refits.map(({ own, map }) => (temperature === 1 ? own : map)),
      );
    };
    // The mean NLL of the refits is 0.74 under their posteriors, and 0.73 at their weights; the training data themselves give 0.15 less.
    const seen = (await predictOne(model, posterior, linearised(), x)) as Classification;
    const refit = refits.map(({ own }) => own);
    expect(
      nearness(
        labels.map((k, i) => -Math.log(seen.probabilities[i]?.[k] as number)),
        refit,
      ).error,
    ).toBeLessThan(-0.12);
    // Measured: correlation 0.9987, error 0.005, mean absolute error 0.020; of the trained weights alone 0.9978, 0.000 and 0.030. What is
    // left is of second order in the step of the weights. The bounds are twice that.
    for (const temperature of [0, 1] as const) {
      const { correlation, error, absolute } = await compared('corrected', temperature);
      expect(correlation).toBeGreaterThan(0.995);
      expect(Math.abs(error)).toBeLessThan(0.01);
      expect(absolute).toBeLessThan(temperature === 1 ? 0.04 : 0.06);
    }
    // The plain form does not step far enough: errors −0.031 and −0.041.
    for (const temperature of [0, 1] as const) {
      const { correlation, error } = await compared('plain', temperature);
      expect(correlation).toBeGreaterThan(0.995);
      expect(error).toBeLessThan(-0.02);
      expect(error).toBeGreaterThan(-0.06);
    }
  });
});

/** How near the losses of each example are to others. */
function nearness(losses: number[], others: number[]) {
  const [x, y] = [losses, others].map((values) => values.map((v) => v - meanOf(values))) as [number[], number[]];
  const dot = (u: number[], v: number[]): number => u.reduce((sum, w, i) => sum + w * (v[i] as number), 0);
  return {
    correlation: dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)),
    error: meanOf(losses) - meanOf(others),
    absolute: meanOf(losses.map((v, i) => Math.abs(v - (others[i] as number)))),
  };
}
