/**
 * The prior precision τ, and the noise variance σ² of a Gaussian likelihood, with the highest evidence. `optimum.ts` has the
 * mathematics.
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, literals, ofKind, optionsOf, struct } from '../codec/index.js';
import { dual, ifTagged } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type NoiseVariance, noiseVarianceOf } from '../likelihood/noiseVariance.js';
import { type EvidenceMaximum, layersSharing, maximumAt, maximumOf, type Per } from './evidenceMaximum.js';
import { POSTERIOR } from './kind.js';
import { type Noise, noiseOf, noiseTimes, underNoise } from './noise.js';
import { hasShares, noShares } from './noisePerOutput.js';
import { bestTogether } from './optimum.js';
import { bestPerOutput } from './optimumPerOutput.js';
import type { Posterior } from './posterior.js';

export type { EvidenceMaximum } from './evidenceMaximum.js';

/** Options of `maximiseEvidence`. */
export interface MaximiseEvidenceOptions {
  /** One prior precision for all weights, or one for each covered layer. Default `'all'`. */
  readonly per?: 'all' | 'layer';
  /**
   * Whether the noise variance σ² of a Gaussian likelihood stays as it is, or is estimated together with the prior precision. Default
   * `'fixed'`. With `'estimated'` the variances of several outputs get one factor that they share: their ratios stay. With `'perOutput'`
   * each output gets its own, for which the curvature needs `noise: 'perOutput'` as well.
   */
  readonly noise?: 'fixed' | 'estimated' | 'perOutput';
}

const Options = struct('options, or a posterior', {
  per: defaulted(literals('all', 'layer'), 'all'),
  noise: defaulted(literals('fixed', 'estimated', 'perOutput'), 'fixed'),
});

type Decoded = (typeof Options)['_A'];

/**
 * Finds the prior precision with the highest log marginal likelihood, and with `noise: 'estimated'` the noise variance of a Gaussian
 * likelihood together with it. It needs no data and no new decomposition. An iteration costs O(n m) for each layer, or O(n + m) under
 * factored damping. A fixed noise takes a handful of iterations, an estimated one a few handfuls. With `'perOutput'` the output side of
 * every layer is decomposed again for each of a few handfuls of noises, as `withNoiseVariance` does it.
 *
 * At the maximum MacKay's equations (1992) hold: τ ‖θ*‖² = γ for the weights that share τ, and σ² (N C − γ) = Σ (f − y)² with γ of all
 * layers; with a noise variance for each output, σ_c² (N − γ_c) = Σ (f_c − y_c)² with the γ_c of its share of the curvature. (Under factored
 * damping, and for the empirical Fisher matrix, the second has another γ.) The weights stay where they are: after more training the optimum
 * is another one.
 *
 * For deep networks this optimum is known to be under-confident: predictions can be worse than the trained network's own (`npm run
 * bench -- precision`). So compare both on held-out data.
 *
 * @returns the maximum, or `InvalidInput` if there is none: without curvature the evidence grows towards τ = 0, with weights that are
 *   all 0 it grows towards infinity, and without residuals towards σ² = 0. `InvalidInput` also if the noise cannot be estimated, as for
 *   `withNoiseVariance`, and for `'perOutput'` if the curvature holds no shares of outputs.
 * @throws LaplaceError `InvalidOption` if `per` is neither `'all'` nor `'layer'`, or `noise` none of `'fixed'`, `'estimated'` and `'perOutput'`.
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
        E.chain((posterior) => (own.noise === 'fixed' ? maximumOf(posterior, own.per) : withNoise(posterior, own))),
      );
  });
}

const withNoise = (posterior: Posterior, { per, noise }: Decoded): E.Either<LaplaceError, EvidenceMaximum> =>
  F.pipe(
    noiseOf('maximiseEvidence', posterior),
    E.chain((known) => (noise === 'perOutput' ? withNoises(posterior, per, known) : withOneFactor(posterior, per, known))),
    E.map(({ best, variance }) => Object.freeze({ ...best, noiseVariance: variance })),
  );

/** A maximum, and the noise variance that was found. */
type Found = E.Either<LaplaceError, { readonly best: EvidenceMaximum; readonly variance: NoiseVariance }>;

const withOneFactor = (posterior: Posterior, per: Per, noise: Noise): Found =>
  F.pipe(
    bestTogether(posterior, layersSharing(posterior, per), noise),
    E.bindTo('found'),
    E.let('variance', ({ found }) => noiseTimes(noise.variance, found.kappa)),
    E.bind('best', ({ found, variance }) => maximumAt(underNoise(posterior, noise, variance, found.kappa), per, found)),
  );

const withNoises = (posterior: Posterior, per: Per, noise: Noise): Found =>
  hasShares(posterior)
    ? F.pipe(
        bestPerOutput(posterior, per, noise),
        E.map((best) => ({ best, variance: noiseVarianceOf(best.posterior.likelihood) as NoiseVariance })),
      )
    : E.left(laplaceError('InvalidInput', noShares(posterior, 'noise', "'perOutput'", "take noise: 'estimated'")));
