/**
 * The scale s of the mean outputs that suits held-out labels best, under one covariance:
 *
 *   minimise Σ_i loss_i(s) + ½ (log s − log s₀)²
 *
 * The second term is a normal prior on log s with standard deviation 1. Its centre s₀ is where the mean confidence on the held-out inputs
 * is the trained network's own. It decides where the labels do not: with no error among few labels, the loss falls towards s = ∞.
 *
 * The NLL of a probit link is convex in s, so that it has one valley. The search goes downhill from a start until it has a bracket, and then
 * narrows it by parabolas and golden sections (Brent 1973, chapter 5).
 */

/** The bounds of log s. The prior keeps s from them: s₀ lies within them by construction. */
const [LEAST, MOST] = [Math.log(1 / 1024), Math.log(1024)];
/** The first step away from the start, in log s. It doubles while the function falls. */
const STEP = 0.25;
/** log s is found to this: far below what any number of held-out labels can tell. */
const TOLERANCE = 1e-3;
/** The centre of the prior needs less, because the prior is wide. */
const CENTRE_TOLERANCE = 1e-2;
const GOLDEN = (3 - Math.sqrt(5)) / 2;

/**
 * The s with the least objective.
 *
 * @param total the sum of the losses at s
 * @param centre s₀
 * @param start where the search begins: the s of a candidate nearby
 */
export const bestScale = (total: (scale: number) => number, centre: number, start = centre): number =>
  Math.exp(valley((t) => total(Math.exp(t)) + 0.5 * (t - Math.log(centre)) ** 2, Math.log(start)));

/**
 * The s at which the mean confidence is the given one. Confidence grows with s, from 1 / C to 1: bisection finds it, or the nearest bound.
 */
export function scaleOfConfidence(confidence: (scale: number) => number, wanted: number): number {
  let [low, high] = [LEAST, MOST];
  while (high - low > CENTRE_TOLERANCE) {
    const middle = 0.5 * (low + high);
    if (confidence(Math.exp(middle)) < wanted) low = middle;
    else high = middle;
  }
  return Math.exp(0.5 * (low + high));
}

/** Three places, the middle one no higher than the others, with its value. */
interface Bracket {
  readonly a: number;
  readonly x: number;
  readonly b: number;
  readonly fx: number;
}

const valley = (f: (t: number) => number, start: number): number => narrowed(f, bracketed(f, start));

/** Goes downhill with growing steps until the function rises, or a bound is met. */
function bracketed(f: (t: number) => number, start: number): Bracket {
  const clamp = (t: number): number => Math.min(MOST, Math.max(LEAST, t));
  let x = clamp(start);
  let fx = f(x);
  let behind = clamp(x - STEP);
  let ahead = clamp(x + STEP);
  if (f(behind) < fx) [behind, ahead] = [ahead, behind];
  for (let step = STEP; ; step *= 2) {
    const fa = f(ahead);
    if (!(fa < fx) || ahead === x) break;
    [behind, x, fx] = [x, ahead, fa];
    ahead = clamp(x + Math.sign(x - behind) * 2 * step);
  }
  return { a: Math.min(behind, ahead), x, b: Math.max(behind, ahead), fx };
}

/** Brent's minimisation within a bracket. */
function narrowed(f: (t: number) => number, bracket: Bracket): number {
  let { a, x, b, fx } = bracket;
  let [w, v, fw, fv] = [x, x, fx, fx];
  let [step, before] = [0, 0];
  while (Math.max(b - x, x - a) > 2 * TOLERANCE) {
    const parabola = vertex(x, w, v, fx, fw, fv);
    const inside = Math.abs(parabola) < Math.abs(0.5 * before) && x + parabola > a && x + parabola < b;
    before = inside ? step : x < 0.5 * (a + b) ? b - x : a - x;
    step = inside ? parabola : GOLDEN * before;
    const u = x + (Math.abs(step) >= TOLERANCE ? step : TOLERANCE * (Math.sign(step) || 1));
    const fu = f(u);
    if (fu <= fx) {
      if (u >= x) a = x;
      else b = x;
      [v, w, x, fv, fw, fx] = [w, x, u, fw, fx, fu];
    } else {
      if (u < x) a = u;
      else b = u;
      if (fu <= fw || w === x) [v, w, fv, fw] = [w, u, fw, fu];
      else if (fu <= fv || v === x || v === w) [v, fv] = [u, fu];
    }
  }
  return x;
}

/** The way from x to the lowest point of the parabola through three points; infinite if they lie on a line. */
function vertex(x: number, w: number, v: number, fx: number, fw: number, fv: number): number {
  const r = (x - w) * (fx - fv);
  const q = (x - v) * (fx - fw);
  const p = (x - v) * q - (x - w) * r;
  const denominator = 2 * (q - r);
  return denominator === 0 ? Number.POSITIVE_INFINITY : -p / denominator;
}
