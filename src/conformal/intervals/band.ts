/**
 * What a score of intervals makes of predictions: a band around which intervals grow. With a lower end L, an upper end U and a scale S of
 * each entry the score is max(L − y, y − U) / S, and the interval of the largest score q is [L − q S, U + q S].
 */
import { either as E, function as F } from 'fp-ts';
import { hasFields, type Kind, ofKind, tagged } from '../../codec/index.js';
import type { LaplaceError } from '../../errors.js';
import { checkCount, checkRows, type NumberRows, type Problem, problemOf, sound } from '../../metrics/rows.js';
import type { Regression } from '../../predictive/prediction.js';

/** Rows [N][T] of one shape. */
export interface Band {
  readonly lower: NumberRows;
  readonly upper: NumberRows;
  /** > 0; absent for 1. */
  readonly scale?: NumberRows;
}

/** Means [N][T] and total variances [N][T], or the prediction of a regression, which has both. */
export type MeanPredictions = Regression | { readonly mean: NumberRows; readonly variance?: NumberRows };

/** Lower and upper quantiles [N][T] that a model predicts, or the ends of credible intervals. */
export interface QuantilePredictions {
  readonly lower: NumberRows;
  readonly upper: NumberRows;
}

/** Whatever a score of intervals takes. */
export type IntervalPredictions = MeanPredictions | QuantilePredictions;

/** The rule of one score: its band, or an error for predictions of another kind. */
export type BandRule<S> = (what: string, score: S, predictions: IntervalPredictions) => E.Either<LaplaceError, Band>;

const isRegression = tagged<Regression>('regression', 'mean', 'totalVariance');
const QUANTILES = { is: hasFields('lower', 'upper'), remedy: 'Intervals as predictions need the score cqr().' };
const SEVERAL = { is: tagged('several'), remedy: 'prediction.outputs has the prediction of each output by its name.' };

const MEANS: Kind<MeanPredictions> = {
  name: 'the prediction of a regression, or { mean, variance }',
  is: (v): v is MeanPredictions => isRegression(v) || (hasFields('mean')(v) && !hasFields('_tag')(v)),
  remedies: [QUANTILES, SEVERAL],
};
const ENDS: Kind<QuantilePredictions> = {
  name: '{ lower, upper }',
  is: (v): v is QuantilePredictions => hasFields('lower', 'upper')(v),
  remedies: [{ is: isRegression, remedy: 'credibleIntervals(prediction) has both ends.' }],
};

/** Means alone. */
export const meansOf = (what: string, predictions: IntervalPredictions): E.Either<LaplaceError, NumberRows> =>
  F.pipe(
    ofKind(what, MEANS, predictions),
    E.chain(({ mean }) => sound(checkRows(mean, 'mean'), () => mean)),
  );

/** Means, and standard deviations as the scale. */
export const scaledMeansOf = (what: string, predictions: IntervalPredictions): E.Either<LaplaceError, Band> =>
  F.pipe(
    meansOf(what, predictions),
    E.chain((mean) => {
      const variance =
        'totalVariance' in predictions ? predictions.totalVariance : (predictions as { variance: NumberRows }).variance;
      const problem = variance === undefined ? noVariance(what) : (sameShape(variance, mean, 'variance') ?? positive(variance));
      return sound(problem, () => ({
        lower: mean,
        upper: mean,
        scale: variance.map((row) => Float64Array.from(row, (v) => Math.sqrt(v))),
      }));
    }),
  );

/** Lower and upper ends as they are. */
export const endsOf = (what: string, predictions: IntervalPredictions): E.Either<LaplaceError, Band> =>
  F.pipe(
    ofKind(what, ENDS, predictions),
    E.chain(({ lower, upper }) => sound(checkRows(lower, 'lower') ?? sameShape(upper, lower, 'upper'), () => ({ lower, upper }))),
  );

/** Checks rows of numbers that must have the shape of others. */
export const sameShape = (rows: NumberRows, like: NumberRows, field: string): Problem =>
  checkRows(rows, field) ??
  checkCount(rows.length, like.length, field) ??
  checkCount(rows[0]?.length as number, like[0]?.length as number, `${field}[0]`);

const noVariance = (what: string): Problem =>
  problemOf(`${what}: variance`, 'nothing', 'rows of numbers', 'InvalidInput', "The score 'absolute' needs no variances.");

function positive(variance: NumberRows): Problem {
  const i = variance.findIndex((row) => Array.from(row).some((v) => v <= 0));
  const t = Array.from(variance[i] ?? []).findIndex((v) => v <= 0);
  return i < 0 ? undefined : problemOf(`variance[${i}][${t}]`, String(variance[i]?.[t]), 'a number > 0');
}
