/** What `tune` minimises: a criterion by name, or one's own. */
import { anyOf, func, isArrayLike, literals } from '../codec/index.js';
import { describe } from '../codec/words.js';
import { laplaceError } from '../errors.js';
import { binned, binOf } from '../metrics/bins.js';
import type { Evaluated } from '../metrics/evaluated.js';
import type { NumberRows } from '../metrics/rows.js';
import type { RowCriterion, Truth } from './losses.js';

/** The predictions of one output for all held-out examples, row by row, as `evaluate` takes them. */
export interface HeldOutPredictions {
  /** The output's name in the model. */
  readonly output: string;
  readonly predictions: Evaluated;
  /** Classes [rows]; or labels, numbers or counts [rows][labels]. */
  readonly labels: ReadonlyArray<number> | NumberRows;
}

export type CriterionName = RowCriterion | 'ece';

/** A criterion of one's own: a loss for each row. What is minimised is their mean. */
export type OwnCriterion = (held: HeldOutPredictions) => ArrayLike<number>;

export type Criterion = CriterionName | OwnCriterion;

/** The names of all criteria. */
export const CRITERIA = ['nll', 'brier', 'ece', 'crps'] as const satisfies ReadonlyArray<CriterionName>;

/** Decodes a criterion. */
export const CriterionCodec = anyOf(
  literals(...CRITERIA),
  func<OwnCriterion>('a function of the predictions that gives a loss for each row'),
  (value) => typeof value === 'function',
);

/** Whether a criterion suits what an output predicts. */
export const suits = (criterion: Criterion, predicts: Truth['predicts']): boolean => {
  const isNumeric = predicts === 'numbers' || predicts === 'counts';
  return criterion === 'ece' ? !isNumeric : criterion === 'crps' ? isNumeric : true;
};

/** The losses of one's own criterion. Throws `InvalidInput` if they are not a number for each row. */
export function ownLosses(criterion: OwnCriterion, held: HeldOutPredictions, rows: number): ArrayLike<number> {
  const losses: unknown = criterion(held);
  const isRight =
    isArrayLike(losses) && losses.length === rows && Array.from(losses).every((v) => typeof v === 'number' && !Number.isNaN(v));
  if (isRight) return losses as ArrayLike<number>;
  throw laplaceError('InvalidInput', {
    what: 'The criterion must give a loss for each row',
    field: 'criterion',
    found: isArrayLike(losses) ? `${losses.length} values, or values that are no numbers` : describe(losses),
    expected: `${rows} numbers, none of them NaN`,
  });
}

/** Bins of the expected calibration error. */
const BINS = 15;

/**
 * The expected calibration error as a mean over predictions: each counts the gap between its outcome and its confidence, with the sign of
 * the gap of its bin. So the error has a standard error over the examples, to first order.
 *
 * @param confidence of each prediction
 * @param right 1 for a right prediction, otherwise 0
 */
export function calibrationGaps(confidence: Float64Array, right: Float64Array): Float64Array {
  const { sums } = binned(confidence, right, BINS, 'width');
  return confidence.map((score, i) => {
    const m = binOf(score, BINS);
    return Math.sign((sums.outcomes[m] as number) - (sums.scores[m] as number)) * ((right[i] as number) - score);
  });
}
