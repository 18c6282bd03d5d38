/** The noise variance σ² of a likelihood that has one: a Gaussian of the whole output, or of each step of a sequence without padding. */
import type { Likelihood, LikelihoodOf } from './index.js';

/** σ², in squared units of the labels: one for all outputs, or one for each. */
export type NoiseVariance = LikelihoodOf<'gaussian'>['noiseVariance'];

/** σ² of a likelihood; undefined if it has none. */
export function noiseVarianceOf(likelihood: Likelihood): NoiseVariance | undefined {
  if (likelihood._tag === 'gaussian') return likelihood.noiseVariance;
  if (likelihood._tag !== 'perStep' || likelihood.ignoreLabel !== undefined) return undefined;
  return likelihood.each._tag === 'gaussian' ? likelihood.each.noiseVariance : undefined;
}

/** The same likelihood with another σ². */
export function withVariance(likelihood: Likelihood, noiseVariance: NoiseVariance): Likelihood {
  if (likelihood._tag === 'gaussian') return { ...likelihood, noiseVariance };
  if (likelihood._tag !== 'perStep' || likelihood.each._tag !== 'gaussian') return likelihood;
  return { ...likelihood, each: { ...likelihood.each, noiseVariance } };
}

/** σ² of each of C outputs. */
export const variancesOf = (variance: NoiseVariance, C: number): number[] =>
  Array.from({ length: C }, (_, c) => varianceAt(variance, c));

/** σ² of output c. */
export const varianceAt = (variance: NoiseVariance, c: number): number =>
  typeof variance === 'number' ? variance : (variance[c] as number);
