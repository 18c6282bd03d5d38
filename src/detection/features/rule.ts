/** What a detector on features has to say. Rows are checked: finite numbers [N][D]. */
import type { either as E } from 'fp-ts';
import type { LaplaceError } from '../../errors.js';
import type { NumberRows } from '../../metrics/rows.js';

export interface DetectorRule<M, F> {
  /** What is fitted to the features [N][D] of training data, and to their classes [N] if they are given. */
  readonly fit: (method: M, features: NumberRows, labels: ArrayLike<number> | undefined) => E.Either<LaplaceError, F>;
  /** The score of each row [B][D]. */
  readonly apply: (map: F, features: NumberRows) => Float64Array;
  /** Whether a fitted map, perhaps from JSON, is one for D features. */
  readonly suits: (map: F, D: number) => boolean;
}
