/**
 * The noise variance σ² of a posterior's Gaussian likelihood. With κ = σ²/σ₀², σ₀² the present variance, N C labels, the sum of
 * squares S = Σ (f − y)² / σ₀², and curvature that is proportional to σ^(−2p),
 *
 *   log p(D | θ*, σ) = −½ [ S / κ + Σ log(2π κ σ₀²) ],     curvature(σ) = κ^(−p) · curvature(σ₀)
 *
 * (sums over labels). So another κ needs no data. S is what the log-likelihood at σ₀ leaves, unless it is stored for each output. p is 1, but 2 for the
 * empirical Fisher matrix, whose gradients are (f − y) / σ².
 */
import { either as E } from 'fp-ts';
import { noisePowerOf } from '../curvature/codec.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import type { Likelihood } from '../likelihood/index.js';
import { type NoiseVariance, noiseVarianceOf, withVariance } from '../likelihood/noiseVariance.js';
import { times } from '../linalg/matrix.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';

/** What a posterior knows about its noise. */
export interface Noise {
  /** σ₀². */
  readonly variance: NoiseVariance;
  /** p. */
  readonly power: 1 | 2;
  /** N C, the number of labels. */
  readonly labels: number;
  /** S, up to rounding: it is 0 if rounding is all that is left. */
  readonly squares: number;
}

/** Σ log(2πσ²) over N examples with C outputs. */
export function logNoise({ datasetSize: N, outputs: C }: Posterior, variance: NoiseVariance): number {
  const each = typeof variance === 'number' ? [variance] : variance;
  return ((N * C) / each.length) * each.reduce((sum, v) => sum + Math.log(2 * Math.PI * v), 0);
}

/**
 * float32 sums leave no more than this of the log-likelihood's parts: 2⁻²⁴ for each of a few operations, and the sums over a batch
 * have their own.
 */
const ROUNDING = 2 ** -20;

/** What a posterior knows about its noise, or `InvalidInput` if another noise variance would need the data. */
export function noiseOf(what: string, posterior: Posterior): E.Either<LaplaceError, Noise> {
  const { likelihood, estimator, logLikelihood, datasetSize: N, outputs: C, squares: known } = posterior;
  const variance = noiseVarianceOf(likelihood);
  const power = noisePowerOf(estimator);
  if (variance === undefined) return E.left(noVariance(what, likelihood));
  if (power === undefined) return E.left(unknownCurvature(what, posterior));
  const labels = N * C;
  if (known !== undefined) return E.right({ variance, power, labels, squares: known.reduce((a, b) => a + b, 0) });
  const constants = logNoise(posterior, variance);
  const squares = -2 * logLikelihood - constants;
  const rounding = ROUNDING * (Math.abs(constants) + 2 * Math.abs(logLikelihood));
  return E.right({ variance, power, labels, squares: squares > rounding ? squares : 0 });
}

/** κ σ₀². */
export const noiseTimes = (variance: NoiseVariance, kappa: number): NoiseVariance =>
  typeof variance === 'number' ? variance * kappa : variance.map((v) => v * kappa);

/** The layers under κ σ₀², whose shares stay as they are. */
export const layersUnder = (
  layers: ReadonlyArray<PosteriorLayer>,
  { power }: Pick<Noise, 'power'>,
  kappa: number,
): ReadonlyArray<PosteriorLayer> =>
  kappa === 1
    ? layers
    : layers.map((layer) => {
        const parts = posteriorStructure(layer).scaled(layer.parts, kappa ** -power);
        return frozen({ ...layer, parts }) as PosteriorLayer;
      });

/** The posterior under the noise variance `variance`, which is κ σ₀². */
export function underNoise(posterior: Posterior, noise: Noise, variance: NoiseVariance, kappa: number): Posterior {
  return Object.freeze({
    ...posterior,
    layers: Object.freeze(layersUnder(posterior.layers, noise, kappa).map((layer) => withShares(layer, kappa))),
    likelihood: frozen(withVariance(posterior.likelihood, variance)),
    logLikelihood: -0.5 * (noise.squares / kappa + logNoise(posterior, variance)),
    ...(posterior.squares && { squares: Object.freeze(posterior.squares.map((own) => own / kappa)) }),
  });
}

/** A layer with shares that are 1/κ times as large. */
function withShares(layer: PosteriorLayer, kappa: number): PosteriorLayer {
  if (layer.shares === undefined || kappa === 1) return layer;
  return frozen({ ...layer, shares: layer.shares.map((own) => times(own, 1 / kappa)) });
}

const OBSERVE = 'Observe the data again, with the likelihood that you want.';

const noVariance = (what: string, likelihood: Likelihood): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${what}: the posterior has no noise variance that could be changed without its data`,
    field: 'likelihood',
    found: likelihood._tag === 'perStep' ? `perStep of ${likelihood.each._tag}` : likelihood._tag,
    expected: 'gaussian, or perStep(gaussian(…)) in which all steps count',
    remedy: OBSERVE,
  });

const unknownCurvature = (what: string, { estimator }: Posterior): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${what}: nobody knows how the curvature depends on the noise variance`,
    field: 'estimator.fisher',
    found: 'fisher' in estimator ? estimator.fisher._tag : estimator._tag,
    expected: 'a Fisher matrix of the library',
    remedy: OBSERVE,
  });
