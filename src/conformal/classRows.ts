/** Class probabilities, given as rows or as the prediction of a classifier. */
import type { either as E } from 'fp-ts';
import { tagged } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { classRows, labelled, type NumberRows } from '../metrics/rows.js';
import type { Classification } from '../predictive/prediction.js';

/** Rows [N][C] that add up to 1, or [N][1] with the probability of class 1; or a prediction that has such rows. */
export type ClassPredictions = Classification | NumberRows;

const rowsIn = (given: ClassPredictions): NumberRows =>
  tagged<Classification>('classification', 'probabilities')(given) ? given.probabilities : (given as NumberRows);

/** Checked rows with at least two classes. */
export const probabilityRows = (given: ClassPredictions): E.Either<LaplaceError, NumberRows> => classRows(rowsIn(given));

/** Checked rows with at least two classes, whose labels are checked too. */
export const labelledRows = (given: ClassPredictions, labels: ArrayLike<number>): E.Either<LaplaceError, NumberRows> =>
  labelled(rowsIn(given), labels);
