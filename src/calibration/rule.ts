/** What a method of calibration has to say. Rows are checked: probabilities [C] of at least two classes. */
import type { NumberRows } from '../metrics/rows.js';

export interface CalibrationRule<M, F> {
  /** The map that fits held-out rows [N][C] and labels [N] best. */
  readonly fit: (method: M, rows: NumberRows, labels: ArrayLike<number>) => F;
  /** Calibrated probabilities [C] of one row. They add up to 1. */
  readonly apply: (map: F, row: ArrayLike<number>) => Float64Array;
  /** Whether a map, perhaps from JSON, is one for C classes. */
  readonly suits: (map: F, C: number) => boolean;
}
