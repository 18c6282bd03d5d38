/** Summaries of batches and parts give the metrics of all rows. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import * as lib from 'tfjs-laplace';
import { key, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

/** Sums of at most 60 numbers of size 1 to 10, in another order. */
const DIGITS = 11;

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
const same = (found: unknown, expected: unknown) => expect(plain(found)).toEqual(near(plain(expected)));

/** Cuts a list at random places. */
const cut = <A>(list: ReadonlyArray<A>, at: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<A>> => {
  const ends = [...at.map((p) => Math.floor(p * list.length)), list.length].sort((a, b) => a - b);
  return ends.map((end, i) => list.slice(ends[i - 1] ?? 0, end)).filter((part) => part.length > 0);
};
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

/** Every batch in a state of its own; the states are merged pairwise, to the left and to the right, and after a clone. */
function merged<S, V>(summary: lib.Summary<ReadonlyArray<never>, S, V>, batches: ReadonlyArray<ReadonlyArray<unknown>>) {
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

const CLASSES = 3;
const example = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: CLASSES, maxLength: CLASSES }), fc.nat(CLASSES - 1))
  .map(([weights, y]) => [weights.map((w) => w / weights.reduce((a, b) => a + b, 0)), y] as const);

describe('classSummary', () => {
  it('law: streamed or merged in any order, it is the metrics of all rows', () => {
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 40 }), cuts, fc.integer({ min: 1, max: 8 }), (list, at, bins) => {
        const split = (part: typeof list) => [part.map(([p]) => p), part.map(([, y]) => y)] as const;
        const [probabilities, labels] = split(list);
        const losses = right(lib.classLosses(probabilities, labels));
        const expected = {
          count: list.length,
          accuracy: right(lib.meanWithError(losses.zeroOne.map((wrong) => 1 - wrong))),
          nll: right(lib.meanWithError(losses.nll)),
          brierScore: right(lib.meanWithError(losses.brierScore)),
          calibration: right(lib.calibration(probabilities, labels, { bins })),
          smooth: right(lib.smoothCalibration(probabilities, labels)),
          classwise: right(lib.classwiseCalibration(probabilities, labels, { bins })),
          decomposition: right(lib.brierDecomposition(probabilities, labels, { bins })),
        };
        const batches = cut(list, at).map((part) => split([...part]));
        for (const found of merged(lib.classSummary({ classes: CLASSES, bins }), batches)) same(found, expected);
      }),
    );
  });

  it('takes probabilities of class 1 alone as two classes', () => {
    const { add, empty, value } = lib.classSummary({ classes: 2 });
    const found = right(value(right(add(empty, [[0.25], [0.75]], [0, 0]))));
    expect(found.nll.value).toBeCloseTo(right(lib.nll([[0.25], [0.75]], [0, 0])), DIGITS);
  });

  it('an impossible label makes the mean infinite, and its error', () => {
    const { add, empty, concat, value } = lib.classSummary({ classes: 2 });
    const [a, b] = [
      right(
        add(
          empty,
          [
            [1, 0],
            [1, 0],
          ],
          [1, 0],
        ),
      ),
      right(add(empty, [[0.5, 0.5]], [0])),
    ];
    const none = { value: Number.POSITIVE_INFINITY, standardError: Number.POSITIVE_INFINITY };
    expect(right(value(concat(a, b))).nll).toEqual(none);
    expect(right(value(concat(b, concat(a, a)))).nll).toEqual(none);
  });

  it('refuses states of other options and rows of other classes', () => {
    const { concat, empty, add } = lib.classSummary({ classes: 2 });
    expect(() => concat(empty, lib.classSummary({ classes: 2, bins: 3 }).empty)).toThrow(refusal('InvalidInput'));
    expect(() => concat(empty, lib.gaussianSummary().empty as never)).toThrow(refusal('InvalidInput'));
    expect(add(empty, [[1, 0, 0]], [0])).toEqual(E.left(refusal('InvalidInput')));
  });
});

const number = fc.integer({ min: -50, max: 50 });
const entry = fc.tuple(number, number, fc.integer({ min: 1, max: 99 }));

