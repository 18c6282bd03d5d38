/** The highest number of a row. */
export function highest(row: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < row.length; c++) most = Math.max(most, row[c] as number);
  return most;
}

/** Logits of at least two classes. One logit f, of class 1 against class 0, is ½f and −½f: so neither class is preferred. */
export const logitsOf = (row: ArrayLike<number>): ArrayLike<number> =>
  row.length === 1 ? [(row[0] as number) / 2, -(row[0] as number) / 2] : row;
