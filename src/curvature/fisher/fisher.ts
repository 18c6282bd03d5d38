/** What a Fisher matrix is to an estimator: which gradients in the outputs f are sent back through the network. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Columns } from '../observation.js';

/** The rule of one Fisher matrix; `F` is its value in the DSL. A new one is a file with its variant and rule, and a line in `index.ts`. */
export interface FisherRule<F> {
  /** Gradients [K, B, C] whose second moments, summed over K, are the Fisher of each example. */
  readonly columns: (fisher: F) => Columns;
  /** K: the most rows that are sent back for each example, which the cost is proportional to. */
  readonly rowsPerExample: (fisher: F, outputs: number) => number;
  /** Numbers k·B + b of the columns that are sent, ascending; without it all of them. */
  readonly kept?: (fisher: F, columns: tf.Tensor3D) => Int32Array;
  /** Whether it is after the whole output Hessian Λ: then a last layer that is covered alone takes Λ in closed form. */
  readonly isWhole: boolean;
  /** Whether its rows are the gradients that a training step computes anyway. */
  readonly isTrainingStep: boolean;
}
