/**
 * The free numbers that suit held-out labels best, under one covariance:
 *
 *   minimise Σ_i loss_i(s, T, κ) + ½ (log s − log s₀)²
 *
 * The second term is a normal prior on log s with standard deviation 1. Its centre s₀ is where the mean confidence on the held-out inputs
 * is the trained network's own. It decides where the labels do not: with no error among few labels, the loss falls towards s = ∞.
 *
 * The search is on the logarithms. Smooth losses take a quasi-Newton method, with their slopes in closed form or by central differences.
 * Other losses take a pattern search (Hooke & Jeeves 1961) from the place that is best for the NLL.
 */
import { minimise } from '../linalg/lbfgs.js';
import { type Free, type FreeName, freeAt, logsOf, slopeIn } from './free.js';
import type { Outlook } from './outlook.js';

/** The bounds of the logarithms. The prior keeps s from them. */
export const MOST = Math.log(1e6);
/** Half the distance of central differences, whose error is of the order of its square. */
const APART = 1e-4;
/** The largest slope that counts as 0, per example: it moves a logarithm by less than the labels can tell. */
const FLAT = 1e-6;
/** The first and the last step of the pattern search. */
const [COARSE, FINE] = [0.25, 1 / 256];

/** What is fitted for a candidate. */
export interface Fitting {
  /** The free numbers that are fitted. */
  readonly names: ReadonlyArray<FreeName>;
  /** Where the search begins, and what the other free numbers are. */
  readonly start: Free;
  /** s₀; undefined if no output has classes or labels. */
  readonly centre: number | undefined;
}

/**
 * The free numbers with the least objective.
 *
 * @param guide the same candidate under the NLL, for criteria that are not smooth
 */
export function fitted(outlook: Outlook, { names, start, centre }: Fitting, guide: () => Outlook): Free {
  if (names.length === 0) return start;
  const clamped = (x: Float64Array): Float64Array => x.map((v) => Math.min(MOST, Math.max(-MOST, v)));
  const at = (x: Float64Array): Free => freeAt(names, clamped(x), start);
  const distance = (free: Free): number => (centre === undefined ? 0 : Math.log(free.scale / centre));
  const objective = (own: Outlook, free: Free): number =>
    own.judge(free).losses.reduce((sum, loss) => sum + loss, 0) + 0.5 * distance(free) ** 2;
  const smooth = outlook.isSmooth ? outlook : guide();
  const { N } = smooth;
  const evaluate = (x: Float64Array) => {
    const free = at(x);
    const { losses, slopes } = smooth.judge(free);
    const total = losses.reduce((sum, loss) => sum + loss, 0) + 0.5 * distance(free) ** 2;
    const gradient =
      slopes === undefined
        ? x.map((_, i) => {
            const beside = (sign: 1 | -1): number => objective(smooth, at(x.map((v, j) => (i === j ? v + sign * APART : v))));
            return (beside(1) - beside(-1)) / (2 * APART);
          })
        : Float64Array.from(names, (name) => slopeIn(name, slopes, smooth.power) + (name === 'scale' ? distance(free) : 0));
    // With this factor the curvature is near 1, so that the first step is a good one.
    return { value: (4 / N) * total, gradient: gradient.map((v) => (4 / N) * v) };
  };
  const found = minimise(evaluate, logsOf(names, start), 4 * FLAT);
  if (outlook.isSmooth) return at(found);
  return at(patternSearch((x) => objective(outlook, at(x)), found));
}

/** Goes along one coordinate after another while that makes f less, with ever smaller steps. */
export function patternSearch(f: (x: Float64Array) => number, start: Float64Array): Float64Array {
  let x = start;
  let least = f(x);
  for (let step = COARSE; step >= FINE; ) {
    const moves = Array.from(x.keys()).flatMap((i) => [step, -step].map((by) => x.map((v, j) => (i === j ? v + by : v))));
    const values = moves.map(f);
    const best = values.reduce((a, v, i) => (v < (values[a] as number) ? i : a), 0);
    if ((values[best] as number) < least) [x, least] = [moves[best] as Float64Array, values[best] as number];
    else step /= 2;
  }
  return x;
}

/** log s₀ is found to this: the prior is wide. */
const CENTRE_TOLERANCE = 1e-2;

/**
 * The s at which the mean confidence is the given one. Confidence grows with s, from 1 / C to 1. Doubling steps from the start find two
 * places around it, or a bound; regula falsi narrows them (the Illinois variant: Dowell & Jarratt 1971).
 */
export function scaleOfConfidence(
  confidence: (scale: number) => number,
  wanted: number,
  start = 1,
  tolerance = CENTRE_TOLERANCE,
): number {
  const gap = (t: number): number => confidence(Math.exp(t)) - wanted;
  let a = Math.log(start);
  let fa = gap(a);
  if (fa === 0) return start;
  let [b, fb] = [a, fa];
  for (let step = -Math.sign(fa) * 0.5; Math.sign(fb) === Math.sign(fa); step *= 2) {
    if (Math.abs(b) >= MOST) return Math.exp(b);
    [a, fa, b] = [b, fb, Math.min(MOST, Math.max(-MOST, b + step))];
    fb = gap(b);
  }
  for (let moved = Number.POSITIVE_INFINITY; moved > tolerance && fb !== 0; ) {
    const c = (a * fb - b * fa) / (fb - fa);
    const fc = gap(c);
    // If the same end stays twice, its value is halved.
    if (Math.sign(fc) === Math.sign(fb)) fa /= 2;
    else [a, fa] = [b, fb];
    moved = Math.abs(c - b);
    [b, fb] = [c, fc];
  }
  return Math.exp(b);
}
