/** A posterior under another noise variance. It uses the eigenbasis that is there, so nothing is decomposed again. */
import { either as E, function as F } from 'fp-ts';
import { argument, ofKind } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { NoiseVarianceCodec } from '../likelihood/gaussian.js';
import { POSTERIOR } from './kind.js';
import { type Noise, type NoiseVariance, noiseOf, underNoise } from './noise.js';
import type { Posterior } from './posterior.js';

/**
 * The same posterior under another noise variance σ² of its Gaussian likelihood, as if the data had been observed with it. Nothing
 * is decomposed again; the cost is one number for each direction.
 *
 * σ² scales all curvature by one factor, so it may only change by one factor. A number is the variance of all outputs. An array must
 * be a multiple of the present one. Curvature below the last layer is a sum over outputs, which other ratios would weigh anew.
 *
 * The log-likelihood follows from the present one, whose rounding (float32) leaves a relative error of about 1e-7 · σ₀² / (mean squared
 * error) in the sum of squared errors: observe with a σ₀² that is roughly right.
 *
 * @param noiseVariance σ² > 0, in squared units of the labels: one for all outputs, or one for each
 * @returns the posterior, or `InvalidInput` if its likelihood has no such variance (it is not `gaussian`, and not `perStep` of it) or its
 *   curvature comes from a `customFisher`; `InvalidOption` if σ² is not a multiple of the present one.
 * @throws LaplaceError `InvalidOption` if a variance is not a finite number > 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, evidence, gaussian, kfac, observe, toPosterior, withNoiseVariance } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * model.setWeights([tf.tensor2d([[2]])]);
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2.5], [3.5], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * // Three labels, the sum of squared errors is 0.5:  −½ (0.5 / 0.25 + 3 log(2π · 0.25))
 * const found = withNoiseVariance(posterior, 0.25);
 * if (E.isRight(found)) evidence(found.right).logLikelihood; // => -1.677…
 * ```
 */
export function withNoiseVariance(
  noiseVariance: number | ReadonlyArray<number>,
): (posterior: Posterior) => E.Either<LaplaceError, Posterior>;
export function withNoiseVariance(
  posterior: Posterior,
  noiseVariance: number | ReadonlyArray<number>,
): E.Either<LaplaceError, Posterior>;
export function withNoiseVariance(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (noiseVariance: NoiseVariance) => {
    const variance = argument('withNoiseVariance', 'noiseVariance', NoiseVarianceCodec, noiseVariance);
    return (given: Posterior) =>
      F.pipe(
        E.Do,
        E.apS('posterior', ofKind('withNoiseVariance', POSTERIOR, given)),
        E.bind('noise', ({ posterior }) => noiseOf('withNoiseVariance', posterior)),
        E.bind('kappa', ({ noise }) => ratio(noise, variance)),
        E.map(({ posterior, noise, kappa }) => underNoise(posterior, noise, variance, kappa)),
      );
  });
}

/** Ratios that differ by no more than this are the same ratio, rounded. */
const SAME = 1e-9;

/** κ: how many times the present variance the given one is. */
function ratio({ variance }: Noise, given: NoiseVariance): E.Either<LaplaceError, number> {
  const [present, wanted] = [variance, given].map((v) => (typeof v === 'number' ? [v] : v)) as [number[], number[]];
  const C = Math.max(present.length, wanted.length);
  const fits = [present, wanted].every(({ length }) => length === C || length === 1);
  const ratios = Array.from(
    { length: C },
    (_, c) => (wanted[c] ?? (wanted[0] as number)) / (present[c] ?? (present[0] as number)),
  );
  const [smallest, largest] = [Math.min(...ratios), Math.max(...ratios)];
  if (fits && largest - smallest <= SAME * largest) return E.right(ratios[0] as number);
  return E.left(
    laplaceError('InvalidOption', {
      what: 'withNoiseVariance: the noise variance is not a multiple of the present one',
      field: 'noiseVariance',
      found: wanted.join(', '),
      expected: `a multiple of ${present.join(', ')}`,
      remedy:
        'The curvature is a sum over outputs, in which each has its present weight. Observe the data again, with the likelihood that you want.',
    }),
  );
}
