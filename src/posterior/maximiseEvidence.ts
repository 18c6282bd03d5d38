/**
 * The prior precision τ, and the noise variance σ² of a Gaussian likelihood, with the highest evidence. `optimum.ts` has the
 * mathematics.
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, literals, ofKind, optionsOf, struct } from '../codec/index.js';
import { dual, ifTagged } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { type Evidence, evidence } from './evidence.js';
import { POSTERIOR } from './kind.js';
import { type NoiseVariance, noiseOf, noiseTimes, underNoise } from './noise.js';
import { bestPrecisions, bestTogether, type JointOptimum } from './optimum.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import type { Prior } from './priors.js';
import { withPrior } from './withPrior.js';

/** Options of `maximiseEvidence`. */
export interface MaximiseEvidenceOptions {
  /** One prior precision for all weights, or one for each covered layer. Default `'all'`. */
  readonly per?: 'all' | 'layer';
  /**
   * Whether the noise variance σ² of a Gaussian likelihood stays as it is, or is estimated together with the prior precision. Default
   * `'fixed'`. Variances of several outputs are estimated up to one factor that they share: their ratios stay.
   */
  readonly noise?: 'fixed' | 'estimated';
}

const Options = struct('options, or a posterior', {
  per: defaulted(literals('all', 'layer'), 'all'),
  noise: defaulted(literals('fixed', 'estimated'), 'fixed'),
});

type Decoded = (typeof Options)['_A'];

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

/**
 * Finds the prior precision with the highest log marginal likelihood, and with `noise: 'estimated'` the noise variance of a Gaussian
 * likelihood together with it. It needs no data and no new decomposition. An iteration costs O(n m) for each layer, or O(n + m) under
 * factored damping. A fixed noise takes a handful of iterations, an estimated one a few handfuls.
 *
 * At the maximum MacKay's equations (1992) hold: τ ‖θ*‖² = γ for the weights that share τ, and σ² (N C − γ) = Σ (f − y)² with γ of all
 * layers. (Under factored damping, and for the empirical Fisher matrix, the second has another γ.) The weights stay where they are: after
 * more training the optimum is another one. A noise variance for each output would need the squared errors of each: estimate it from
 * residuals of held-out data, and observe again.
 *
 * For deep networks this optimum is known to be under-confident: predictions can be worse than the trained network's own (`npm run
 * bench -- precision`). So compare both on held-out data.
 *
 * @returns the maximum, or `InvalidInput` if there is none: without curvature the evidence grows towards τ = 0, with weights that are
 *   all 0 it grows towards infinity, and without residuals towards σ² = 0. `InvalidInput` also if the noise cannot be estimated, as for
 *   `withNoiseVariance`.
 * @throws LaplaceError `InvalidOption` if `per` is neither `'all'` nor `'layer'`, or `noise` neither `'fixed'` nor `'estimated'`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E, function as F } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, maximiseEvidence, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * model.setWeights([tf.tensor2d([[2]])]);
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2.5], [3.5], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const found = maximiseEvidence(posterior);
 * // 9 / (9 + τ) = 4 τ
 * if (E.isRight(found)) found.right.posterior.layers[0].priorPrecision; // => 0.2434…
 * // The same in a pipe, with σ² (3 − γ) = 0.5 as well:
 * const both = F.pipe(E.right(posterior), E.chain(maximiseEvidence({ noise: 'estimated' })));
 * if (E.isRight(both)) both.right.noiseVariance; // => 0.2491…
 * ```
 */
export function maximiseEvidence(
  options?: MaximiseEvidenceOptions,
): (posterior: Posterior) => E.Either<LaplaceError, EvidenceMaximum>;
export function maximiseEvidence(
  posterior: Posterior,
  options?: MaximiseEvidenceOptions,
): E.Either<LaplaceError, EvidenceMaximum>;
export function maximiseEvidence(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifTagged(1), (options: MaximiseEvidenceOptions = {}) => {
    const own = optionsOf('maximiseEvidence', Options, options);
    return (given: Posterior) =>
      F.pipe(
        ofKind('maximiseEvidence', POSTERIOR, given),
        E.chain((posterior) => (own.noise === 'fixed' ? maximised(posterior, own) : withNoise(posterior, own))),
      );
  });
}

const groupsOf = ({ layers }: Posterior, { per }: Decoded): ReadonlyArray<ReadonlyArray<PosteriorLayer>> =>
  per === 'all' ? [layers] : layers.map((layer) => [layer]);

const maximised = (posterior: Posterior, own: Decoded): E.Either<LaplaceError, EvidenceMaximum> =>
  F.pipe(
    bestPrecisions(posterior, groupsOf(posterior, own)),
    E.chain((found) => maximum(posterior, own, found)),
  );

const withNoise = (posterior: Posterior, own: Decoded): E.Either<LaplaceError, EvidenceMaximum> =>
  F.pipe(
    noiseOf('maximiseEvidence', posterior),
    E.bindTo('noise'),
    E.bind('found', ({ noise }) => bestTogether(posterior, groupsOf(posterior, own), noise)),
    E.chain(({ noise, found }) => {
      const noiseVariance = noiseTimes(noise.variance, found.kappa);
      return F.pipe(
        maximum(underNoise(posterior, noise, noiseVariance, found.kappa), own, found),
        E.map((best) => Object.freeze({ ...best, noiseVariance })),
      );
    }),
  );

/** The result, from a posterior that has the best noise variance already. */
function maximum(
  posterior: Posterior,
  { per }: Decoded,
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

function priorOf(per: 'all' | 'layer', layers: ReadonlyArray<PosteriorLayer>, taus: ReadonlyArray<number>): Prior {
  if (per === 'all') return Object.freeze({ _tag: 'isotropic', precision: taus[0] as number });
  const precisions = Object.freeze(Object.fromEntries(layers.map(({ name }, i) => [name, taus[i] as number])));
  return Object.freeze({ _tag: 'perLayer', precisions });
}
