/** The evidence as a function of one prior precision for all layers, as data for a picture. */
import { either as E, function as F } from 'fp-ts';
import { array, defaulted, ofKind, optional, optionsOf, positive, positiveInteger, struct } from '../codec/index.js';
import { dual, ifTagged } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { type Evidence, evidence } from './evidence.js';
import { POSTERIOR } from './kind.js';
import { bestPrecisions } from './optimum.js';
import type { Posterior } from './posterior.js';
import { isotropic } from './priors.js';
import { withPrior } from './withPrior.js';

/** Options of `evidenceCurve`. */
export interface EvidenceCurveOptions {
  /** The precisions τ > 0 to evaluate. Default: a logarithmic grid around the τ with the highest evidence, which is one of them. */
  readonly precisions?: ReadonlyArray<number>;
  /** The number of intervals of the default grid on each side of the maximum. Default 24. */
  readonly steps?: number;
  /** How far the default grid goes on each side, as a power of ten. Default 3: from a thousandth to a thousand times the best τ. */
  readonly decades?: number;
}

const Options = struct('options, or a posterior', {
  precisions: optional(array('an array of finite numbers > 0', positive)),
  steps: defaulted(positiveInteger, 24),
  decades: defaulted(positive, 3),
});

/** The evidence at one prior precision τ of all covered layers. */
export interface EvidencePoint extends Evidence {
  readonly precision: number;
}

/**
 * The evidence of a posterior at many prior precisions, one for all layers, in nats. It needs no data and no decomposition: a point
 * costs as much as `evidence`. `maximiseEvidence` finds the maximum itself.
 *
 * @returns a point for each precision, ascending by default, or else in the order given. `InvalidInput` if the default grid lacks its
 *   middle, because the evidence has no maximum.
 * @throws LaplaceError `InvalidOption` for a precision that is not a finite number > 0, and for other options out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, evidenceCurve, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * model.setWeights([tf.tensor2d([[2]])]);
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2], [4], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const curve = evidenceCurve(posterior);
 * if (E.isRight(curve)) {
 *   curve.right.length; // => 49
 *   curve.right[24].precision; // => 0.2434…
 *   curve.right[24].logMarginalLikelihood; // => -5.06…
 * }
 * ```
 */
export function evidenceCurve(
  options?: EvidenceCurveOptions,
): (posterior: Posterior) => E.Either<LaplaceError, ReadonlyArray<EvidencePoint>>;
export function evidenceCurve(
  posterior: Posterior,
  options?: EvidenceCurveOptions,
): E.Either<LaplaceError, ReadonlyArray<EvidencePoint>>;
export function evidenceCurve(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifTagged(1), (options: EvidenceCurveOptions = {}) => {
    const { precisions, ...grid } = optionsOf('evidenceCurve', Options, options);
    return (given: Posterior) =>
      F.pipe(
        E.Do,
        E.apS('posterior', ofKind('evidenceCurve', POSTERIOR, given)),
        E.bind('taus', ({ posterior }) => (precisions === undefined ? around(posterior, grid) : E.right(precisions))),
        E.chain(({ posterior, taus }) =>
          F.pipe(
            taus,
            E.traverseArray((precision) => point(posterior, precision)),
          ),
        ),
      );
  });
}

const point = (posterior: Posterior, precision: number): E.Either<LaplaceError, EvidencePoint> =>
  F.pipe(
    withPrior(posterior, isotropic(precision)),
    E.map((own) => Object.freeze({ precision, ...evidence(own) })),
  );

interface Grid {
  readonly steps: number;
  readonly decades: number;
}

/** The grid around the best τ. Its ends stay within float64. */
const around = (posterior: Posterior, { steps, decades }: Grid): E.Either<LaplaceError, ReadonlyArray<number>> =>
  F.pipe(
    bestPrecisions(posterior, [posterior.layers]),
    E.map(({ optima }) => {
      const best = optima[0]?.tau ?? 1;
      const powers = Array.from({ length: 2 * steps + 1 }, (_, i) => 10 ** (((i - steps) / steps) * decades));
      return powers.map((power) => Math.min(Math.max(best * power, Number.MIN_VALUE), Number.MAX_VALUE));
    }),
  );
