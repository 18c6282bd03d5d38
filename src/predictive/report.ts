/**
 * From output distributions or samples to the prediction that a user reads. Pure, on the host.
 */
import { laplaceError } from '../errors.js';
import type { Likelihood } from '../likelihood/codec.js';
import type { Network } from '../network/network.js';
import { classEntropy, expectedClassEntropy, expectedLabelEntropy, labelEntropy, probit, sigmoid, softmax } from './link.js';
import { type Classification, type Prediction, type Regression, rowsOf } from './prediction.js';

/**
 * Report of a linearised predictive. `mean` [B, C]; `covariance` is [B, C·C] for the full one, or [B, C] for variances.
 *
 * Mean probabilities are the probit link's; `mutualInformation` is their entropy minus the expected entropy, and 0 where the
 * link's own error would make it negative.
 */
export function reportLinearised(network: Network, mean: Float32Array, covariance: Float32Array): Prediction {
  const { likelihood, outputs: C } = network;
  const B = mean.length / C;
  assertFinite(mean, 'mean');
  assertFinite(covariance, 'covariance');
  const full = covariance.length === B * C * C && C > 1;
  const stride = full ? C * C : C;
  const variance = new Float32Array(B * C);
  for (let b = 0; b < B; b++) {
    for (let c = 0; c < C; c++) variance[b * C + c] = Math.max(0, covariance[b * stride + (full ? c * C + c : c)] as number);
  }
  if (likelihood._tag === 'gaussian') return regression(mean, variance, likelihood.noiseVariance, C);
  const probabilities = new Float32Array(B * C);
  const expected = new Float32Array(B);
  const link = likelihood._tag === 'categorical' ? softmax : sigmoid;
  for (let b = 0; b < B; b++) {
    const f = Float64Array.from(mean.subarray(b * C, (b + 1) * C));
    const v = Float64Array.from(variance.subarray(b * C, (b + 1) * C));
    probabilities.set(probit(link, f, v), b * C);
    expected[b] =
      likelihood._tag === 'bernoulli'
        ? expectedLabelEntropy(f, v)
        : expectedClassEntropy(f, full ? covariance.subarray(b * C * C, (b + 1) * C * C) : diagonal(v));
  }
  return classification(likelihood, probabilities, expected, C);
}

/** Report of samples: `draws` [B, samples, C] are probabilities, or outputs of a regression. */
export function reportSamples(network: Network, draws: Float32Array, samples: number): Prediction {
  const { likelihood, outputs: C } = network;
  const B = draws.length / (samples * C);
  assertFinite(draws, 'samples');
  const mean = new Float32Array(B * C);
  const variance = new Float32Array(B * C);
  const expected = new Float32Array(B);
  const entropy = entropyOf(likelihood);
  for (let b = 0; b < B; b++) {
    const rows = Array.from({ length: samples }, (_, s) => draws.subarray((b * samples + s) * C, (b * samples + s + 1) * C));
    for (let c = 0; c < C; c++) {
      const m = rows.reduce((sum, row) => sum + (row[c] as number), 0) / samples;
      mean[b * C + c] = m;
      variance[b * C + c] = rows.reduce((sum, row) => sum + ((row[c] as number) - m) ** 2, 0) / (samples - 1);
    }
    expected[b] = rows.reduce((sum, row) => sum + entropy(row), 0) / samples;
  }
  return likelihood._tag === 'gaussian'
    ? regression(mean, variance, likelihood.noiseVariance, C)
    : classification(likelihood, mean, expected, C);
}

const entropyOf = (likelihood: Likelihood): ((p: ArrayLike<number>) => number) =>
  likelihood._tag === 'bernoulli' ? labelEntropy : classEntropy;

function classification(likelihood: Likelihood, p: Float32Array, expectedEntropy: Float32Array, C: number): Classification {
  const probabilities = rowsOf(p, C);
  const entropy = Float32Array.from(probabilities, entropyOf(likelihood));
  const mutualInformation = entropy.map((h, b) => Math.max(0, h - (expectedEntropy[b] as number)));
  return { _tag: 'classification', probabilities, entropy, expectedEntropy, mutualInformation };
}

const regression = (mean: Float32Array, variance: Float32Array, noise: number, C: number): Regression => ({
  _tag: 'regression',
  mean: rowsOf(mean, C),
  epistemicVariance: rowsOf(variance, C),
  noiseVariance: rowsOf(
    variance.map(() => noise),
    C,
  ),
  totalVariance: rowsOf(
    variance.map((v) => v + noise),
    C,
  ),
});

const diagonal = (variance: Float64Array): Float64Array => {
  const C = variance.length;
  const full = new Float64Array(C * C);
  variance.forEach((v, c) => (full[c * C + c] = v));
  return full;
};

function assertFinite(values: Float32Array, field: string): void {
  if (values.every(Number.isFinite)) return;
  throw laplaceError('NotFinite', {
    what: `The predictive ${field} holds a number that is not finite`,
    field,
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy: 'Look for NaN in the inputs; sampled networks can overflow at a very small prior precision or a high temperature.',
  });
}
