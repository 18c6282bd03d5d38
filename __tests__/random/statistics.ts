/** Statistics of samples, for tests. The seeds are fixed, so a bound of 5 standard errors is a claim about those numbers, no gamble. */

export const mean = (xs: ArrayLike<number>): number => moment(xs, 1);

/** Mean of x^p. */
export function moment(xs: ArrayLike<number>, p: number): number {
  let sum = 0;
  for (let i = 0; i < xs.length; i++) sum += (xs[i] as number) ** p;
  return sum / xs.length;
}

/** Pearson's correlation; its standard error is 1/√n for independent samples. */
export function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const [mx, my] = [mean(xs), mean(ys)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < xs.length; i++) {
    const [dx, dy] = [(xs[i] as number) - mx, (ys[i] as number) - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** √n sup |F_n − F|, the Kolmogorov–Smirnov statistic. Exceeds 2.69 once in a million samples of F. */
export function kolmogorov(xs: Float32Array, cdf: (x: number) => number): number {
  const sorted = xs.slice().sort();
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    const p = cdf(x);
    // The step of F_n at x, from below and from above.
    if (p - i / n > distance) distance = p - i / n;
    if ((i + 1) / n - p > distance) distance = (i + 1) / n - p;
  });
  return Math.sqrt(n) * distance;
}
/** Where `kolmogorov` would be once in a million tries. */
export const KOLMOGOROV_BOUND = 2.69;

/** Φ(x), by Simpson's rule from 0 in steps of at most 0.005: error below 1e-11. */
export function normalCdf(x: number): number {
  const steps = 2 * Math.ceil(Math.abs(x) / 0.01) + 2;
  const h = x / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) sum += Math.exp(-0.5 * (i * h) ** 2) * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2);
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}

/** A distribution function on a grid, linear between its points: for the normal's the error is below 1e-7, and 1e-9 beyond ± 6. */
export function tabulate(cdf: (x: number) => number): (x: number) => number {
  const perUnit = 1000;
  const last = 12 * perUnit;
  const table = Float64Array.from({ length: last + 1 }, (_, i) => cdf(i / perUnit - 6));
  const { floor } = Math;
  return (x) => {
    const at = (x + 6) * perUnit;
    if (at <= 0) return table[0] as number;
    if (at >= last) return table[last] as number;
    const i = floor(at);
    return (table[i] as number) + (at - i) * ((table[i + 1] as number) - (table[i] as number));
  };
}
