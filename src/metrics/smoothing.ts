/**
 * Scores s in [0, 1] and outcomes o in {0, 1}, smoothed by a normal kernel of bandwidth σ that is reflected at 0 and 1. The kernel is the
 * heat kernel of the interval, so it is a sum of cosines, which it only damps:
 *
 *   K_σ(s, t) = 1 + 2 Σ_{k>=1} exp(−½ (kπσ)²) cos(kπs) cos(kπt)
 *   residual h(t) = 1/N Σ_i (o_i − s_i) K_σ(s_i, t),   density d(t) = 1/N Σ_i K_σ(s_i, t)
 *   smooth ECE at σ = ∫ |h(t)| dt,   smooth ECE = its value at the σ that equals it
 *
 * Hence the sums Σ_i (o_i − s_i) cos(kπs_i) and Σ_i cos(kπs_i) say all, for every σ, and add up over parts of a data set. The error at σ
 * falls as σ grows, so there is one σ that equals it. 1024 terms are enough down to σ = 1/512 (what is left out is below 3e-9); a smaller
 * error is given at this σ. The integral is a sum over 32 to 64 points for each σ, at most 4096, in which a change of sign between two points
 * is taken as linear. O(1024 N), and O(1 / σ²) for each σ that is tried.
 *
 * Reference: Błasiok & Nakkiran 2023, "Smooth ECE: Principled reliability diagrams via kernel smoothing", section 4.
 */

const TERMS = 1024;
const NARROWEST = 1 / 512;
/** Halvings between σ and 2σ: σ is known to 1e-9 of itself. */
const STEPS = 30;
/** A term that is damped below exp(−½ 6.5²) = 7e-10 is left out. */
const DAMPED = 6.5;

/** Sums over examples. Plain data. */
export interface SmoothSums {
  readonly count: number;
  /** Σ_i (o_i − s_i) cos(kπs_i), [1024]. */
  readonly residuals: Float64Array;
  /** Σ_i cos(kπs_i), [1024]. */
  readonly scores: Float64Array;
}

export const NO_SMOOTH_SUMS: SmoothSums = { count: 0, residuals: new Float64Array(TERMS), scores: new Float64Array(TERMS) };

export function smoothSums(scores: ArrayLike<number>, outcomes: ArrayLike<number>): SmoothSums {
  const [residuals, densities, cosine] = [new Float64Array(TERMS), new Float64Array(TERMS), new Float64Array(TERMS)];
  for (let i = 0; i < scores.length; i++) {
    const residual = (outcomes[i] as number) - (scores[i] as number);
    cosinesOf(scores[i] as number, cosine);
    for (let k = 0; k < TERMS; k++) {
      residuals[k] = (residuals[k] as number) + residual * (cosine[k] as number);
      densities[k] = (densities[k] as number) + (cosine[k] as number);
    }
  }
  return { count: scores.length, residuals, scores: densities };
}

/** The sums of two disjoint parts of a data set. */
export const addSmoothSums = (a: SmoothSums, b: SmoothSums): SmoothSums => ({
  count: a.count + b.count,
  residuals: a.residuals.map((sum, k) => sum + (b.residuals[k] as number)),
  scores: a.scores.map((sum, k) => sum + (b.scores[k] as number)),
});

/** Writes cos(kπs) for k = 0, 1, …, by the recurrence of Chebyshev's polynomials. */
function cosinesOf(s: number, out: Float64Array): void {
  const first = Math.cos(Math.PI * s);
  let [before, now] = [first, 1];
  for (let k = 0; k < out.length; k++) {
    out[k] = now;
    const next = 2 * first * now - before;
    before = now;
    now = next;
  }
}

/** How many terms count. */
const termsAt = (sigma: number): number => Math.min(TERMS, Math.ceil(DAMPED / (Math.PI * sigma)));

