/** Likelihoods of one example in float64, from their textbook definitions: f are outputs before the link, y targets. */
import type { Likelihood } from 'tfjs-laplace';
import { identity, outer } from './dense64.js';

type Vector = ReadonlyArray<number>;

export function softmax(f: Vector): number[] {
  const max = Math.max(...f);
  const sum = f.reduce((total, v) => total + Math.exp(v - max), 0);
  return f.map((v) => Math.exp(v - max) / sum);
}

export const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

const sumOf = (values: Vector): number => values.reduce((total, v) => total + v, 0);

/** −log p(y | f), in nats, with every constant. */
export function negativeLogLikelihood(likelihood: Likelihood, f: Vector, y: Vector): number {
  switch (likelihood._tag) {
    case 'categorical': {
      const max = Math.max(...f);
      const logSum = max + Math.log(sumOf(f.map((v) => Math.exp(v - max))));
      return sumOf(f.map((v, c) => (y[c] as number) * (logSum - v)));
    }
    case 'bernoulli':
      // softplus(f) − y f, with softplus(f) = max(f, 0) + log(1 + exp(−|f|)).
      return sumOf(f.map((v, k) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))) - (y[k] as number) * v));
    case 'gaussian': {
      const s2 = likelihood.noiseVariance;
      return sumOf(f.map((v, c) => (v - (y[c] as number)) ** 2 / (2 * s2) + 0.5 * Math.log(2 * Math.PI * s2)));
    }
  }
}

/** Gradient of the negative log-likelihood in f. */
export function gradient(likelihood: Likelihood, f: Vector, y: Vector): number[] {
  switch (likelihood._tag) {
    case 'categorical':
      return softmax(f).map((p, c) => p - (y[c] as number));
    case 'bernoulli':
      return f.map((v, k) => sigmoid(v) - (y[k] as number));
    case 'gaussian':
      return f.map((v, c) => (v - (y[c] as number)) / likelihood.noiseVariance);
  }
}

/** Λ [C, C], the Hessian of the negative log-likelihood in f. */
export function hessian(likelihood: Likelihood, f: Vector): number[][] {
  switch (likelihood._tag) {
    case 'categorical': {
      const p = softmax(f);
      // p_i (1 − p_i) as p_i Σ_{j≠i} p_j: the difference loses all digits when p_i is near 1.
      const others = p.map((_, i) => sumOf(p.filter((_, j) => j !== i)));
      return outer(p, p).map((row, i) => row.map((v, j) => (i === j ? (p[i] as number) * (others[i] as number) : -v)));
    }
    case 'bernoulli':
      return identity(f.length).map((row, i) => row.map((v) => v * sigmoid(f[i] as number) * sigmoid(-(f[i] as number))));
    case 'gaussian':
      return identity(f.length).map((row) => row.map((v) => v / likelihood.noiseVariance));
  }
}
