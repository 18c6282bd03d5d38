/**
 * The prior precision τ that maximises the evidence (type-II maximum likelihood, MacKay 1992).
 *
 * With γ(τ) from `determinant.ts`, the slope of the evidence in log τ is ½ (γ(τ) − τ ‖θ*‖²). This slope falls everywhere, so its
 * only zero is the maximum: MacKay's fixed point τ ‖θ*‖² = γ(τ). The equation to solve is
 *
 *   g(log τ) = log γ(τ) − log τ − log ‖θ*‖² = 0,   g' = γ'/γ − 1 in [−2, −1],
 *
 * by Newton's method. g is almost a straight line, so a handful of steps are enough from any start. Each value of g also brackets
 * the solution: log τ* lies between g/2 and g away from log τ. A step costs one division for each direction of the posterior, and
 * no logarithm.
 */
import { either as E, function as F } from 'fp-ts';
import { defaulted, literals, ofKind, optionsOf, struct } from '../codec/index.js';
import { dual, ifTagged } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Determinant } from './determinant.js';
import { determinant, type Evidence, evidence, squaredNorm } from './evidence.js';
import { POSTERIOR } from './kind.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import type { Prior } from './priors.js';
import { withPrior } from './withPrior.js';

/** Options of `maximiseEvidence`. */
export interface MaximiseEvidenceOptions {
  /** One prior precision for all weights, or one for each covered layer. Default `'all'`. */
  readonly per?: 'all' | 'layer';
}

const Options = struct('options, or a posterior', { per: defaulted(literals('all', 'layer'), 'all') });

/** The maximum of the evidence over prior precisions. */
export interface EvidenceMaximum {
  /** The posterior under the prior that was found. */
  readonly posterior: Posterior;
  /** The prior that was found: `isotropic`, or `perLayer`. */
  readonly prior: Prior;
  /** The evidence of `posterior`. */
  readonly evidence: Evidence;
  /** γ for every covered layer: how many of its weights are determined by the data rather than by the prior. */
  readonly effectiveParameters: Readonly<Record<string, number>>;
  /** How often γ was evaluated, added over the searches: one search, or with `per: 'layer'` one for each layer. */
  readonly iterations: number;
}

/**
 * The largest relative error of τ, since |log τ − log τ*| is at most |g|. Rounding in γ, a sum of millions of terms, is about
 * 1e-13.
 */
const TOLERANCE = 1e-10;
/** A limit that is never reached: a handful of iterations are enough. */
const MOST_ITERATIONS = 100;

/**
 * Finds the prior precision with the highest log marginal likelihood. It needs no data and no new decomposition. An iteration
 * costs O(n m) for each layer, or O(n + m) under factored damping. For deep networks this optimum is known to be under-confident:
 * predictions can be worse than the trained network's own (`npm run bench -- precision`). So compare both on held-out data.
 *
 * @returns the maximum, or `InvalidInput` if there is none: without curvature the evidence grows towards τ = 0, and with weights
 *   that are all 0 it grows towards infinity.
 * @throws LaplaceError `InvalidOption` if `per` is neither `'all'` nor `'layer'`.
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
 * const data = { x: tf.tensor2d([[1], [2], [2]]), y: tf.tensor2d([[2], [4], [4]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 3)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior()),
 * );
 * const found = maximiseEvidence(posterior);
 * // 9 / (9 + τ) = 4 τ
 * if (E.isRight(found)) found.right.posterior.layers[0].priorPrecision; // => 0.2434…
 * // The same in a pipe:
 * E.isRight(F.pipe(E.right(posterior), E.chain(maximiseEvidence({ per: 'layer' })))); // => true
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
    const { per } = optionsOf('maximiseEvidence', Options, options);
    return (given: Posterior) =>
      F.pipe(
        ofKind('maximiseEvidence', POSTERIOR, given),
        E.chain((posterior) => maximised(posterior, per)),
      );
  });
}

function maximised(posterior: Posterior, per: 'all' | 'layer'): E.Either<LaplaceError, EvidenceMaximum> {
  const { layers } = posterior;
  return F.pipe(
    per === 'all' ? [layers] : layers.map((layer) => [layer]),
    E.traverseArray((group) => optimum(posterior, group)),
    E.bindTo('optima'),
    E.let('prior', ({ optima }) => priorOf(per, layers, optima)),
    E.bind('posterior', ({ prior }) => withPrior(posterior, prior)),
    E.map(({ optima, prior, posterior: best }) => {
      const counts = optima.flatMap((one) => one.counts);
      return Object.freeze({
        posterior: best,
        prior,
        evidence: evidence(best),
        effectiveParameters: Object.freeze(Object.fromEntries(layers.map(({ name }, i) => [name, counts[i] as number]))),
        iterations: optima.reduce((sum, one) => sum + one.iterations, 0),
      });
    }),
  );
}

/** The best τ for some layers that share it. */
interface Optimum {
  readonly tau: number;
  /** γ of each of these layers. */
  readonly counts: ReadonlyArray<number>;
  readonly iterations: number;
}

