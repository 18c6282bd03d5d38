/**
 * From Gaussian outputs f ~ N(μ, Σ) to probabilities.
 *
 * - probit (MacKay 1992b, eq. 10; Lu, Ie & Sha 2020 for softmax): link(μ / √(1 + π/8 diag Σ)).
 * - expected entropy E[H(link(f))]: for independent labels by quadrature of each; for classes by antithetic draws
 *   μ ± L ε that are common to all examples, so that neither batch splits nor order change a result.
 *
 * Pure, on the host, in float64: B·C² numbers are nothing beside the backward pass that made them.
 */
import { key } from '../random/key.js';
import { normals } from '../random/normals.js';

/** π/8: matches the slope of the sigmoid to a scaled probit at 0. */
const PROBIT = Math.PI / 8;
/** Pairs of antithetic draws behind the expected entropy of a class distribution. */
const PAIRS = 64;

/** Link of one example's outputs. */
export type Link = (f: Float64Array) => Float64Array;

/** softmax, stable for large outputs. */
export const softmax: Link = (f) => {
  const max = f.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exps = f.map((v) => Math.exp(v - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((v) => v / sum);
};

/** sigmoid of every output. */
export const sigmoid: Link = (f) => f.map((v) => 1 / (1 + Math.exp(-v)));

/** The probit approximation to E[link(f)]. `variance` is the diagonal of Σ. */
export const probit = (link: Link, mean: Float64Array, variance: Float64Array): Float64Array =>
  link(mean.map((v, c) => v / Math.sqrt(1 + PROBIT * (variance[c] as number))));

/** −Σ p log p in nats, 0 log 0 = 0. */
export const classEntropy = (p: ArrayLike<number>): number => {
  let sum = 0;
  for (let c = 0; c < p.length; c++) sum -= plogp(p[c] as number);
  return sum;
};

/** Σ of the entropies of independent labels, in nats. */
export const labelEntropy = (p: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum -= plogp(p[k] as number) + plogp(1 - (p[k] as number));
  return sum;
};

const plogp = (p: number): number => (p > 0 ? p * Math.log(p) : 0);

/** E[H(softmax(f))] for f ~ N(mean, covariance [C, C] row-major). */
export function expectedClassEntropy(mean: Float64Array, covariance: ArrayLike<number>): number {
  const draws = outputDraws(mean, covariance);
  return draws.reduce((sum, f) => sum + classEntropy(softmax(f)), 0) / draws.length;
}

/** Antithetic draws of f ~ N(mean, covariance [C, C] row-major), by noise that is common to all examples. */
export function outputDraws(mean: Float64Array, covariance: ArrayLike<number>): ReadonlyArray<Float64Array> {
  const C = mean.length;
  const root = choleskySemidefinite(covariance, C);
  const noise = commonNoise(C);
  return Array.from({ length: PAIRS }, (_, s) => {
    const shift = new Float64Array(C);
    for (let i = 0; i < C; i++) {
      for (let j = 0; j <= i; j++) shift[i] = (shift[i] as number) + (root[i * C + j] as number) * (noise[s * C + j] as number);
    }
    return [mean.map((v, i) => v + (shift[i] as number)), mean.map((v, i) => v - (shift[i] as number))];
  }).flat();
}

/** The full covariance [C, C] of independent outputs. */
export function diagonal(variance: ArrayLike<number>): Float64Array {
  const C = variance.length;
  const full = new Float64Array(C * C);
  for (let c = 0; c < C; c++) full[c * C + c] = variance[c] as number;
  return full;
}

/** Σ_k E[H(sigmoid(f_k))] for independent f_k ~ N(mean_k, variance_k). */
export const expectedLabelEntropy = (mean: Float64Array, variance: Float64Array): number =>
  mean.reduce((sum, mu, k) => sum + expectedBinaryEntropy(mu, Math.sqrt(variance[k] as number)), 0);

/**
 * E[H(sigmoid(f))], f ~ N(μ, s²), by the trapezoidal rule, which converges geometrically for analytic integrands (Trefethen &
 * Weideman 2014). The step resolves whichever is narrower: the Gaussian, of width s, or the entropy, which is singular at ±iπ. Errors
 * are below 1e-12; at most 128 nodes.
 */
function expectedBinaryEntropy(mu: number, s: number): number {
  if (s === 0) return binaryEntropy(mu);
  const step = Math.min(s / 4, 0.5);
  const first = Math.ceil((Math.max(mu - REACH * s, -EDGE) - mu) / step);
  const last = Math.floor((Math.min(mu + REACH * s, EDGE) - mu) / step);
  let sum = 0;
  for (let i = first; i <= last; i++) sum += Math.exp(-0.5 * ((i * step) / s) ** 2) * binaryEntropy(mu + i * step);
  return (sum * step) / (s * Math.sqrt(2 * Math.PI));
}

/** Standard deviations beyond which a Gaussian has 1e-15 of its mass. */
const REACH = 8;
/** Logits beyond which H(sigmoid(f)) is below 1e-12. */
const EDGE = 32;

/** H(sigmoid(f)) = log(1 + e^f) − f e^f / (1 + e^f), the same for f and −f. */
function binaryEntropy(f: number): number {
  const odds = Math.exp(-Math.abs(f));
  return Math.log1p(odds) + (Math.abs(f) * odds) / (1 + odds);
}

let noiseOf: { readonly C: number; readonly noise: Float32Array } | undefined;

/** The same normals for every example and call: a pure function of C, kept because it is asked for once an example. */
function commonNoise(C: number): Float32Array {
  if (noiseOf?.C !== C) noiseOf = { C, noise: normals(key(0), PAIRS * C) };
  return noiseOf.noise;
}

/** Lower L with L Lᵀ = Σ for a positive semi-definite Σ: a pivot that is zero up to rounding gives a zero column. */
function choleskySemidefinite(covariance: ArrayLike<number>, C: number): Float64Array {
  const L = new Float64Array(C * C);
  let largest = 0;
  for (let i = 0; i < C; i++) largest = Math.max(largest, covariance[i * C + i] as number);
  for (let j = 0; j < C; j++) {
    let pivot = covariance[j * C + j] as number;
    for (let k = 0; k < j; k++) pivot -= (L[j * C + k] as number) ** 2;
    // Below the float32 rounding of the covariance a pivot is noise.
    if (pivot <= largest * C * 2 ** -23) continue;
    const root = Math.sqrt(pivot);
    L[j * C + j] = root;
    for (let i = j + 1; i < C; i++) {
      let sum = covariance[i * C + j] as number;
      for (let k = 0; k < j; k++) sum -= (L[i * C + k] as number) * (L[j * C + k] as number);
      L[i * C + j] = sum / root;
    }
  }
  return L;
}
