/**
 * Calibration of one probability at a time. With two classes the probability of class 1 gets a map, and class 0 the rest. With more
 * classes each one gets a map, against all others, and the mapped probabilities of a row are divided by their sum; if all are 0, every
 * class gets 1/C. Reference: Zadrozny & Elkan 2002, section 5.
 */
import type { NumberRows } from '../metrics/rows.js';

/** The probabilities of one class [N] with 1 for its own examples and 0 for the others. */
export interface BinaryExamples {
  readonly p: Float64Array;
  readonly y: Float64Array;
}

/** A map for class 1 of two classes, or for each of more classes. */
export function eachClass<A>(
  rows: NumberRows,
  labels: ArrayLike<number>,
  mapOf: (examples: BinaryExamples) => A,
): ReadonlyArray<A> {
  const C = rows[0]?.length as number;
  const classes = C === 2 ? [1] : Array.from({ length: C }, (_, c) => c);
  const maps = classes.map((c) =>
    mapOf({
      p: Float64Array.from(rows, (row) => row[c] as number),
      y: Float64Array.from(rows, (_, i) => (labels[i] === c ? 1 : 0)),
    }),
  );
  return Object.freeze(maps);
}

/** How many maps C classes have. */
export const mapsOf = (C: number): number => (C === 2 ? 1 : C);

/** The mapped row, which adds up to 1. */
export function together<A>(maps: ReadonlyArray<A>, row: ArrayLike<number>, apply: (map: A, p: number) => number): Float64Array {
  if (row.length === 2) {
    const own = apply(maps[0] as A, row[1] as number);
    return Float64Array.of(1 - own, own);
  }
  const mapped = Float64Array.from(row, (p, c) => apply(maps[c] as A, p));
  const total = mapped.reduce((sum, q) => sum + q, 0);
  return mapped.map((q) => (total > 0 ? q / total : 1 / row.length));
}
