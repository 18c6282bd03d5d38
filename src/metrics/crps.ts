/**
 * Continuous ranked probability score of a predictive distribution F for a target y: ∫ (F(x) − [x >= y])² dx. It is a strictly proper
 * score in units of y. For a point forecast it is the absolute error, and unlike the NLL it is finite there. With z = (y − μ) / σ:
 *
 *   Gaussian          σ [z (2 Φ(z) − 1) + 2 φ(z) − 1/√π]
 *   samples x_s       1/S Σ_s |x_s − y| − 1/(2 D) Σ_s Σ_t |x_s − x_t|,   D = S (S − 1) fair, S² otherwise
 *
 * The fair form is unbiased: its expectation over samples is the score of the distribution that they are drawn from. Otherwise it is the
 * score of the samples themselves, as a distribution of S points, which favours samples that vary too little. Scores are means over all
 * entries. O(N C), and O(N C S log S) for samples. Reference: Gneiting & Raftery 2007, eq. 20 and 21; fair: Ferro 2014.
 */
import type { either as E } from 'fp-ts';
import { boolean, defaulted, optionsOf, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { centralProbability } from '../random/normal.js';
import { checkAlike, checkPredictions, entries, type GaussianPredictions } from './gaussian.js';
import { checkKind, type NumberRows, type Problem, problemOf, sound } from './rows.js';

/** Samples of predicted labels with the observed targets. */
export interface SampledPredictions {
  /** [N][C] */
  readonly targets: NumberRows;
  /** [S][N][C]: S samples of all targets. They include the noise, as the targets do. */
  readonly samples: ReadonlyArray<NumberRows>;
}

/** Options of `sampleCrps`. */
export interface SampleCrpsOptions {
  /** Whether to estimate the score of the distribution behind the samples, instead of the score of the samples. Default true. */
  readonly fair?: boolean;
}

const Options = struct('options', { fair: defaulted(boolean, true) });

/**
 * Mean continuous ranked probability score of Gaussian predictions, over all entries, in units of the targets.
 *
 * @returns the mean, >= 0. Errors are those of `gaussianNll`.
 *
 * @example
 * ```ts
 * import { gaussianCrps, orThrow } from 'tfjs-laplace';
 *
 * orThrow(gaussianCrps({ targets: [[1]], mean: [[1]], variance: [[4]] })); // => 0.4673…
 * ```
 */
export const gaussianCrps = (predictions: GaussianPredictions): E.Either<LaplaceError, number> =>
  sound(checkPredictions(predictions), () => {
    const all = entries(predictions);
    return all.reduce((sum, { error, variance }) => sum + crpsOf(error, variance), 0) / all.length;
  });

/** The score of one entry. */
export function crpsOf(error: number, variance: number): number {
  const deviation = Math.sqrt(variance);
  const z = Math.abs(error) / deviation;
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  return deviation * (z * centralProbability(z) + 2 * density - 1 / Math.sqrt(Math.PI));
}

/** The slope of the score of one entry in the variance. */
export function crpsSlopeOf(error: number, variance: number): number {
  const deviation = Math.sqrt(variance);
  const density = Math.exp((-0.5 * error * error) / variance) / Math.sqrt(2 * Math.PI);
  return (density - 0.5 / Math.sqrt(Math.PI)) / deviation;
}

/**
 * Mean continuous ranked probability score of sampled predictions, over all entries, in units of the targets.
 *
 * @returns the mean. A fair score can be negative. `InvalidInput`, `NotFinite` or `Empty` for rows that differ in shape or are not finite,
 *   and for less than two samples of a fair score.
 * @throws LaplaceError `InvalidOption` if `fair` is not a boolean.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { sampleCrps } from 'tfjs-laplace';
 *
 * const predictions = { targets: [[1]], samples: [[[0]], [[4]]] };
 * sampleCrps(predictions); // => E.right(0)
 * sampleCrps(predictions, { fair: false }); // => E.right(1)
 * ```
 */
export function sampleCrps(predictions: SampledPredictions, options: SampleCrpsOptions = {}): E.Either<LaplaceError, number> {
  const { fair } = optionsOf('sampleCrps', Options, options);
  return sound(checkSamples(predictions, fair ? 2 : 1), () => {
    const { targets, samples } = predictions;
    const scores = targets.flatMap((row, i) =>
      Array.from(row, (y, c) => scoreOf(y, Float64Array.from(samples, (rows) => rows[i]?.[c] as number).sort(), fair)),
    );
    return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  });
}

/** Σ_s Σ_t |x_s − x_t| = 2 Σ_k (2 k − S + 1) x_k for ascending x_0 … x_{S − 1}. */
function scoreOf(y: number, ascending: Float64Array, fair: boolean): number {
  const S = ascending.length;
  let [distance, spread] = [0, 0];
  ascending.forEach((x, k) => {
    distance += Math.abs(x - y);
    // The distance to the target instead of the sample itself: the weights add up to 0, and the sum loses no digits.
    spread += (2 * k - S + 1) * (x - y);
  });
  return distance / S - spread / (S * (fair ? S - 1 : S));
}

function checkSamples(predictions: SampledPredictions, least: number): Problem {
  const { targets, samples } = predictions ?? {};
  const foreign = checkKind(targets, 'targets') ?? checkKind(samples, 'samples');
  if (foreign !== undefined) return foreign;
  if (samples.length < least) {
    return problemOf(
      'samples',
      `${samples.length} of them`,
      `at least ${least}`,
      samples.length === 0 ? 'Empty' : 'InvalidInput',
    );
  }
  for (const [s, rows] of samples.entries()) {
    const problem = checkAlike(targets, rows, `samples[${s}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
