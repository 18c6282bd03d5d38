/**
 * Mean and variance of a regression's labels y, by the law of total variance
 *
 *   E[y] = E[m(f)],   Var[y] = Var[m(f)] + E[v(f)],   m(f) = E[y | f],  v(f) = Var[y | f],
 *
 * in closed form for outputs f ~ N(μ, diag V): the moments of normal and log-normal numbers. Pure, on the host, in float64.
 */
import type { StepLikelihood } from '../../likelihood/codec.js';

/** Moments of one label. */
export interface Moments {
  readonly mean: number;
  /** Var[m(f)]. */
  readonly epistemic: number;
  /** E[v(f)]. */
  readonly noise: number;
}

/** Likelihoods whose moments under Gaussian outputs have a closed form here. */
export type ClosedForm = Extract<StepLikelihood, { readonly _tag: 'gaussian' | 'heteroscedastic' | 'poisson' }>;

/** Moments of every label of one example, from mean and variance of its outputs [C]. */
export function regressionMoments(
  likelihood: ClosedForm,
  mu: ArrayLike<number>,
  variance: ArrayLike<number>,
): ReadonlyArray<Moments> {
  const at = (values: ArrayLike<number>, c: number): number => values[c] as number;
  switch (likelihood._tag) {
    case 'gaussian': {
      const { noiseVariance } = likelihood;
      return Array.from(mu, (mean, c) => ({
        mean,
        epistemic: at(variance, c),
        noise: typeof noiseVariance === 'number' ? noiseVariance : at(noiseVariance, c),
      }));
    }
    case 'heteroscedastic': {
      const T = mu.length / 2;
      return Array.from({ length: T }, (_, t) => ({
        mean: at(mu, t),
        epistemic: at(variance, t),
        noise: logNormalMean(at(mu, T + t), at(variance, T + t)),
      }));
    }
    case 'poisson':
      return Array.from(mu, (f, c) => {
        const rate = logNormalMean(f, at(variance, c));
        return { mean: rate, epistemic: rate * rate * Math.expm1(at(variance, c)), noise: rate };
      });
  }
}

/** E[e^f] for f ~ N(μ, v). */
const logNormalMean = (mu: number, v: number): number => Math.exp(mu + v / 2);
