/**
 * The prior precisions τ, and if asked the noise variance σ² = κ σ₀², that maximise the evidence (type-II maximum likelihood, MacKay
 * 1992). Letters: γ, R and s of `determinant.ts`; S, p and N C of `noise.ts`.
 *
 * For fixed σ² the slope of the evidence in log τ is ½ (γ(τ) − τ ‖θ*‖²). This slope falls everywhere, so its only zero is the
 * maximum: MacKay's fixed point τ ‖θ*‖² = γ(τ). The equation to solve is
 *
 *   g(log τ) = log γ(τ) − log τ − log ‖θ*‖² = 0,   g' = γ'/γ − 1 in [−2, −1],
 *
 * by Newton's method. g is almost a straight line, so a handful of steps are enough from any start. Each value of g also brackets
 * the solution: log τ* lies between g/2 and g away from log τ. A step costs one division for each direction of the posterior, and
 * no logarithm.
 *
 * With τ at its best for each σ², the slope in log σ² is ½ (S/κ − N C + p Γ), Γ = ∂R / ∂ log s, which is γ under exact damping:
 * MacKay's σ² (N C − γ) = Σ (f − y)². The evidence is concave in all logarithms together, so this slope falls as well, and its only
 * zero is the joint maximum. It exists if S, ‖θ*‖² and the curvature are not 0. The equation to solve is
 *
 *   h(log κ) = log(S/κ + p Γ) − log N C = 0,
 *
 * by Newton's method within a bracket: h >= 0 at the variance of maximum likelihood, S / N C.
 */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type Determinant, type Effective, total } from './determinant.js';
import { determinant, squaredNorm } from './evidence.js';
import { layersUnder, type Noise } from './noise.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** The best τ for some layers that share it. */
export interface Optimum {
  readonly tau: number;
  /** γ of each of these layers. */
  readonly counts: ReadonlyArray<number>;
  /** The derivatives of R, added over these layers. */
  readonly effective: Effective;
  /** How often γ was evaluated. */
  readonly iterations: number;
}

/** The best τ of each group of layers, and the κ that they belong to: the best one, or 1. */
export interface JointOptimum {
  readonly optima: ReadonlyArray<Optimum>;
  readonly kappa: number;
  /** How often γ was evaluated, added over all searches. */
  readonly iterations: number;
}

/**
 * The largest relative error of τ, since |log τ − log τ*| is at most |g|. The search for κ ends when its step is as small. Rounding
 * in γ, a sum of millions of terms, is about 1e-13.
 */
const TOLERANCE = 1e-10;
/** A limit that is never reached: a handful of iterations are enough. */
const MOST_ITERATIONS = 100;
/** The longest step of log κ while no upper end is known. */
const STRIDE = 4;

/** Groups of layers, each of which shares one τ. */
type Groups = ReadonlyArray<ReadonlyArray<PosteriorLayer>>;

const evaluations = (optima: ReadonlyArray<Optimum>): number => optima.reduce((sum, { iterations }) => sum + iterations, 0);

const meanLog = (layers: ReadonlyArray<PosteriorLayer>): number =>
  layers.reduce((sum, { priorPrecision }) => sum + Math.log(priorPrecision), 0) / layers.length;

/** The best τ of each group of layers. */
export const bestPrecisions = (posterior: Posterior, groups: Groups): E.Either<LaplaceError, JointOptimum> =>
  F.pipe(
    groups,
    E.traverseArray((layers) => optimum(posterior, layers, meanLog(layers))),
    E.map((optima) => ({ optima, kappa: 1, iterations: evaluations(optima) })),
  );

/** The best τ of each group of layers together with the best κ. */
export function bestTogether(posterior: Posterior, groups: Groups, noise: Noise): E.Either<LaplaceError, JointOptimum> {
  if (!(noise.squares > 0)) return E.left(noResiduals());
  let u = Math.log(noise.squares / noise.labels);
  let [low, high] = [u, Number.POSITIVE_INFINITY];
  let starts = groups.map(meanLog);
  for (let round = 1, iterations = 0; ; round++) {
    const kappa = Math.exp(u);
    const found = F.pipe(
      groups,
      E.traverseArrayWithIndex((i, layers) => optimum(posterior, layersUnder(layers, noise, kappa), starts[i] as number)),
    );
    if (E.isLeft(found)) return found;
    const optima = found.right;
    iterations += evaluations(optima);
    const { h, slope, drifts } = noiseSlope(optima, noise, kappa);
    [low, high] = h >= 0 ? [u, high] : [low, u];
    const newton = Math.min(u - h / slope, high === Number.POSITIVE_INFINITY ? u + STRIDE : Number.POSITIVE_INFINITY);
    const next = newton >= low && newton <= high ? newton : (low + high) / 2;
    if (Math.abs(next - u) <= TOLERANCE || round === MOST_ITERATIONS) return E.right({ optima, kappa, iterations });
    starts = optima.map(({ tau }, i) => Math.log(tau) + (drifts[i] as number) * (next - u));
    u = next;
  }
}

/** h and dh / d log κ at κ, where every τ is the best one; and d log τ / d log κ of each of them. */
function noiseSlope(optima: ReadonlyArray<Optimum>, { labels, squares: S, power: p }: Noise, kappa: number) {
  const { output } = total(optima.map(({ effective }) => effective));
  // From γ = τ ‖θ*‖².
  const drifts = optima.map(({ effective: { count, slope, cross } }) => (p * cross) / (count - slope));
  const change = optima.reduce(
    (sum, { effective: { cross, outputSlope } }, i) => sum + cross * (drifts[i] as number) - p * outputSlope,
    0,
  );
  const squares = S / kappa;
  return {
    h: Math.log((squares + p * output) / labels),
    slope: (p * change - squares) / (squares + p * output),
    drifts,
  };
}

function optimum(posterior: Posterior, layers: ReadonlyArray<PosteriorLayer>, start: number): E.Either<LaplaceError, Optimum> {
  const parts = layers.map((layer) => determinant(posterior, layer));
  const norm = layers.reduce((sum, layer) => sum + squaredNorm(layer), 0);
  const found = norm > 0 ? solve(parts, Math.log(norm), start) : undefined;
  if (found === undefined) return E.left(unbounded(layers, norm > 0));
  // A prior cannot have a precision outside the range of float64.
  return found.tau > 0 && found.tau < Number.POSITIVE_INFINITY ? E.right(found) : E.left(unbounded(layers, found.tau === 0));
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
    const effective = total(all);
    const { count } = effective;
    if (count === 0) return undefined;
    const slope = effective.slope / count - 1;
    const g = Math.log(count) - t - logNorm;
    if (Math.abs(g) <= TOLERANCE || iterations === MOST_ITERATIONS) {
      return { tau, counts: all.map((one) => one.count), effective, iterations };
    }
    [low, high] = [Math.max(low, t + Math.min(g / 2, g)), Math.min(high, t + Math.max(g / 2, g))];
    const newton = t - g / slope;
    t = newton >= low && newton <= high ? newton : (low + high) / 2;
  }
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

export const noResiduals = (): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'The evidence has no maximum in the noise variance',
    field: 'logLikelihood',
    found: 'squared errors that are 0, or too small beside the noise variance for float32',
    expected: 'residuals',
    remedy: 'Observe the data with a noise variance of about the mean squared error, or choose one with withNoiseVariance.',
  });
