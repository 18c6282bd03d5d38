/** Held-out examples as `tune` sees them, and what one output of a candidate offers. */
import type { Head } from '../network/network.js';
import type { Predictive } from '../predictive/codec.js';
import { DEFAULT_LINK, type Link } from '../predictive/links/index.js';
import type { Design } from '../random/noise.js';
import type { Free, Slopes } from './free.js';
import type { Truth } from './losses.js';

/** The held-out examples of one output. */
export interface HeldOut {
  readonly head: Head;
  /** f* [rows, outputs of a row], before the scale. */
  readonly mean: Float32Array;
  readonly truth: Truth;
}

/** Draws f_k of one output. */
export interface DrawnOutput {
  readonly _tag: 'draws';
  /** f_k [rows, outputs of a row] of each draw. */
  readonly draws: ReadonlyArray<Float32Array>;
  /** By how much the posterior's covariance was multiplied for them. A network that is linear in its weights has f_k − f* ∝ √spread. */
  readonly spread: number;
  readonly design: Design;
}

/** What is uncertain about one output under one posterior: the covariance of f [rows, …] as its report takes it, or draws. */
export type Uncertainty = { readonly _tag: 'covariance'; readonly values: Float32Array } | DrawnOutput;

/** How outputs become predictions. The link, its samples and its seed count for covariances alone. */
export interface Reading {
  readonly link: Link;
  readonly samples: number;
  readonly seed: number;
  /** p: the curvature goes with σ^(−2p). */
  readonly power: number;
}

/** How a predictive reads outputs. Draws need no link. */
export const readingOf = (predictive: Predictive, power: number): Reading => {
  const { link, samples, seed } =
    predictive._tag === 'linearised' ? predictive : { link: DEFAULT_LINK as Link, samples: 1, seed: 0 };
  return { link, samples, seed, power };
};

/** One output of a candidate. */
export interface Part {
  /** Writes the losses [rows], and adds to the slopes if there are any. Rows that do not count have none. */
  readonly addTo: (losses: Float64Array, slopes: Slopes, free: Free) => void;
  readonly hasSlopes: boolean;
  readonly isSmooth: boolean;
  /** The sum of the highest probabilities, and how many there are. */
  readonly confidence?: (free: Free) => { readonly sum: number; readonly count: number };
}
