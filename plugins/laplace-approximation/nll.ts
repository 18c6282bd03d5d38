/**
 * The negative log-likelihood of labels under a prediction, in nats. A prediction gives moments, so each label is taken by itself:
 *
 * | labels | −log p(y) |
 * |---|---|
 * | one of C classes | −Σ_c y_c log p_c |
 * | yes or no | −y log p − (1 − y) log(1 − p) |
 * | numbers | that of a normal with the label's mean and total variance |
 * | counts | that of a negative binomial with this mean and variance; a Poisson distribution if they are equal |
 *
 * For a network's own outputs these are the likelihood's own formulas. For a posterior's predictions they are exact for classes,
 * for single yes-or-no labels and for gaussian labels; the others have the right moments.
 */
import type { OutputPrediction, Rows } from 'tfjs-laplace';
import { countNll, numberNll, type Part } from 'tfjs-laplace/extend';

/** What a prediction says of each row, [rows][labels]. */
export type Moments = { readonly probabilities: Rows } | { readonly mean: Rows; readonly totalVariance: Rows };

/** The labels of one output. */
export interface Truth {
  readonly predicts: Part['ops']['predicts'];
  /** [rows][labels]: one-hot rows for classes. */
  readonly labels: Rows;
  /** Whether each row counts. Steps that `ignoreLabel` leaves out do not. */
  readonly counts: ReadonlyArray<boolean>;
}

/**
 * Probabilities come in float32. One below its rounding at 1 is taken as this: the logarithm of a smaller one, or of 1 − p, would
 * say more about rounding than about the prediction.
 */
const LEAST = 2 ** -24;

const log = (p: number): number => Math.log(Math.max(p, LEAST));

/** The sum over all labels that count. */
export function nllOf(moments: Moments | OutputPrediction, { predicts, labels, counts }: Truth): number {
  const ofLabel = labelRule(moments, predicts);
  return labels.reduce((sum, row, i) => (counts[i] ? sum + row.reduce((part, y, j) => part + ofLabel(y, i, j), 0) : sum), 0);
}

/** How many labels count: one for a row of classes, otherwise all of a row. */
export const countOf = ({ predicts, labels, counts }: Truth): number =>
  labels.reduce((sum, row, i) => (counts[i] ? sum + (predicts === 'classes' ? 1 : row.length) : sum), 0);

/** −log p of label y, the j-th of row i. */
function labelRule(
  moments: Moments | OutputPrediction,
  predicts: Truth['predicts'],
): (y: number, i: number, j: number) => number {
  const at = (rows: Rows, i: number, j: number): number => rows[i]?.[j] as number;
  if ('probabilities' in moments) {
    const { probabilities } = moments;
    if (predicts === 'classes') return (y, i, j) => (y === 0 ? 0 : -y * log(at(probabilities, i, j)));
    return (y, i, j) => -y * log(at(probabilities, i, j)) - (1 - y) * log(1 - at(probabilities, i, j));
  }
  const { mean, totalVariance } = moments;
  const ofMoments = predicts === 'counts' ? countNll : numberNll;
  return (y, i, j) => ofMoments(at(mean, i, j), at(totalVariance, i, j), y);
}
