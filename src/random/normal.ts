/**
 * The standard normal distribution function and its inverse.
 *
 * Reference: Marsaglia 2004, "Evaluating the normal distribution": a series of positive terms, absolute error 1e-15.
 */

/** P(|Z| <= t), t >= 0: √(2/π) exp(−t²/2) (t + t³/3 + t⁵/(3·5) + …). */
export function centralProbability(t: number): number {
  // The probability beyond 9 is less than 1e-18.
  if (t > 9) return 1;
  let sum = t;
  let term = t;
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= (t * t) / k;
    sum += term;
  }
  return Math.sqrt(2 / Math.PI) * Math.exp(-0.5 * t * t) * sum;
}

/** Φ(z) = P(Z <= z), with an absolute error of 1e-15. */
export const normalProbability = (z: number): number => 0.5 * (1 + Math.sign(z) * centralProbability(Math.abs(z)));

/**
 * The t >= 0 with P(|Z| <= t) = level, for a level in (0, 1). The probability is concave in t. So Newton's steps from 0
 * never pass the root: t grows until the steps are lost in rounding.
 */
export function centralQuantile(level: number): number {
  let t = 0;
  for (;;) {
    const step = (level - centralProbability(t)) / (Math.sqrt(2 / Math.PI) * Math.exp(-0.5 * t * t));
    if (!(step > 1e-15 * Math.max(1, t)) || t > 9) return t;
    t += step;
  }
}