describe('gaussianSummary', () => {
  it('law: streamed or merged in any order, it is the metrics of all rows', () => {
    const rows = fc.array(fc.array(entry, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, cuts, fc.integer({ min: 2, max: 12 }), (list, at, levels) => {
        const of = (part: ReadonlyArray<(typeof list)[number]>): lib.GaussianPredictions => ({
          targets: part.map((row) => row.map(([y]) => y)),
          mean: part.map((row) => row.map(([, m]) => m)),
          variance: part.map((row) => row.map(([, , v]) => v)),
        });
        const all = of(list);
        const losses = right(lib.gaussianLosses(all));
        const [rmse, mse] = [right(lib.rmse(all.targets, all.mean)), right(lib.meanWithError(losses.squaredError))];
        const expected = {
          count: list.length,
          nll: right(lib.meanWithError(losses.nll)),
          crps: right(lib.meanWithError(losses.crps)),
          rmse: { value: rmse, standardError: mse.standardError === 0 ? 0 : mse.standardError / (2 * rmse) },
          mae: right(lib.meanWithError(losses.absoluteError)),
          sharpness: right(lib.sharpness(all)),
          intervals: right(lib.intervalCalibration(all, { levels })),
        };
        const batches = cut(list, at).map((part) => [of(part)]);
        for (const found of merged(lib.gaussianSummary({ levels }), batches)) same(found, expected);
      }),
    );
  });
});

describe('scoreSummary', () => {
  const score = fc.double({ min: -0.2, max: 1.2, noNaN: true });
  const labelledScores = fc.array(fc.tuple(score, fc.boolean()), { minLength: 2, maxLength: 60 });
  const groupsOf = (part: ReadonlyArray<readonly [number, boolean]>): lib.ScoredGroups => ({
    positives: part.filter(([, positive]) => positive).map(([s]) => s),
    negatives: part.filter(([, positive]) => !positive).map(([s]) => s),
  });

  it('law: the exact area is within the error, in any order, whatever the bins', () => {
    fc.assert(
      fc.property(labelledScores, cuts, fc.integer({ min: 1, max: 50 }), (list, at, bins) => {
        const all = groupsOf(list);
        fc.pre(all.positives.length > 0 && all.negatives.length > 0);
        const exact = right(lib.auroc(all));
        const found = merged(
          lib.scoreSummary({ bins }),
          cut(list, at).map((part) => [groupsOf(part)]),
        );
        for (const { auroc, error } of found) expect(Math.abs(auroc - exact)).toBeLessThanOrEqual(error + 1e-12);
        for (const other of found) expect(other).toEqual(found[0]);
      }),
    );
  });

  it('is exact if no bin holds both, and its error is small for many bins', () => {
    const [a, b] = [uniforms(key(1), 2000), uniforms(key(2), 2000).map((u) => u * u)];
    const { add, empty, value } = lib.scoreSummary();
    const { auroc, error } = right(value(right(add(empty, { positives: a, negatives: b }))));
    expect(error).toBeLessThan(1e-3);
    expect(Math.abs(auroc - right(lib.auroc({ positives: a, negatives: b })))).toBeLessThan(error);
    const apart = { positives: [0.75, 9], negatives: [0.25, -9] };
    expect(right(value(right(add(empty, apart))))).toEqual({ auroc: 1, error: 0 });
  });

  it('has no area before both groups have an example', () => {
    const { add, empty, value } = lib.scoreSummary();
    expect(value(right(add(empty, { positives: [1], negatives: [] })))).toEqual(E.left(refusal('Empty')));
  });
});

it('law: meanSummary is the mean of all values with its error, in any order', () => {
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 40 }), cuts, (list, at) => {
      const batches = cut(list, at).map((part) => [part]);
      for (const found of merged(lib.meanSummary(), batches)) same(found, right(lib.meanWithError(list)));
    }),
  );
  const { add, empty, value } = lib.meanSummary();
  expect(value(empty)).toEqual(E.left(refusal('Empty')));
  expect(add(empty, [Number.POSITIVE_INFINITY])).toEqual(E.left(refusal('NotFinite')));
});