/** The function of t whose coefficients these are, smoothed. */
function smoothed(coefficients: Float64Array, sigma: number): (t: number) => number {
  const K = termsAt(sigma);
  const damped = Float64Array.from({ length: K }, (_, k) => (k === 0 ? 1 : 2) * damping(k, sigma) * (coefficients[k] as number));
  const cosine = new Float64Array(K);
  return (t) => {
    cosinesOf(t, cosine);
    let sum = 0;
    for (let k = 0; k < K; k++) sum += (damped[k] as number) * (cosine[k] as number);
    return sum;
  };
}

const damping = (k: number, sigma: number): number => Math.exp(-0.5 * (k * Math.PI * sigma) ** 2);

const meanResiduals = ({ residuals, count }: SmoothSums): Float64Array => residuals.map((sum) => sum / count);

/** ∫ |h(t)| dt at a bandwidth. */
export function smoothErrorAt(sums: SmoothSums, sigma: number): number {
  const values = meshOf(sigma).map(smoothed(meanResiduals(sums), sigma));
  // The sum over the mesh is the integral of a sum of cosines, to rounding, but not of an absolute value.
  const sum = values.reduce((total, v, j) => total + Math.abs(v) - excess(v, values[j + 1] ?? v), 0);
  return sum / values.length;
}

/** What trapezoids count too much of |h| between two points, if h is linear and changes its sign there. */
const excess = (a: number, b: number): number => (a * b < 0 ? (Math.abs(a) * Math.abs(b)) / (Math.abs(a) + Math.abs(b)) : 0);

/** The middles of equal parts of [0, 1]. Their number is the same for all σ between two powers of ½. */
const meshOf = (sigma: number): Float64Array => {
  const points = Math.min(4096, 32 * 2 ** Math.ceil(-Math.log2(sigma)));
  return Float64Array.from({ length: points }, (_, j) => (j + 0.5) / points);
};

/** The bandwidth that equals its own error, or the narrowest one. Wide bandwidths, which need few terms, are tried first. */
export function bandwidthOf(sums: SmoothSums): number {
  const isTooWide = (sigma: number): boolean => smoothErrorAt(sums, sigma) <= sigma;
  let high = 1;
  while (high > NARROWEST && isTooWide(high / 2)) high /= 2;
  if (high === NARROWEST) return NARROWEST;
  let low = high / 2;
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (isTooWide(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** Residual and density at a bandwidth, as functions of the score. */
export const smoothedSums = (sums: SmoothSums, sigma: number) => ({
  residual: smoothed(meanResiduals(sums), sigma),
  density: smoothed(
    sums.scores.map((sum) => sum / sums.count),
    sigma,
  ),
});

/**
 * Values [N] of the examples whose mean varies as the smooth ECE does. At a fixed σ they are (o_i − s_i) ∫ sign h(t) K_σ(s_i, t) dt. As σ
 * follows the error, a change of it counts 1 / (1 − ∂error/∂σ) times.
 */
export function smoothInfluence(
  sums: SmoothSums,
  sigma: number,
  scores: ArrayLike<number>,
  outcomes: ArrayLike<number>,
): Float64Array {
  const residuals = meanResiduals(sums);
  const mesh = meshOf(sigma);
  const h = smoothed(residuals, sigma);
  const [signs, cosine] = [new Float64Array(TERMS), new Float64Array(termsAt(sigma))];
  for (const t of mesh) {
    const sign = Math.sign(h(t)) / mesh.length;
    cosinesOf(t, cosine);
    for (let k = 0; k < cosine.length; k++) signs[k] = (signs[k] as number) + sign * (cosine[k] as number);
  }
  const slope = residuals.reduce(
    (sum, r, k) => sum - 2 * sigma * (k * Math.PI) ** 2 * damping(k, sigma) * r * (signs[k] as number),
    0,
  );
  const side = smoothed(signs, sigma);
  const share = sigma > NARROWEST ? 1 / (1 - slope) : 1;
  return Float64Array.from(scores, (s, i) => share * ((outcomes[i] as number) - s) * side(s));
}
