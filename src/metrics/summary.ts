/**
 * Summaries of predictions: what metrics need of a batch, as sums and counts of plain data. Batches are added one by one, and summaries of
 * disjoint parts of a data set are merged, on one machine or on several (a state survives `structuredClone`).
 *
 *   concat(concat(a, b), c) = concat(a, concat(b, c)),   concat(a, b) = concat(b, a),   concat(empty, a) = a
 *   value(add(… add(empty, first batch) …, last batch)) = the metrics of all rows
 *
 * All to float64 rounding. A state has a fixed size, however many examples it counts. What depends on the order of all scores is bounded:
 * `scoreSummary` and `riskCoverageSummary` give each area with the error within which it lies, and the same in any order. Bins of equal mass
 * have no summary: they take all rows.
 */
import { either as E, function as F, type monoid as M } from 'fp-ts';
import { type Kind, ofKind, tagged } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { orThrow } from '../orThrow.js';

/** Adds batches up, merges what was added up (a monoid of fp-ts), and gives the metrics. */
export interface Summary<Batch extends ReadonlyArray<unknown>, State, Value> extends M.Monoid<State> {
  /** The state with one more batch; the first state is `empty`. Errors are those of the metrics. */
  readonly add: (state: State, ...batch: Batch) => E.Either<LaplaceError, State>;
  /** The metrics of all examples that were added. `Empty` if there are none. */
  readonly value: (state: State) => E.Either<LaplaceError, Value>;
}

interface Parts<Batch extends ReadonlyArray<unknown>, State extends { readonly _tag: string }, Value> {
  readonly name: string;
  readonly empty: State;
  /** The numbers that tell a state of other options. */
  readonly size: (state: State) => string;
  /** The state of one batch. */
  readonly of: (...batch: Batch) => E.Either<LaplaceError, State>;
  readonly concat: (a: State, b: State) => State;
  readonly count: (state: State) => number;
  readonly value: (state: State) => Value;
}

/** A summary whose states are checked: they must be of its kind, and of its options. */
export function summaryOf<Batch extends ReadonlyArray<unknown>, State extends { readonly _tag: string }, Value>(
  parts: Parts<Batch, State, Value>,
): Summary<Batch, State, Value> {
  const { name, empty, size, of, concat, count, value } = parts;
  const kind: Kind<State> = { name: `a state of ${name}`, is: tagged<State>(empty._tag) };
  const own = (state: State): E.Either<LaplaceError, State> =>
    F.pipe(
      ofKind(name, kind, state),
      E.filterOrElse(
        (known) => size(known) === size(empty),
        (known) =>
          laplaceError('InvalidInput', {
            what: `A state of another ${name}`,
            field: 'state',
            found: size(known),
            expected: size(empty),
            remedy: 'Parts that are merged need the same options.',
          }),
      ),
    );
  return {
    empty,
    concat: (a, b) => concat(orThrow(own(a)), orThrow(own(b))),
    add: (state, ...batch) =>
      F.pipe(
        own(state),
        E.chain((known) =>
          F.pipe(
            of(...batch),
            E.map((next) => concat(known, next)),
          ),
        ),
      ),
    value: (state) =>
      F.pipe(
        own(state),
        E.filterOrElse(
          (known) => count(known) > 0,
          () => laplaceError('Empty', { what: name, field: 'state', found: 'no examples', expected: 'at least one' }),
        ),
        E.map(value),
      ),
  };
}
