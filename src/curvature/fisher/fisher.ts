/** The interface of a Fisher matrix: it chooses which gradients in the outputs f are sent back through the network. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Columns } from '../observation.js';

/** The rule of one Fisher matrix. `F` is the type of its value in the DSL. To add one, see `index.ts`. */
export interface FisherRule<F> {
  /** Computes gradients [K, B, C] whose second moments, summed over K, are the Fisher matrix of each example in f. */
  readonly columns: (fisher: F) => Columns;
  /** K, the largest number of rows that are sent back for each example. The cost is proportional to K. */
  readonly rowsPerExample: (fisher: F, outputs: number) => number;
  /** The indices k·B + b of the columns that are sent, ascending. If absent, all columns are sent. */
  readonly kept?: (fisher: F, columns: tf.Tensor3D) => Int32Array;
  /**
   * Whether the rule aims at the whole output Hessian Λ. Then Λ in closed form can replace the rows if only the last layer is
   * covered.
   */
  readonly isWhole: boolean;
  /** Whether the rows are the gradients that a training step computes anyway. */
  readonly isTrainingStep: boolean;
  /**
   * p, if the second moments of a Gaussian likelihood are proportional to σ^(−2p): 1 for the moments of Λ, 2 for squares of (f − y)
   * / σ². Absent if nobody knows.
   */
  readonly noisePower?: 1 | 2;
}
