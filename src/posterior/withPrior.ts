/** A posterior under another prior or with another damping. Both use the eigenbasis that is there, so nothing is decomposed again. */
import { either as E, function as F } from 'fp-ts';
import { argument, ofKind } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';
import { PriorCodec, type PriorInput } from './codec.js';
import { type Damping, DampingCodec, type DampingInput } from './damping.js';
import { POSTERIOR } from './kind.js';
import type { Posterior } from './posterior.js';
import { type Prior, precisionsOf } from './priors.js';

/**
 * The same posterior under another prior. Nothing is decomposed again; the cost is O(number of layers).
 *
 * @returns the posterior, or `InvalidOption` if the prior does not fit the layers.
 * @throws LaplaceError `InvalidOption` if a precision is not a finite number > 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E, function as F } from 'fp-ts';
 * import { from, lastValueFrom } from 'rxjs';
 * import {
 *   accumulateFactors, batches, evidence, factoredDamping, gaussian, isotropic, kfac, observe, toPosterior, withDamping, withPrior,
 * } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * E.isRight(withPrior(posterior, isotropic(10))); // => true
 * // The same in a pipe:
 * const found = F.pipe(posterior, withPrior(isotropic(10)), E.map(withDamping(factoredDamping())), E.map(evidence));
 * E.isRight(found); // => true
 * ```
 */
export function withPrior(prior: Prior | PriorInput): (posterior: Posterior) => E.Either<LaplaceError, Posterior>;
export function withPrior(posterior: Posterior, prior: Prior | PriorInput): E.Either<LaplaceError, Posterior>;
export function withPrior(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (prior: Prior) => {
    const own = argument('withPrior', 'prior', PriorCodec, prior);
    return (given: Posterior) => F.pipe(ofKind('withPrior', POSTERIOR, given), E.chain(under(own)));
  });
}

const under =
  (prior: Prior) =>
  (posterior: Posterior): E.Either<LaplaceError, Posterior> =>
    F.pipe(
      precisionsOf(
        prior,
        posterior.layers.map(({ name }) => name),
      ),
      E.map((precisions) => posterior.layers.map((l, i) => Object.freeze({ ...l, priorPrecision: precisions[i] as number }))),
      E.map((layers) => Object.freeze({ ...posterior, layers: Object.freeze(layers) })),
    );

/** The same posterior with another damping. Nothing is decomposed again. `pipe(posterior, withDamping(damping))` is the same. */
export function withDamping(damping: Damping | DampingInput): (posterior: Posterior) => Posterior;
export function withDamping(posterior: Posterior, damping: Damping | DampingInput): Posterior;
export function withDamping(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (damping: Damping) => {
    const own = argument('withDamping', 'damping', DampingCodec, damping);
    return (posterior: Posterior) => Object.freeze({ ...orThrow(ofKind('withDamping', POSTERIOR, posterior)), damping: own });
  });
}
