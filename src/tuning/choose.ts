/**
 * Chooses among candidates by their losses on the same held-out examples. Two candidates are compared by the paired differences of their
 * losses: their mean, and its standard error over the examples.
 */

/** A candidate: a prior precision, the scale that suits it, and the loss of each example. */
export interface Candidate {
  readonly precision: number;
  readonly scale: number;
  readonly losses: Float64Array;
}

/** The mean of a − b over the examples, and its standard error; infinite for a single example. */
export interface Difference {
  readonly mean: number;
  readonly standardError: number;
}

export const meanOf = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** The mean of the losses of `a` less those of `b`. */
export function difference(a: Float64Array, b: Float64Array): Difference {
  const own = a.map((v, i) => v - (b[i] as number));
  const mean = meanOf(own);
  const N = own.length;
  const spread = own.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, standardError: N < 2 ? Number.POSITIVE_INFINITY : Math.sqrt(spread / (N - 1) / N) };
}

/** The candidate with the least mean loss. Infinite and undefined losses lose. */
export const best = (candidates: ReadonlyArray<Candidate>): Candidate =>
  candidates.reduce((a, b) => (meanOf(b.losses) < meanOf(a.losses) || Number.isNaN(meanOf(a.losses)) ? b : a));

/**
 * The widest posterior that the data allow: the least precision whose mean loss lies within one standard error of the difference to the
 * best.
 */
export function widest(candidates: ReadonlyArray<Candidate>): Candidate {
  const top = best(candidates);
  const allowed = candidates.filter((own) => {
    const { mean, standardError } = difference(own.losses, top.losses);
    return own === top || mean <= standardError;
  });
  return allowed.reduce((a, b) => (b.precision < a.precision ? b : a));
}

/** How a choice compares with the trained network. */
export type Verdict = 'better' | 'same' | 'worse';

/** Better or worse by more than the standard error of the difference; otherwise the same. */
export function verdictOf(chosen: Float64Array, network: Float64Array): Verdict {
  const { mean, standardError } = difference(chosen, network);
  if (mean < -standardError) return 'better';
  return mean > standardError ? 'worse' : 'same';
}
