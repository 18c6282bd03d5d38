/** What `evaluate` takes: one prediction or the predictions of several batches, of one kind, as rows. */
import { either as E, function as F } from 'fp-ts';
import { type Kind, ofKind, tagged } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { classMeasures, gaussianMeasures, type Measure } from './measures.js';
import { type NumberRows, problemOf } from './rows.js';

/** What `evaluate` reads of a classification. */
export interface EvaluatedClassification {
  readonly _tag: 'classification';
  /** [N][C], or [N][1]: the probability of class 1. */
  readonly probabilities: NumberRows;
}

/** What `evaluate` reads of a regression. */
export interface EvaluatedRegression {
  readonly _tag: 'regression';
  readonly mean: NumberRows;
  readonly totalVariance: NumberRows;
}

/** A prediction, or the predictions of all batches in their order. */
export type Evaluated = EvaluatedClassification | EvaluatedRegression;
export type OneOrMore<A> = A | ReadonlyArray<A>;

const PREDICTION: Kind<Evaluated> = {
  name: 'a classification or a regression',
  is: (value): value is Evaluated =>
    tagged<EvaluatedClassification>('classification', 'probabilities')(value) ||
    tagged<EvaluatedRegression>('regression', 'mean', 'totalVariance')(value),
  remedies: [{ is: tagged('several'), remedy: 'Its field outputs has a prediction for each output: evaluate them one by one.' }],
};

type Batches =
  | { readonly kind: 'classification'; readonly batches: ReadonlyArray<EvaluatedClassification> }
  | { readonly kind: 'regression'; readonly batches: ReadonlyArray<EvaluatedRegression> };

/** The batches in their order. */
export const batchesOf = (field: string, given: unknown): E.Either<LaplaceError, Batches> =>
  F.pipe(
    Array.isArray(given) && given.length > 0 ? (given as ReadonlyArray<unknown>) : [given],
    E.traverseArray((batch) => ofKind(field, PREDICTION, batch)),
    E.chain((list): E.Either<LaplaceError, Batches> => {
      const classes = list.filter((batch) => batch._tag === 'classification');
      if (classes.length === list.length) return E.right({ kind: 'classification', batches: classes });
      const numbers = list.filter((batch) => batch._tag === 'regression');
      if (numbers.length === list.length) return E.right({ kind: 'regression', batches: numbers });
      return E.left(problemOf(field, 'batches of classifications and of regressions', 'batches of one kind'));
    }),
  );

/** The metrics of all batches together. */
export const measuresOf = (
  given: Batches,
  labels: ArrayLike<number> | NumberRows,
  bins: number,
): E.Either<LaplaceError, ReadonlyArray<Measure>> =>
  given.kind === 'classification'
    ? classMeasures(
        given.batches.flatMap(({ probabilities }) => probabilities),
        labels as ArrayLike<number>,
        bins,
      )
    : gaussianMeasures({
        targets: labels as NumberRows,
        mean: given.batches.flatMap(({ mean }) => mean),
        variance: given.batches.flatMap(({ totalVariance }) => totalVariance),
      });
