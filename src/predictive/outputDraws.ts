/**
 * Draws of Gaussian outputs f ~ N(μ, Σ), in antithetic pairs μ ± L ε. The noise ε is common to all examples, so that neither the cut of
 * batches nor their order changes a result; it is a function of the seed and of how many draws and outputs there are.
 *
 * Pure, on the host, in float64. A pair costs C exponentials, and C²/2 products where Σ is full: nothing beside the backward pass that
 * made Σ, but all there is of a last layer's prediction of 1,000 classes.
 */
import { key } from '../random/key.js';
import { normals } from '../random/normals.js';
import { classEntropy, softmax } from './entropies.js';
import type { OutputCovariance } from './outputCovariance.js';

/** Moments of the probabilities of one example's classes. */
export interface ClassMoments {
  /** E[p] [C]. */
  readonly probabilities: Float64Array;
  /** √Var[p] [C]. */
  readonly deviations: Float64Array;
  /** E[H(p)] in nats. */
  readonly expectedEntropy: number;
}

/** How many draws, an even number, and from which seed. */
export interface DrawOptions {
  readonly draws: number;
  readonly seed: number;
}

/** Shifts from the mean up to which weights of a pair are e^x and 1 / e^x, far from overflow even when they are added up. */
const SAFE = 300;

/** Moments of softmax(f) over draws: all of one set of draws, so that the entropy of the mean is never below the mean entropy. */
export function drawnClasses(mean: Float64Array, covariance: OutputCovariance, options: DrawOptions): ClassMoments {
  const C = mean.length;
  const pairs = options.draws / 2;
  const shifts = shiftsOf(covariance, C, options);
  const centre = softmax(mean);
  const max = mean.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const relative = mean.map((v) => v - max);
  const base = relative.map(Math.exp);
  // Deviations from the probabilities at the mean: they keep the digits of a small spread.
  const first = new Float64Array(C);
  const second = new Float64Array(C);
  const up = new Float64Array(C);
  const down = new Float64Array(C);
  let entropies = 0;
  for (let s = 0; s < pairs; s++) {
    const shift = shifts(s);
    entropies += weigh(relative, base, shift, up, down);
    for (let c = 0; c < C; c++) {
      const [a, b] = [(up[c] as number) - (centre[c] as number), (down[c] as number) - (centre[c] as number)];
      first[c] = (first[c] as number) + a + b;
      second[c] = (second[c] as number) + a * a + b * b;
    }
  }
  const { draws } = options;
  return {
    probabilities: centre.map((p, c) => p + (first[c] as number) / draws),
    deviations: second.map((v, c) => Math.sqrt(Math.max(0, v / draws - ((first[c] as number) / draws) ** 2))),
    expectedEntropy: entropies / draws,
  };
}

/** Writes softmax(relative ± shift) to `up` and `down` and returns the sum of their entropies. `base` is exp(relative). */
function weigh(relative: Float64Array, base: Float64Array, shift: Float64Array, up: Float64Array, down: Float64Array): number {
  const C = relative.length;
  for (let c = 0; c < C; c++) if (Math.abs(shift[c] as number) > SAFE) return weighFar(relative, shift, up, down);
  let [sumUp, sumDown, meanUp, meanDown] = [0, 0, 0, 0];
  for (let c = 0; c < C; c++) {
    const [r, x, b] = [relative[c] as number, shift[c] as number, base[c] as number];
    const e = exp(x);
    const [u, d] = [b * e, b / e];
    up[c] = u;
    down[c] = d;
    sumUp += u;
    sumDown += d;
    meanUp += u * (r + x);
    meanDown += d * (r - x);
  }
  const [scaleUp, scaleDown] = [1 / sumUp, 1 / sumDown];
  for (let c = 0; c < C; c++) {
    up[c] = (up[c] as number) * scaleUp;
    down[c] = (down[c] as number) * scaleDown;
  }
  // H(softmax(f)) = log Σ e^f − Σ p f.
  return Math.log(sumUp) - meanUp * scaleUp + Math.log(sumDown) - meanDown * scaleDown;
}

