/** A posterior under another noise variance, without data. */
import { either as E, function as F } from 'fp-ts';
import { argument, ofKind } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { NoiseVarianceCodec } from '../likelihood/gaussian.js';
import { type NoiseVariance, noiseVarianceOf, varianceAt } from '../likelihood/noiseVariance.js';
import { POSTERIOR } from './kind.js';
import { type Noise, noiseOf, underNoise } from './noise.js';
import { hasShares, underNoises } from './noisePerOutput.js';
import type { Posterior } from './posterior.js';

/**
 * The same posterior under another noise variance σ² of its Gaussian likelihood, as if the data had been observed with it. A number is the
 * variance of all outputs.
 *
 * A multiple of the present σ² scales all curvature by one factor. Nothing is decomposed again; the cost is one number for each direction.
 * Other ratios between the outputs weigh the sum over outputs anew, of which curvature below the last layer is made. They need the share of
 * each output, which estimators with `noise: 'perOutput'` keep. The output side of a Kronecker factor, or the whole of `full`, is then
 * decomposed again, in JavaScript: 12 ms for a layer of 100 outputs, 0.6 s for 400. (The directions of `ekfac` stay those of the noise that
 * was observed with.)
 *
 * Without shares the log-likelihood follows from the present one, whose rounding (float32) leaves a relative error of about 1e-7 · σ₀² / (mean squared
 * error) in the sum of squared errors: observe with a σ₀² that is roughly right.
 *
 * @param noiseVariance σ² > 0, in squared units of the labels: one for all outputs, or one for each
 * @returns the posterior, or `InvalidInput` if its likelihood has no such variance (it is not `gaussian`, and not `perStep` of it) or its
 *   curvature comes from a `customFisher`; `InvalidOption` if σ² is not a multiple of the present one, and there are no shares.
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
        E.bind('kappas', ({ posterior, noise }) => ratios(posterior, noise, variance)),
        E.chain(({ posterior, noise, kappas }) =>
          hasShares(posterior) && !isOne(kappas)
            ? underNoises(posterior, noise, kappas)
            : E.right(underNoise(posterior, noise, variance, kappas[0] as number)),
        ),
      );
  });
}

/** Ratios that differ by no more than this are the same ratio, rounded. */
const SAME = 1e-9;

const isOne = (kappas: ReadonlyArray<number>): boolean => Math.max(...kappas) - Math.min(...kappas) <= SAME * Math.max(...kappas);

/** κ of each output: how many times the present variance the given one is. */
function ratios(posterior: Posterior, { variance }: Noise, given: NoiseVariance): E.Either<LaplaceError, ReadonlyArray<number>> {
  if (typeof given !== 'number' && !fits(posterior, given.length)) return E.left(anotherNumber(posterior, given));
  const C = typeof given === 'number' ? (typeof variance === 'number' ? 1 : variance.length) : given.length;
  const kappas = Array.from({ length: C }, (_, c) => varianceAt(given, c) / varianceAt(variance, c));
  if (isOne(kappas) || hasShares(posterior)) return E.right(kappas);
  return E.left(
    laplaceError('InvalidOption', {
      what: 'withNoiseVariance: the noise variance is not a multiple of the present one',
      field: 'noiseVariance',
      found: wordsOf(given),
      expected: `a multiple of ${wordsOf(variance)}`,
      remedy:
        "The curvature is a sum over outputs, in which each has its present weight. Observe the data again: with the likelihood that you want, or with noise: 'perOutput' in the curvature, which keeps the share of each output.",
    }),
  );
}

const wordsOf = (variance: NoiseVariance): string => (typeof variance === 'number' ? String(variance) : variance.join(', '));

/** Whether a posterior can have so many variances: one for each output, or for a sequence one for each output of a step. */
function fits({ likelihood, outputs, squares }: Posterior, count: number): boolean {
  const present = noiseVarianceOf(likelihood);
  const known = squares?.length ?? (typeof present === 'object' ? present.length : undefined);
  if (known !== undefined) return count === known;
  return likelihood._tag === 'gaussian' ? count === outputs : outputs % count === 0;
}

const anotherNumber = ({ outputs, squares }: Posterior, given: ReadonlyArray<number>): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'withNoiseVariance: the noise variances do not fit the outputs',
    field: 'noiseVariance',
    found: wordsOf(given),
    expected: `one variance, or one for each of ${squares?.length ?? outputs} outputs`,
  });
