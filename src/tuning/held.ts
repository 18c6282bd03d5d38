/** Held-out examples as `tune` sees them, and what one output of a candidate offers. */
import type { Head } from '../network/network.js';
import type { Link } from '../predictive/links/index.js';
import type { Free, Slopes } from './free.js';
import type { Truth } from './losses.js';

/** The held-out examples of one output. */
export interface HeldOut {
  readonly head: Head;
  /** f* [rows, outputs of a row], before the scale. */
  readonly mean: Float32Array;
  readonly truth: Truth;
}

/** How outputs become predictions. */
export interface Reading {
  readonly link: Link;
  readonly samples: number;
  readonly seed: number;
  /** p: the curvature goes with σ^(−2p). */
  readonly power: number;
}

/** One output of a candidate. */
export interface Part {
  /** Writes the losses [rows], and adds to the slopes if there are any. Rows that do not count have none. */
  readonly addTo: (losses: Float64Array, slopes: Slopes, free: Free) => void;
  readonly hasSlopes: boolean;
  readonly isSmooth: boolean;
  /** The sum of the highest probabilities, and how many there are. */
  readonly confidence?: (free: Free) => { readonly sum: number; readonly count: number };
}
