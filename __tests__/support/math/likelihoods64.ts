/** Likelihoods of one example in float64, from their textbook definitions: f are outputs before the link, y labels as rows. */
import type { Likelihood, LikelihoodOf } from 'tfjs-laplace';
import { combination, identity, outer, plus, type Rows } from './dense64.js';

type Vector = ReadonlyArray<number>;

const undefinedHere = ({ _tag }: Likelihood): Error => new Error(`no definition of ${_tag} in float64`);

export function softmax(f: Vector): number[] {
  const max = Math.max(...f);
  const sum = f.reduce((total, v) => total + Math.exp(v - max), 0);
  return f.map((v) => Math.exp(v - max) / sum);
}

export const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

const sumOf = (values: Vector): number => values.reduce((total, v) => total + v, 0);

/** σ² of every output. */
const noiseVariances = ({ noiseVariance }: LikelihoodOf<'gaussian'>, C: number): number[] =>
  typeof noiseVariance === 'number' ? new Array<number>(C).fill(noiseVariance) : [...noiseVariance];

/** Labels as `labelSmoothing` of tf.losses moves them. */
const smoothed = ({ _tag, labelSmoothing }: LikelihoodOf<'categorical' | 'bernoulli'>, y: Vector): number[] =>
  y.map((v) => v * (1 - labelSmoothing) + labelSmoothing / (_tag === 'categorical' ? y.length : 2));

/** log y! as a sum. */
export const logFactorial = (y: number): number => sumOf(Array.from({ length: y }, (_, i) => Math.log(i + 1)));

/** −log p(y | f), in nats, with every constant. */
export function negativeLogLikelihood(likelihood: Likelihood, f: Vector, y: Vector): number {
  switch (likelihood._tag) {
    case 'categorical': {
      const max = Math.max(...f);
      const logSum = max + Math.log(sumOf(f.map((v) => Math.exp(v - max))));
      const p = smoothed(likelihood, y);
      return sumOf(f.map((v, c) => (p[c] as number) * (logSum - v)));
    }
    case 'bernoulli': {
      // softplus(f) − y f, with softplus(f) = max(f, 0) + log(1 + exp(−|f|)).
      const p = smoothed(likelihood, y);
      return sumOf(f.map((v, k) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))) - (p[k] as number) * v));
    }
    case 'gaussian': {
      const s2 = noiseVariances(likelihood, f.length);
      return sumOf(f.map((v, c) => normalNll(y[c] as number, v, s2[c] as number)));
    }
    case 'heteroscedastic':
      return sumOf(y.map((v, t) => normalNll(v, f[t] as number, Math.exp(f[y.length + t] as number))));
    case 'poisson':
      return sumOf(f.map((v, c) => Math.exp(v) - (y[c] as number) * v + logFactorial(y[c] as number)));
    default:
      throw undefinedHere(likelihood);
  }
}

const normalNll = (y: number, mean: number, variance: number): number =>
  (y - mean) ** 2 / (2 * variance) + 0.5 * Math.log(2 * Math.PI * variance);

/** Gradient of the negative log-likelihood in f. */
export function gradient(likelihood: Likelihood, f: Vector, y: Vector): number[] {
  switch (likelihood._tag) {
    case 'categorical': {
      const p = smoothed(likelihood, y);
      return softmax(f).map((v, c) => v - (p[c] as number));
    }
    case 'bernoulli': {
      const p = smoothed(likelihood, y);
      return f.map((v, k) => sigmoid(v) - (p[k] as number));
    }
    case 'gaussian': {
      const s2 = noiseVariances(likelihood, f.length);
      return f.map((v, c) => (v - (y[c] as number)) / (s2[c] as number));
    }
    case 'heteroscedastic': {
      const variance = y.map((_, t) => Math.exp(f[y.length + t] as number));
      const residual = y.map((v, t) => (f[t] as number) - v);
      const inMean = residual.map((r, t) => r / (variance[t] as number));
      return [...inMean, ...residual.map((r, t) => 0.5 - (0.5 * r * r) / (variance[t] as number))];
    }
    case 'poisson':
      return f.map((v, c) => Math.exp(v) - (y[c] as number));
    default:
      throw undefinedHere(likelihood);
  }
}

