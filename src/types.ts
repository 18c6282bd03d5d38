/**
 * Types that every folder shares. The letters are the same in all documentation:
 * B examples of a batch, N examples of the data set, n inputs of a layer (bias included), m outputs of a layer,
 * C outputs of the network. Matrices are row-major host arrays: immutable, structured-cloneable, serialisable.
 */

/** A dense row-major matrix of float64 values on the host. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** Entry (i, j) is `data[i * cols + j]`. */
  readonly data: Float64Array;
}

/** One progress event of work that may take longer than a second. `total` is absent where it is not known beforehand. */
export interface Progress {
  readonly phase: 'train' | 'observe' | 'decompose' | 'predict' | 'sample';
  readonly done: number;
  readonly total?: number;
  /** What is counted, in words: 'batches', 'layers', 'samples'. */
  readonly unit: string;
  /** The name of what the step worked on, if it has one (a layer, for example). */
  readonly detail?: string;
}

/** Receives progress events; must not throw. */
export type OnProgress = (event: Progress) => void;
