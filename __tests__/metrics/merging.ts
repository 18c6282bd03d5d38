/** Cuts data into batches, merges their summaries in several orders, and compares values. */
import * as fc from 'fast-check';
import type * as lib from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';

/** Sums of at most 60 numbers of size 1 to 10, in another order. */
export const DIGITS = 11;

/** The same value with every number close to it. */
const near = (value: unknown): unknown => {
  if (typeof value === 'number') return Number.isFinite(value) ? expect.closeTo(value, DIGITS) : value;
  if (ArrayBuffer.isView(value) || Array.isArray(value)) return Array.from(value as ArrayLike<unknown>, near);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, near(own)]));
  }
  return value;
};
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, own) =>
      ArrayBuffer.isView(own) ? Array.from(own as never) : own === Number.POSITIVE_INFINITY ? 'Infinity' : own,
    ),
  );
export const same = (found: unknown, expected: unknown) => expect(plain(found)).toEqual(near(plain(expected)));

/** Cuts a list at random places. */
export const cut = <A>(list: ReadonlyArray<A>, at: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<A>> => {
  const ends = [...at.map((p) => Math.floor(p * list.length)), list.length].sort((a, b) => a - b);
  return ends.map((end, i) => list.slice(ends[i - 1] ?? 0, end)).filter((part) => part.length > 0);
};
export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

/** Every batch in a state of its own; the states are merged pairwise, to the left and to the right, and after a clone. */
export function merged<S, V>(summary: lib.Summary<ReadonlyArray<never>, S, V>, batches: ReadonlyArray<ReadonlyArray<unknown>>) {
  const add = summary.add as (state: S, ...batch: ReadonlyArray<unknown>) => ReturnType<typeof summary.add>;
  const states = batches.map((batch) => structuredClone(right(add(summary.empty, ...batch))) as S);
  const streamed = batches.reduce((state, batch) => right(add(state, ...batch)), summary.empty);
  return [
    streamed,
    states.reduce(summary.concat, summary.empty),
    states.reduceRight((rest, state) => summary.concat(state, rest), summary.empty),
    states.reduce((rest, state) => summary.concat(state, rest), summary.empty),
  ].map((state) => right(summary.value(state)));
}
