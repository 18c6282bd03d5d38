/** What `tune` is asked to do, and the posteriors that it does it with. */
import { either as E } from 'fp-ts';
import { type NoiseVariance, varianceAt } from '../likelihood/noiseVariance.js';
import { orThrow } from '../orThrow.js';
import { maximiseEvidence } from '../posterior/maximiseEvidence.js';
import { noiseTimes } from '../posterior/noise.js';
import type { Posterior } from '../posterior/posterior.js';
import { isotropic, type Prior, perLayer } from '../posterior/priors.js';
import { withNoiseVariance } from '../posterior/withNoiseVariance.js';
import { withPrior } from '../posterior/withPrior.js';
import type { Predictive } from '../predictive/codec.js';
import type { TuningRule } from '../tuning/codec.js';
import type { Criterion } from '../tuning/criterion.js';
import type { Free, FreeName } from '../tuning/free.js';
import type { Precisions } from '../tuning/layers.js';

/** What is to be tuned, and how. */
export interface Task {
  readonly given: Posterior;
  readonly predictive: Predictive;
  readonly criterion: Criterion;
  readonly rule: TuningRule;
  /** Whether precisions are searched: one, or one for each layer; or the precisions to try. */
  readonly search: 'none' | 'one' | 'layers' | ReadonlyArray<number>;
  /** The free numbers that are fitted. */
  readonly free: ReadonlyArray<FreeName>;
  /** σ₀² and p; undefined if the likelihood has no noise variance. */
  readonly noise: { readonly variance: NoiseVariance; readonly power: number } | undefined;
  /** The noise variance that was given, if that of each output is chosen rather than a factor that they share. */
  readonly perOutput: NoiseVariance | undefined;
}

/** A place to try: the layers' precisions, and what is fitted from which start. */
export interface Place {
  readonly precisions: Precisions;
  readonly free: ReadonlyArray<FreeName>;
  readonly start: Free;
}

/** The prior of each layer's precision. */
const priorOf = ({ layers }: Posterior, precisions: Precisions): Prior => {
  const [first] = precisions as [number];
  return precisions.every((tau) => tau === first)
    ? isotropic(first)
    : perLayer(Object.fromEntries(layers.map(({ name }, l) => [name, precisions[l] as number])));
};

/** The posterior under precisions that were given at σ₀², and under κ σ₀². `noises` is the κ of each output beside that. */
export function posteriorUnder(
  { given, noise }: Task,
  precisions: Precisions,
  kappa: number,
  noises?: ReadonlyArray<number>,
): Posterior {
  const factor = kappa ** (noise?.power ?? 1);
  const under = orThrow(
    withPrior(
      given,
      priorOf(
        given,
        precisions.map((tau) => tau / factor),
      ),
    ),
  );
  if (noise === undefined || (kappa === 1 && noises === undefined)) return under;
  return orThrow(withNoiseVariance(under, noiseOfEach(noise.variance, kappa, noises)));
}

/** κ σ₀², with a κ for each output beside that. */
export const noiseOfEach = (variance: NoiseVariance, kappa: number, noises?: ReadonlyArray<number>): NoiseVariance =>
  noises === undefined ? noiseTimes(variance, kappa) : noises.map((own, c) => kappa * own * varianceAt(variance, c));

/** Where the evidence is highest, with its own noise variance if that is chosen. Where it has no maximum: the posterior's own prior. */
export function ofEvidence({ given, search, free, noise }: Task, base: Free): Place & { readonly isMaximum: boolean } {
  const isNoisy = noise !== undefined && free.includes('noise');
  const own = given.layers.map(({ priorPrecision }) => priorPrecision);
  const options = { per: search === 'layers' ? 'layer' : 'all', noise: isNoisy ? 'estimated' : 'fixed' } as const;
  return E.match(
    () => ({ precisions: own, free, start: base, isMaximum: false }),
    ({ posterior, noiseVariance }: { readonly posterior: Posterior; readonly noiseVariance?: NoiseVariance }) => {
      const found = posterior.layers.map(({ priorPrecision }) => priorPrecision);
      if (!isNoisy || noiseVariance === undefined) return { precisions: found, free, start: base, isMaximum: true };
      const kappa = firstOf(noiseVariance) / firstOf(noise.variance);
      return {
        precisions: found.map((tau) => tau * kappa ** noise.power),
        free: free.filter((name) => name !== 'noise'),
        start: { ...base, noise: kappa },
        isMaximum: true,
      };
    },
  )(maximiseEvidence(given, options));
}

const firstOf = (variance: NoiseVariance): number => (typeof variance === 'number' ? variance : (variance[0] as number));
