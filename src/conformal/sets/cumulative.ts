/**
 * Classes from the most to the least probable. Classes of equal probability are in the order of their numbers. O(C log C).
 */

/** For each class: its rank, 1 for the most probable, and the sum of the probabilities up to and including its own. */
export interface Ranked {
  /** [C] */
  readonly ranks: Int32Array;
  /** [C] */
  readonly sums: Float64Array;
}

export function ranked(row: ArrayLike<number>): Ranked {
  const C = row.length;
  const [ranks, sums] = [new Int32Array(C), new Float64Array(C)];
  // A stable sort leaves equals in the order of their numbers.
  const order = Int32Array.from({ length: C }, (_, c) => c).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
  let sum = 0;
  order.forEach((c, i) => {
    sum += row[c] as number;
    ranks[c] = i + 1;
    sums[c] = sum;
  });
  return { ranks, sums };
}
