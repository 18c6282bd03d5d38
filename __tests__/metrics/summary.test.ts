/** Summaries of batches and parts give the metrics of all rows. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import * as lib from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';
import { cut, cuts, DIGITS, merged, same } from './merging.js';

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
          quantiles: right(lib.quantileCalibration(right(lib.pitValues(all)), { levels })),
        };
        const batches = cut(list, at).map((part) => [of(part)]);
        for (const found of merged(lib.gaussianSummary({ levels }), batches)) same(found, expected);
      }),
    );
  });
});

describe('pitSummary', () => {
  // Half of the values are levels themselves.
  const pit = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(10).map((k) => k / 10),
  );
  const rows = fc.array(fc.array(pit, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 20 });

  it('law: streamed or merged in any order, it is exactly the calibration of all values', () => {
    fc.assert(
      fc.property(rows, cuts, fc.integer({ min: 2, max: 12 }), (list, at, levels) => {
        const expected = right(lib.quantileCalibration(list, { levels }));
        const batches = cut(list, at).map((part) => [part]);
        // Counts have no rounding.
        for (const found of merged(lib.pitSummary({ levels }), batches)) expect(found).toEqual(expected);
      }),
    );
  });

  it('refuses states of other options', () => {
    const { concat, empty } = lib.pitSummary();
    expect(() => concat(empty, lib.pitSummary({ levels: 11 }).empty)).toThrow(refusal('InvalidInput'));
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
