/**
 * L-BFGS for smooth convex functions of a few thousand numbers. Directions come from the last ten pairs of steps and differences of
 * gradients by the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006, algorithm 7.4). Bisection finds the length of a step by the
 * slope along it, which rises along every line because the function is convex. The value never goes up, but for its rounding. One step
 * costs one evaluation, mostly, and O(10 n).
 */

/** A value and its gradient [n]. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

const PAIRS = 10;
const STEPS = 500;
/** How much of the slope may remain after a step. */
const REMAINING = 0.9;
/** The relative rounding of a value that is a sum over many examples. */
const ROUNDING = 1e-14;
/** A step is halved or doubled at most this often. */
const TRIES = 60;

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const plus = (a: Float64Array, t: number, b: Float64Array): Float64Array => a.map((v, i) => v + t * (b[i] as number));
const largest = (a: Float64Array): number => a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** 1 / (step · change). */
  readonly rho: number;
}

/** A point with its evaluation. */
interface Point extends Evaluation {
  readonly x: Float64Array;
}

/**
 * The point where f is least, from a start.
 *
 * @param tolerance the largest entry of the gradient that counts as 0
 */
export function minimise(f: (x: Float64Array) => Evaluation, start: Float64Array, tolerance = 1e-10): Float64Array {
  const at = (x: Float64Array): Point => ({ x, ...f(x) });
  let here = at(start);
  const pairs: Pair[] = [];
  for (let step = 0; step < STEPS && largest(here.gradient) > tolerance; step++) {
    const there = search(at, here, direction(pairs, here.gradient));
    // Rounding leaves nothing to gain in this direction.
    if (there === undefined) return here.x;
    const [moved, change] = [plus(there.x, -1, here.x), plus(there.gradient, -1, here.gradient)];
    const product = dot(moved, change);
    if (product > 0) pairs.push({ step: moved, change, rho: 1 / product });
    if (pairs.length > PAIRS) pairs.shift();
    here = there;
  }
  return here.x;
}

/** −H g, where H approximates the inverse Hessian. */
function direction(pairs: ReadonlyArray<Pair>, gradient: Float64Array): Float64Array {
  let q: Float64Array = gradient.map((v) => -v);
  const alphas = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, rho } = pairs[i] as Pair;
    const alpha = rho * dot(step, q);
    alphas[i] = alpha;
    q = plus(q, -alpha, change);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.change, last.change));
    q = q.map((v) => scale * v);
  }
  pairs.forEach(({ step, change, rho }, i) => {
    q = plus(q, (alphas[i] as number) - rho * dot(change, q), step);
  });
  return q;
}

/**
 * A point along the direction where little of the slope is left and the value is not higher, but for its rounding; undefined if
 * bisection finds none. Slopes decide the side, because near the minimum the rounding of the value hides its changes.
 */
function search(at: (x: Float64Array) => Point, here: Point, along: Float64Array): Point | undefined {
  const slope = dot(here.gradient, along);
  if (!(slope < 0)) return undefined;
  const most = here.value + ROUNDING * Math.abs(here.value);
  let [low, high, t] = [0, Number.POSITIVE_INFINITY, 1];
  for (let tries = 0; tries < TRIES; tries++) {
    const there = at(plus(here.x, t, along));
    const remaining = dot(there.gradient, along);
    const isHigher = !(there.value <= most);
    if (!isHigher && Math.abs(remaining) <= REMAINING * -slope) return there;
    if (isHigher || remaining > 0) high = t;
    else low = t;
    t = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  return undefined;
}
