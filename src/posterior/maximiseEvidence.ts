/**
 * The prior precision τ that maximises the evidence (type-II maximum likelihood, MacKay 1992).
 *
 * With γ(τ) of `determinant.ts` the evidence has the slope ½ (γ(τ) − τ ‖θ*‖²) in log τ, which falls everywhere: its zero is the one
 * maximum, MacKay's fixed point τ ‖θ*‖² = γ(τ). What is solved is
 *
 *   g(log τ) = log γ(τ) − log τ − log ‖θ*‖² = 0,   g' = γ'/γ − 1 in [−2, −1],
 *
 * by Newton's method: almost a straight line, so that it takes a handful of steps from anywhere, and each g brackets the solution
 * between g/2 and g from there. A step costs one division for each direction of the posterior, a logarithm for none.
 */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Prior } from './codec.js';
import type { Determinant } from './determinant.js';
import { determinant, type Evidence, evidence, squaredNorm } from './evidence.js';
import { type Posterior, type PosteriorLayer, withPrior } from './posterior.js';

/** Options of `maximiseEvidence`. */
export interface MaximiseEvidenceOptions {
  /** One prior precision for all weights, or one for each covered layer. Default `'all'`. */
  readonly per?: 'all' | 'layer';
}

/** The maximum of the evidence over prior precisions. */
export interface EvidenceMaximum {
  /** The posterior under the prior that was found. */
  readonly posterior: Posterior;
  /** What was found: `isotropic`, or `perLayer`. */
  readonly prior: Prior;
  /** Of that posterior. */
  readonly evidence: Evidence;
  /** γ of every covered layer: how many of its weights the data determine, and not the prior. */
  readonly effectiveParameters: Readonly<Record<string, number>>;
  /** Evaluations of γ; of all layers together. */
  readonly iterations: number;
}

/** Relative error of τ: |log τ − log τ*| is at most |g|. Sums of millions of γ's terms round to 1e-13. */
const TOLERANCE = 1e-10;
/** Never met: a handful are enough. */
const MOST_ITERATIONS = 100;

/**
 * Finds the prior precision with the highest log marginal likelihood: no data, no new decomposition. O(n m) a layer and iteration,
 * O(n + m) under factored damping. Mind that for deep networks this optimum is known to be under-confident; compare it with a
 * validation NLL.
 *
 * @returns `InvalidInput` where there is no maximum: without curvature it lies at τ = 0, with weights that are all 0 at infinity;
 *   `InvalidOption` for another `per`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
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
 * ```
 */
export function maximiseEvidence(
  posterior: Posterior,
  { per = 'all' }: MaximiseEvidenceOptions = {},
): E.Either<LaplaceError, EvidenceMaximum> {
  if (per !== 'all' && per !== 'layer') {
    return E.left(
      laplaceError('InvalidOption', { what: 'per is unknown', field: 'per', found: String(per), expected: "'all' or 'layer'" }),
    );
  }
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

/** The τ that some layers share. */
interface Optimum {
  readonly tau: number;
  /** γ of each layer. */
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
  return found === undefined ? E.left(unbounded(layers, norm > 0)) : E.right(found);
}

function unbounded(layers: ReadonlyArray<PosteriorLayer>, isFlat: boolean): LaplaceError {
  const [first] = layers as [PosteriorLayer];
  const alone = layers.length === 1;
  return laplaceError('InvalidInput', {
    what: `The evidence has no maximum in the prior precision of ${layers.map(({ name }) => `'${name}'`).join(', ')}`,
    ...(alone && { layer: first.name }),
    field: isFlat ? 'curvature' : 'mean',
    found: isFlat ? 'no curvature: it grows as the precision goes to 0' : 'weights of 0: it grows with the precision',
    expected: isFlat ? 'data that say something of these weights' : 'trained weights',
    remedy: `Choose their prior precision yourself, see withPrior${alone ? ", or one for all layers together, { per: 'all' }" : ''}.`,
  });
}

/** The zero of g from a log τ to start at; nothing where γ is 0. */
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
