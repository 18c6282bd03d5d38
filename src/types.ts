/**
 * Shapes shared by every folder. Letters as in the documentation:
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

/** One event of something that takes longer than a second. `total` is absent where it is not known beforehand. */
export interface Progress {
  readonly phase: 'train' | 'observe' | 'decompose' | 'predict' | 'sample';
  readonly done: number;
  readonly total?: number;
  /** What is counted, in words: 'batches', 'layers', 'samples'. */
  readonly unit: string;
  /** What the step worked on, when it has a name (a layer, say). */
  readonly detail?: string;
}

/** Receives progress events; must not throw. */
export type OnProgress = (event: Progress) => void;
