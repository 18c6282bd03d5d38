/** The maximum of the evidence, as a value, from the prior precisions that `optimum.ts` finds. */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import type { NoiseVariance } from '../likelihood/noiseVariance.js';
import { type Evidence, evidence } from './evidence.js';
import { bestPrecisions, type JointOptimum } from './optimum.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import type { Prior } from './priors.js';
import { withPrior } from './withPrior.js';

/** The maximum of the evidence over prior precisions, and over the noise variance if that was estimated. */
export interface EvidenceMaximum {
  /** The posterior under the prior, and the noise variance, that were found. */
  readonly posterior: Posterior;
  /** The prior that was found: `isotropic`, or `perLayer`. */
  readonly prior: Prior;
  /** σ² that was found; absent if it was `'fixed'`. */
  readonly noiseVariance?: NoiseVariance;
  /** The evidence of `posterior`. */
  readonly evidence: Evidence;
  /** γ for every covered layer: how many of its weights are determined by the data rather than by the prior. */
  readonly effectiveParameters: Readonly<Record<string, number>>;
  /** How often γ was evaluated, added over the searches: one search, or with `per: 'layer'` one for each layer. */
  readonly iterations: number;
}

/** Whether all layers share one precision. */
export type Per = 'all' | 'layer';

/** The layers in groups, each of which shares one precision. */
export const layersSharing = ({ layers }: Posterior, per: Per): ReadonlyArray<ReadonlyArray<PosteriorLayer>> =>
  per === 'all' ? [layers] : layers.map((layer) => [layer]);

/** The maximum over prior precisions, under the noise variance that the posterior has. */
export const maximumOf = (posterior: Posterior, per: Per): E.Either<LaplaceError, EvidenceMaximum> =>
  F.pipe(
    bestPrecisions(posterior, layersSharing(posterior, per)),
    E.chain((found) => maximumAt(posterior, per, found)),
  );

/** The result, from a posterior that has the best noise variance already. */
export function maximumAt(
  posterior: Posterior,
  per: Per,
  { optima, iterations }: JointOptimum,
): E.Either<LaplaceError, EvidenceMaximum> {
  const { layers } = posterior;
  const prior = priorOf(
    per,
    layers,
    optima.map(({ tau }) => tau),
  );
  const counts = optima.flatMap((one) => one.counts);
  return F.pipe(
    withPrior(posterior, prior),
    E.map((best) =>
      Object.freeze({
        posterior: best,
        prior,
        evidence: evidence(best),
        effectiveParameters: Object.freeze(Object.fromEntries(layers.map(({ name }, i) => [name, counts[i] as number]))),
        iterations,
      }),
    ),
  );
}

function priorOf(per: Per, layers: ReadonlyArray<PosteriorLayer>, taus: ReadonlyArray<number>): Prior {
  if (per === 'all') return Object.freeze({ _tag: 'isotropic', precision: taus[0] as number });
  const precisions = Object.freeze(Object.fromEntries(layers.map(({ name }, i) => [name, taus[i] as number])));
  return Object.freeze({ _tag: 'perLayer', precisions });
}
