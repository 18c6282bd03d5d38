/**
 * What a candidate leaves free: numbers > 0 that change its predictions, but neither its directions nor its precision. They are found on
 * the host, since every output covariance under them is a multiple of one that is there.
 *
 *   scale s          the mean of the outputs with classes or labels becomes s f*
 *   temperature T    every covariance becomes T times as large
 *   noise κ          the noise variance of gaussian outputs becomes κ σ₀². The curvature H is divided by κᵖ (p is 1, but 2 for the empirical
 *                    Fisher matrix), so that with τ' = κᵖ τ held fixed the covariance becomes κᵖ times as large:
 *                    (N H / κᵖ + τ)⁻¹ = κᵖ (N H + κᵖ τ)⁻¹
 */

/** The names of free numbers, in the order of their coordinates. */
export const FREE = ['scale', 'temperature', 'noise'] as const;

export type FreeName = (typeof FREE)[number];

export type Free = Readonly<Record<FreeName, number>> & {
  /** What the noise variance of each output is multiplied with, beside `noise`. Default 1. */
  readonly noises?: ReadonlyArray<number>;
};

/** Everything as the candidate has it. */
export const UNCHANGED: Free = Object.freeze({ scale: 1, temperature: 1, noise: 1 });

/** By how much covariances are multiplied. `power` is p. */
export const spreadOf = ({ temperature, noise }: Free, power: number): number => temperature * noise ** power;

/** The slopes of a loss in the logarithms of the scale, the spread of the covariances, and the noise variance at a fixed spread. */
export interface Slopes {
  scale: number;
  spread: number;
  noise: number;
}

/** The slope in the logarithm of one free number. */
export const slopeIn = (name: FreeName, { scale, spread, noise }: Slopes, power: number): number =>
  name === 'scale' ? scale : name === 'temperature' ? spread : power * spread + noise;

/** Free numbers from the logarithms of some of them; the others are those of `base`. */
export const freeAt = (names: ReadonlyArray<FreeName>, x: Float64Array, base: Free): Free => ({
  ...base,
  ...Object.fromEntries(names.map((name, i) => [name, Math.exp(x[i] as number)])),
});

/** The logarithms of some free numbers. */
export const logsOf = (names: ReadonlyArray<FreeName>, free: Free): Float64Array =>
  Float64Array.from(names, (name) => Math.log(free[name]));