const priorOf = (per: 'all' | 'layer', layers: ReadonlyArray<PosteriorLayer>, optima: ReadonlyArray<Optimum>): Prior => {
  const tau = (i: number): number => (optima[i] as Optimum).tau;
  if (per === 'all') return Object.freeze({ _tag: 'isotropic', precision: tau(0) });
  const precisions = Object.freeze(Object.fromEntries(layers.map(({ name }, i) => [name, tau(i)])));
  return Object.freeze({ _tag: 'perLayer', precisions });
};

function optimum(posterior: Posterior, layers: ReadonlyArray<PosteriorLayer>): E.Either<LaplaceError, Optimum> {
  const parts = layers.map((layer) => determinant(posterior, layer));
  const norm = layers.reduce((sum, layer) => sum + squaredNorm(layer), 0);
  const start = layers.reduce((sum, { priorPrecision }) => sum + Math.log(priorPrecision), 0) / layers.length;
  const found = norm > 0 ? solve(parts, Math.log(norm), start) : undefined;
  if (found === undefined) return E.left(unbounded(layers, norm > 0));
  // A prior cannot have a precision outside the range of float64.
  return found.tau > 0 && found.tau < Number.POSITIVE_INFINITY ? E.right(found) : E.left(unbounded(layers, found.tau === 0));
}

function unbounded(layers: ReadonlyArray<PosteriorLayer>, isFlat: boolean): LaplaceError {
  const [first] = layers as [PosteriorLayer];
  const alone = layers.length === 1;
  return laplaceError('InvalidInput', {
    what: `The evidence has no maximum in the prior precision of ${layers.map(({ name }) => `'${name}'`).join(', ')}`,
    ...(alone && { layer: first.name }),
    field: isFlat ? 'curvature' : 'mean',
    found: isFlat
      ? 'no curvature: the evidence grows as the precision goes to 0'
      : 'weights that are all 0: the evidence grows with the precision',
    expected: isFlat ? 'data that carry information about these weights' : 'trained weights',
    remedy: `Choose the prior precision yourself with withPrior${alone ? ", or share one among all layers with { per: 'all' }" : ''}.`,
  });
}

/**
 * Solves g = 0. Returns undefined if γ is 0, since then there is no maximum.
 *
 * @param logNorm log ‖θ*‖²
 * @param start the log τ to start at
 */
function solve(parts: ReadonlyArray<Determinant>, logNorm: number, start: number): Optimum | undefined {
  let t = start;
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let iterations = 1; ; iterations++) {
    const tau = Math.exp(t);
    const all = parts.map((part) => part.effective(tau));
    const count = all.reduce((sum, one) => sum + one.count, 0);
    if (count === 0) return undefined;
    const slope = all.reduce((sum, one) => sum + one.slope, 0) / count - 1;
    const g = Math.log(count) - t - logNorm;
    if (Math.abs(g) <= TOLERANCE || iterations === MOST_ITERATIONS) {
      return { tau, counts: all.map((one) => one.count), iterations };
    }
    [low, high] = [Math.max(low, t + Math.min(g / 2, g)), Math.min(high, t + Math.max(g / 2, g))];
    const newton = t - g / slope;
    t = newton >= low && newton <= high ? newton : (low + high) / 2;
  }
}