/** Λ [C, C], the Fisher of the likelihood in f: the Hessian of the negative log-likelihood, for all but heteroscedastic. */
export function hessian(likelihood: Likelihood, f: Vector): number[][] {
  const diagonal = (values: Vector): number[][] => identity(f.length).map((row, i) => row.map((v) => v * (values[i] as number)));
  switch (likelihood._tag) {
    case 'categorical': {
      const p = softmax(f);
      // p_i (1 − p_i) as p_i Σ_{j≠i} p_j: the difference loses all digits when p_i is near 1.
      const others = p.map((_, i) => sumOf(p.filter((_, j) => j !== i)));
      return outer(p, p).map((row, i) => row.map((v, j) => (i === j ? (p[i] as number) * (others[i] as number) : -v)));
    }
    case 'bernoulli':
      return diagonal(f.map((v) => sigmoid(v) * sigmoid(-v)));
    case 'gaussian':
      return diagonal(noiseVariances(likelihood, f.length).map((s2) => 1 / s2));
    case 'heteroscedastic':
      return diagonal(f.map((_, i) => (i < f.length / 2 ? Math.exp(-(f[i + f.length / 2] as number)) : 0.5)));
    case 'poisson':
      return diagonal(f.map((v) => Math.exp(v)));
    default:
      throw undefinedHere(likelihood);
  }
}

/** Labels y with their probabilities p(y | f), that add up to 1: all of them, or a grid for real ones (trapezoidal rule, ±9 σ). */
function labelsAt(likelihood: Likelihood, f: Vector): ReadonlyArray<{ readonly y: number[]; readonly p: number }> {
  const each = (of: (i: number) => ReadonlyArray<readonly [y: number, p: number]>, size: number) =>
    Array.from({ length: size }, (_, i) => of(i)).reduce<ReadonlyArray<{ y: number[]; p: number }>>(
      (all, own) => all.flatMap(({ y, p }) => own.map(([v, q]) => ({ y: [...y, v], p: p * q }))),
      [{ y: [], p: 1 }],
    );
  const normal = (mean: number, variance: number) =>
    Array.from({ length: 181 }, (_, i) => (i - 90) / 10).map(
      (z) => [mean + z * Math.sqrt(variance), (0.1 * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI)] as const,
    );
  switch (likelihood._tag) {
    case 'categorical':
      return softmax(f).map((p, c) => ({ y: f.map((_, i) => (i === c ? 1 : 0)), p }));
    case 'bernoulli':
      return each(
        (k) => [
          [0, sigmoid(-(f[k] as number))],
          [1, sigmoid(f[k] as number)],
        ],
        f.length,
      );
    case 'gaussian': {
      const s2 = noiseVariances(likelihood, f.length);
      return each((c) => normal(f[c] as number, s2[c] as number), f.length);
    }
    case 'heteroscedastic':
      return each((t) => normal(f[t] as number, Math.exp(f[f.length / 2 + t] as number)), f.length / 2);
    case 'poisson':
      return each(
        (c) =>
          Array.from({ length: 80 }, (_, y) => [y, Math.exp(y * (f[c] as number) - Math.exp(f[c] as number) - logFactorial(y))]),
        f.length,
      );
    default:
      throw undefinedHere(likelihood);
  }
}

/** E[g gᵀ], g the NLL's gradient at a label drawn from p(y | f), by enumeration or quadrature. */
export function fisher(likelihood: Likelihood, f: Vector): Rows {
  const plain = 'labelSmoothing' in likelihood ? { ...likelihood, labelSmoothing: 0 } : likelihood;
  const zero: Rows = outer(f, f).map((row) => row.map(() => 0));
  return labelsAt(likelihood, f)
    .map(({ y, p }) => {
      const g = gradient(plain, f, y);
      return combination([p, outer(g, g)]);
    })
    .reduce(plus, zero);
}
