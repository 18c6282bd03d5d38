/**
 * Where the Laplace approximation is exact: one dense layer and Gaussian noise are Bayesian linear regression, whose posterior and
 * marginal likelihood have closed forms (Bishop 2006, sections 3.3 and 3.5).
 */
import * as tf from '@tensorflow/tfjs';
import { evidence, gaussian, type Posterior } from 'tfjs-laplace';
import { combination, identity, inverse, kron, logDet, plus, product, transposed } from '../support/math/dense64.js';
import { factorsOf, posteriorFrom } from '../support/math/laplace.js';
import { normalSource, take } from '../support/math/monteCarlo.js';
import { dense } from '../support/math/networks.js';
import { FLOAT32, FLOAT64, inRows, relativeError } from '../support/math/numbers.js';
import { covarianceOf, rowsOf } from '../support/math/posteriors64.js';

const [N, d, tau, noise] = [16, 3, 0.5, 0.25] as const;

/** Multiples of 1/4 below 2: their products and sums are exact in float32, so that the factors are, to the last bit. */
const coarse = (size: number, cols: number, seed: number): number[][] =>
  inRows(
    take(size * cols, normalSource(seed)).map((v) => Math.max(-2, Math.min(2, Math.round(4 * v) / 4))),
    cols,
  );

interface Regression {
  readonly model: tf.LayersModel;
  readonly posterior: Posterior;
  /** Inputs in homogeneous coordinates, outputs, posterior precision of one output's weights, MAP. */
  readonly X: number[][];
  readonly Y: number[][];
  readonly precision: number[][];
  readonly W: number[][];
}

/** A network of one layer at its MAP, and its posterior. */
async function regression(C: number, useBias: boolean): Promise<Regression> {
  const inputs = coarse(N, d, 1);
  const X = inputs.map((row) => (useBias ? [...row, 1] : row));
  const Y = coarse(N, C, 2);
  const precision = plus(
    combination([1 / noise, product(transposed(X), X)]),
    combination([tau, identity(X[0]?.length as number)]),
  );
  const W = product(inverse(precision), combination([1 / noise, product(transposed(X), Y)]));
  const model = tf.sequential({ layers: [dense(C, { inputShape: [d], useBias })] });
  model.setWeights([tf.tensor2d(W.slice(0, d)), ...(useBias ? [tf.tensor1d(W[d] as number[])] : [])]);
  const data = { x: [tf.tensor2d(inputs)], y: tf.tensor2d(Y) };
  const factors = await factorsOf(model, gaussian({ noiseVariance: noise }), data, undefined, 5);
  return { model, posterior: await posteriorFrom(factors, { priorPrecision: tau }), X, Y, precision, W };
}

describe.each([
  [1, true],
  [1, false],
  [3, true],
  [3, false],
])('%d outputs, bias: %s', (C, useBias) => {
  it('has the closed-form covariance of the weights, to float64: outputs are independent', async () => {
    const { posterior, precision } = await regression(C, useBias);
    expect(relativeError(covarianceOf(posterior, 0), kron(inverse(precision), identity(C)))).toBeLessThan(FLOAT64);
  });

  it('has the closed-form mean, to the float32 of the model', async () => {
    const { posterior, W } = await regression(C, useBias);
    expect(relativeError(rowsOf(posterior.layers[0]?.mean as never), W)).toBeLessThan(2 ** -23);
  });

  it('has the log marginal likelihood of the data, Σ_c log N(y_c | 0, σ² I + X Xᵀ / τ)', async () => {
    const { posterior, X, Y } = await regression(C, useBias);
    const marginal = combination([noise, identity(N)], [1 / tau, product(X, transposed(X))]);
    const quadratic = product(transposed(Y), inverse(marginal), Y).reduce((sum, row, c) => sum + (row[c] as number), 0);
    const expected = -0.5 * (quadratic + C * (logDet(marginal) + N * Math.log(2 * Math.PI)));
    // The likelihood at the MAP is summed in float32; the evidence's other parts are float64.
    expect(relativeError(evidence(posterior).logMarginalLikelihood, expected)).toBeLessThan(FLOAT32);
  });
});

it('has the parts of its evidence in closed form', async () => {
  const { posterior, precision, W } = await regression(2, true);
  const { scatter, logDetRatio } = evidence(posterior);
  const norm = W.flat().reduce((sum, v) => sum + v * v, 0);
  expect(relativeError(scatter, tau * norm)).toBeLessThan(FLOAT32);
  expect(relativeError(logDetRatio, 2 * (logDet(precision) - (d + 1) * Math.log(tau)))).toBeLessThan(FLOAT64);
});
