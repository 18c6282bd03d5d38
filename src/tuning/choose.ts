/**
 * Chooses among candidates by their losses on the same held-out examples. Two candidates are compared by the paired differences of their
 * losses: their mean, and its standard error over the examples.
 */
import { differenceOf, momentsOf } from '../metrics/estimate.js';
import type { Free } from './free.js';

/** A candidate: precisions, the free numbers that suit them, and the loss of each example. */
export interface Candidate {
  /** The geometric mean of the layers' precisions, at the posterior's own noise variance. Infinite for the trained network. */
  readonly precision: number;
  /** What each layer's precision is times that mean. All 1 for one precision. */
  readonly ratios: ReadonlyArray<number>;
  readonly free: Free;
  /** [N] */
  readonly losses: Float64Array;
}

/** Precisions that differ by no more than this are the same, rounded. */
const ROUNDING = 1e-9;

export const meanOf = (losses: Float64Array): number => momentsOf(losses).mean;

/** The candidate with the least mean loss. Infinite and undefined losses lose. */
export const best = <C extends Candidate>(candidates: ReadonlyArray<C>): C =>
  candidates.reduce((a, b) => (meanOf(b.losses) < meanOf(a.losses) || Number.isNaN(meanOf(a.losses)) ? b : a));

/**
 * The widest posterior that the data and the evidence allow. The data allow a precision whose mean loss lies within one standard error of
 * the difference to the best. The evidence allows none below a floor, so far below the precision where it is highest that the trained weights
 * themselves speak against it. So this is the least precision that both allow. If there is none, it is the precision closest to the floor
 * that the data allow.
 */
export function widest<C extends Candidate>(candidates: ReadonlyArray<C>, floor: number): C {
  const top = best(candidates);
  const allowed = candidates.filter((own) => {
    const { value, standardError } = differenceOf(own.losses, top.losses);
    // The standard error of an infinite difference is infinite too.
    return own === top || (Number.isFinite(value) && value <= standardError);
  });
  const above = allowed.filter(({ precision }) => precision >= floor * (1 - ROUNDING));
  if (above.length > 0) return above.reduce((a, b) => (b.precision < a.precision ? b : a));
  return allowed.reduce((a, b) => (b.precision > a.precision ? b : a));
}

/** How a choice compares with the trained network. */
export type Verdict = 'better' | 'same' | 'worse';

/** Better or worse by more than the standard error of the difference; otherwise the same. */
export function verdictOf(chosen: Float64Array, network: Float64Array): Verdict {
  const { value, standardError } = differenceOf(chosen, network);
  if (!Number.isFinite(value)) return value < 0 ? 'better' : 'worse';
  if (value < -standardError) return 'better';
  return value > standardError ? 'worse' : 'same';
}
