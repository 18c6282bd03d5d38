/**
 * The interface of a link: it turns the Gaussian outputs f ~ N(μ, Σ) of one row into probabilities. Everything is pure, on the
 * host, in float64.
 */
import type { OutputCovariance } from './outputCovariance.js';

/** Moments of the probabilities p of one row, [C] each: of C classes, or of C independent labels. */
export interface ClassMoments {
  /** E[p]. */
  readonly probabilities: Float64Array;
  /** √Var[p]. */
  readonly standardDeviations: Float64Array;
  /** E[H(p)] in nats, summed over independent labels. */
  readonly expectedEntropy: number;
}

/** How many draws of the outputs are taken, an even number, and the seed of the draws. */
export interface DrawOptions {
  readonly samples: number;
  readonly seed: number;
}

/** The logits of the mean probabilities of one row, [C] each. */
export interface Logits {
  readonly mean: Float64Array;
  /** Their slopes in the logarithm of a factor of all variances. */
  readonly slope: Float64Array;
}

/** The rule of one link. A new link is a file with its rule, and a line in `index.ts`. */
export interface LinkRule {
  /** The moments for classes: p = softmax(f). */
  readonly classes: (mean: Float64Array, covariance: OutputCovariance, options: DrawOptions) => ClassMoments;
  /** The moments for independent labels: p = sigmoid(f), each from its own mean and variance, [C]. */
  readonly labels: (mean: Float64Array, variance: Float64Array, options: DrawOptions) => ClassMoments;
  /**
   * The logits z of the mean probabilities, where these are softmax(z) for classes and sigmoid(z) for labels, and where z is proportional
   * to the mean of the outputs. Absent for other links.
   */
  readonly logits?: (mean: Float64Array, variance: Float64Array) => Logits;
  /** Whether the means are averages over draws. A regression without a closed form can use only such a link, or the default. */
  readonly isDrawn: boolean;
}
