/**
 * Draws of Gaussian outputs f ~ N(μ, Σ), in antithetic pairs μ ± L ε. The noise ε is common to all examples, so a result depends
 * neither on the order of the examples nor on how they are cut into batches. ε is a function of the seed, the number of draws and
 * the number of outputs.
 *
 * Everything is pure, on the host, in float64. A pair of draws costs C exponentials, and C²/2 products if Σ is full. Beside the
 * backward pass that made Σ this is nothing. But a last layer of 1,000 classes takes no backward pass, and there it is most of
 * the cost.
 */
import { key } from '../../random/key.js';
import { normals } from '../../random/normals.js';
import { classEntropy, softmax } from './entropies.js';
import { EXP_RANGE, exp } from './exponential.js';
import type { ClassMoments, DrawOptions } from './link.js';
import type { OutputCovariance } from './outputCovariance.js';

/**
 * Moments of softmax(f) over draws. All moments come from the same draws, so the entropy of the mean is never below the mean
 * entropy.
 */
export function drawnClasses(mean: Float64Array, covariance: OutputCovariance, options: DrawOptions): ClassMoments {
  const { samples } = options;
  const C = mean.length;
  const shifts = shiftsOf(covariance, C, options);
  const centre = softmax(mean);
  const pair = pairOf(mean);
  // Deviations from the probabilities at the mean keep the digits of a small spread.
  const first = new Float64Array(C);
  const second = new Float64Array(C);
  let entropies = 0;
  for (let s = 0; s < samples / 2; s++) {
    entropies += weigh(pair, shifts(s));
    accumulate(pair, centre, first, second);
  }
  return {
    probabilities: centre.map((p, c) => p + (first[c] as number) / samples),
    standardDeviations: second.map((v, c) => Math.sqrt(Math.max(0, v / samples - ((first[c] as number) / samples) ** 2))),
    expectedEntropy: entropies / samples,
  };
}

function accumulate({ up, down, total }: Pair, centre: Float64Array, first: Float64Array, second: Float64Array): void {
  const scaleUp = 1 / (total[0] as number);
  const scaleDown = 1 / (total[1] as number);
  for (let c = 0; c < centre.length; c++) {
    const p = centre[c] as number;
    const a = (up[c] as number) * scaleUp - p;
    const b = (down[c] as number) * scaleDown - p;
    first[c] = (first[c] as number) + a + b;
    second[c] = (second[c] as number) + a * a + b * b;
  }
}

/** The two draws of a pair, and the probabilities that they give together. */
interface Pair {
  /** μ − max μ. */
  readonly relative: Float64Array;
  /** The exponentials of `relative`. */
  readonly base: Float64Array;
  /** The weights of the two draws, and the sums of the weights. */
  readonly up: Float64Array;
  readonly down: Float64Array;
  readonly total: Float64Array;
}

function pairOf(mean: Float64Array): Pair {
  const max = mean.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const relative = mean.map((v) => v - max);
  const numbers = (): Float64Array => new Float64Array(mean.length);
  return { relative, base: relative.map(Math.exp), up: numbers(), down: numbers(), total: Float64Array.of(1, 1) };
}

/** Writes the weights of softmax(μ ± shift) into the pair and returns the sum of their entropies. */
function weigh(pair: Pair, shift: Float64Array): number {
  const { relative, base, up, down } = pair;
  const C = relative.length;
  let sumUp = 0;
  let sumDown = 0;
  let meanUp = 0;
  let meanDown = 0;
  for (let c = 0; c < C; c++) {
    const x = shift[c] as number;
    // Beyond this range sums of e^x or 1 / e^x could overflow.
    if (!(Math.abs(x) <= EXP_RANGE)) return weighFar(pair, shift);
    const e = exp(x);
    const u = (base[c] as number) * e;
    const d = (base[c] as number) / e;
    up[c] = u;
    down[c] = d;
    sumUp += u;
    sumDown += d;
    meanUp += u * ((relative[c] as number) + x);
    meanDown += d * ((relative[c] as number) - x);
  }
  pair.total.set([sumUp, sumDown]);
  // H(softmax(f)) = log Σ e^f − Σ p f.
  return Math.log(sumUp) - meanUp / sumUp + Math.log(sumDown) - meanDown / sumDown;
}

/** `weigh` for shifts whose own exponentials would overflow. */
function weighFar({ relative, up, down, total }: Pair, shift: Float64Array): number {
  up.set(softmax(relative.map((r, c) => r + (shift[c] as number))));
  down.set(softmax(relative.map((r, c) => r - (shift[c] as number))));
  total.fill(1);
  return classEntropy(up) + classEntropy(down);
}

/** Draws of f. */
export function outputDraws(mean: Float64Array, covariance: OutputCovariance, options: DrawOptions): ReadonlyArray<Float64Array> {
  const shifts = shiftsOf(covariance, mean.length, options);
  return Array.from({ length: options.samples / 2 }, (_, s) => {
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

/** The same normals [samples / 2, C] for every example and call. The result is kept, because every example asks for it. */
function commonNoise(C: number, { samples, seed }: DrawOptions): Float32Array {
  if (kept?.C !== C || kept.samples !== samples || kept.seed !== seed) {
    kept = { C, samples, seed, noise: normals(key(seed), (samples / 2) * C) };
  }
  return kept.noise;
}

/**
 * The lower triangular L with L Lᵀ = Σ, for a positive semi-definite Σ. A pivot that is zero up to rounding gives a zero column.
 */
function choleskySemidefinite(covariance: Float64Array, C: number): Float64Array {
  const L = new Float64Array(C * C);
  let largest = 0;
  for (let i = 0; i < C; i++) largest = Math.max(largest, covariance[i * C + i] as number);
  for (let j = 0; j < C; j++) {
    let pivot = covariance[j * C + j] as number;
    for (let k = 0; k < j; k++) pivot -= (L[j * C + k] as number) ** 2;
    // A pivot below the float32 rounding of the covariance is noise.
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