/** The same where exponentials of the shifts alone would overflow. */
function weighFar(relative: Float64Array, shift: Float64Array, up: Float64Array, down: Float64Array): number {
  up.set(softmax(relative.map((r, c) => r + (shift[c] as number))));
  down.set(softmax(relative.map((r, c) => r - (shift[c] as number))));
  return classEntropy(up) + classEntropy(down);
}

const POWERS = Float64Array.from({ length: 1025 }, (_, i) => 2 ** (i - 512));

/** e^x for |x| <= 300 with a relative error of 1e-11, three times as fast as `Math.exp`: 2^k times Taylor's series of the rest. */
function exp(x: number): number {
  const t = x * Math.LOG2E;
  const k = Math.floor(t + 0.5);
  const r = (t - k) * Math.LN2;
  const high = 1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r / 362880)));
  return (POWERS[k + 512] as number) * (1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r * high)))));
}

/** Draws of f. */
export function outputDraws(mean: Float64Array, covariance: OutputCovariance, options: DrawOptions): ReadonlyArray<Float64Array> {
  const shifts = shiftsOf(covariance, mean.length, options);
  return Array.from({ length: options.draws / 2 }, (_, s) => {
    const shift = shifts(s);
    return [mean.map((v, c) => v + (shift[c] as number)), mean.map((v, c) => v - (shift[c] as number))];
  }).flat();
}

/** L ε of pair s, in an array that the next pair overwrites. */
function shiftsOf({ variance, full }: OutputCovariance, C: number, options: DrawOptions): (s: number) => Float64Array {
  const noise = commonNoise(C, options);
  const shift = new Float64Array(C);
  if (full === undefined) {
    const deviations = variance.map(Math.sqrt);
    return (s) => {
      for (let c = 0; c < C; c++) shift[c] = (deviations[c] as number) * (noise[s * C + c] as number);
      return shift;
    };
  }
  const root = choleskySemidefinite(full, C);
  return (s) => {
    for (let i = 0; i < C; i++) {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += (root[i * C + j] as number) * (noise[s * C + j] as number);
      shift[i] = sum;
    }
    return shift;
  };
}

let kept: (DrawOptions & { readonly C: number; readonly noise: Float32Array }) | undefined;

/** The same normals [draws / 2, C] for every example and call: a pure function, kept because it is asked for once an example. */
function commonNoise(C: number, { draws, seed }: DrawOptions): Float32Array {
  if (kept?.C !== C || kept.draws !== draws || kept.seed !== seed) {
    kept = { C, draws, seed, noise: normals(key(seed), (draws / 2) * C) };
  }
  return kept.noise;
}

/** Lower L with L Lᵀ = Σ for a positive semi-definite Σ: a pivot that is zero up to rounding gives a zero column. */
function choleskySemidefinite(covariance: Float64Array, C: number): Float64Array {
  const L = new Float64Array(C * C);
  let largest = 0;
  for (let i = 0; i < C; i++) largest = Math.max(largest, covariance[i * C + i] as number);
  for (let j = 0; j < C; j++) {
    let pivot = covariance[j * C + j] as number;
    for (let k = 0; k < j; k++) pivot -= (L[j * C + k] as number) ** 2;
    // Below the float32 rounding of the covariance a pivot is noise.
    if (pivot <= largest * C * 2 ** -23) continue;
    const root = Math.sqrt(pivot);
    L[j * C + j] = root;
    for (let i = j + 1; i < C; i++) {
      let sum = covariance[i * C + j] as number;
      for (let k = 0; k < j; k++) sum -= (L[i * C + k] as number) * (L[j * C + k] as number);
      L[i * C + j] = sum / root;
    }
  }
  return L;
}
