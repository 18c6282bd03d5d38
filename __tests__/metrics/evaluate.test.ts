/** The table of all metrics: each line is what its own function says, and its errors are what a law says. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import * as lib from 'tfjs-laplace';
import { key, normals, uniforms } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { type Labelled, labelled, refusal } from './arbitraries.js';

const DIGITS = 11;
const classification = (probabilities: lib.NumberRows) => ({ _tag: 'classification', probabilities }) as const;
const regression = ({ mean, variance }: lib.GaussianPredictions) =>
  ({ _tag: 'regression', mean, totalVariance: variance }) as const;
const line = ({ metrics }: lib.Evaluation, name: string) => metrics.find((metric) => metric.name === name) as lib.EvaluatedMetric;

/** What the functions for users say of every metric of a classifier. */
function classValues({ probabilities, labels }: Labelled, bins: number): Readonly<Record<string, number | undefined>> {
  const wrong = right(lib.classLosses(probabilities, labels)).zeroOne;
  const entropies = right(lib.entropy(probabilities));
  const area = right(lib.riskCoverage(entropies, wrong));
  const group = (wanted: number) => entropies.filter((_, i) => wrong[i] === wanted);
  return {
    accuracy: right(lib.accuracy(probabilities, labels)),
    nll: right(lib.nll(probabilities, labels)),
    brierScore: right(lib.brierScore(probabilities, labels)),
    ece: right(lib.calibration(probabilities, labels, { bins })).ece,
    smoothEce: right(lib.smoothCalibration(probabilities, labels)).ece,
    classwiseEce: right(lib.classwiseCalibration(probabilities, labels, { bins })).ece,
    riskCoverageArea: area.area,
    excessArea: area.excessArea,
    generalisedArea: area.generalisedArea,
    ...(new Set(wrong).size === 2 && { errorAuroc: right(lib.auroc({ positives: group(1), negatives: group(0) })) }),
  };
}

it('law: every line of a classification is the metric of that name', () => {
  fc.assert(
    fc.property(labelled, fc.integer({ min: 1, max: 20 }), (data, bins) => {
      const found = right(lib.evaluate(classification(data.probabilities), data.labels, { bins, resamples: 2 }));
      expect(found.count).toBe(data.labels.length);
      const values = Object.fromEntries(found.metrics.map(({ name, value }) => [name, value]));
      const expected = Object.entries(classValues(data, bins)).map(([name, value]) => [
        name,
        expect.closeTo(value as number, DIGITS),
      ]);
      expect(values).toEqual(Object.fromEntries(expected));
    }),
  );
});

const N = 400;
const z = normals(key(5), 2 * N);
const rows = (of: (k: number) => number) => Array.from({ length: N }, (_, i) => [of(2 * i), of(2 * i + 1)]);
const data: lib.GaussianPredictions = {
  targets: rows((k) => 2 * (z[k] as number) + 1),
  mean: rows(() => 1),
  variance: rows((k) => 3 + (k % 3)),
};

it('every line of a regression is the metric of that name', () => {
  const { metrics } = right(lib.evaluate(regression(data), data.targets, { resamples: 2 }));
  expect(metrics.map(({ name, value }) => [name, value])).toEqual(
    Object.entries({
      gaussianNll: right(lib.gaussianNll(data)),
      gaussianCrps: right(lib.gaussianCrps(data)),
      rmse: right(lib.rmse(data.targets, data.mean)),
      mae: right(lib.mae(data.targets, data.mean)),
      coverage95: right(lib.intervalCoverage(data)),
      intervalError: right(lib.intervalCalibration(data)).meanAbsolute,
      sharpness: right(lib.sharpness(data)),
    }).map(([name, value]) => [name, expect.closeTo(value, DIGITS)]),
  );
});

it('standard errors: s / √N for a mean; for normal errors of the deviation 2, 2 / √(2 · 2N) for their root mean square', () => {
  const found = right(lib.evaluate(regression(data), data.targets, { resamples: 2 }));
  const losses = right(lib.gaussianLosses(data));
  expect(line(found, 'gaussianCrps').standardError).toBeCloseTo(right(lib.meanWithError(losses.crps)).standardError, DIGITS);
  const expected = 2 / Math.sqrt(4 * N);
  expect(Math.abs(line(found, 'rmse').standardError / expected - 1)).toBeLessThan(0.2);
});

it('standard errors of all other metrics are those of the bootstrap with the same seed', () => {
  const p = Array.from(uniforms(key(1), 60), (u) => [u]);
  const labels = Uint8Array.from(uniforms(key(2), 60), (u, i) => (u < (p[i]?.[0] as number) ? 1 : 0));
  const options = { resamples: 30, seed: 7 };
  const found = right(lib.evaluate(classification(p), labels, options));
  const at = <A>(list: ArrayLike<A>, indices: Uint32Array) => Array.from(indices, (i) => list[i] as A);
  const expected = right(
    lib.bootstrap(
      60,
      (indices) => E.map((own: lib.Calibration) => own.ece)(lib.calibration(at(p, indices), at(labels, indices))),
      options,
    ),
  );
  expect(line(found, 'ece').standardError).toBeCloseTo(expected.standardError, DIGITS);
  expect(right(lib.evaluate(classification(p), labels, { ...options, seed: 8 }))).not.toEqual(found);
});

it('the areas of risk and coverage, and their differences, have the errors of the bootstrap', () => {
  const [p, q] = [1, 3].map((stream) => Array.from(uniforms(key(stream), 60), (u) => [u])) as [number[][], number[][]];
  const labels = Uint8Array.from(uniforms(key(2), 60), (u, i) => (u < (p[i]?.[0] as number) ? 1 : 0));
  const options = { resamples: 30, seed: 7 };
  const found = right(lib.evaluate(classification(p), labels, { ...options, baseline: classification(q) }));
  const curveAt = (rows: number[][]) => {
    const entropies = right(lib.entropy(rows));
    const wrong = right(lib.classLosses(rows, labels)).zeroOne;
    return (indices: Uint32Array) =>
      right(
        lib.riskCoverage(
          Array.from(indices, (i) => entropies[i] as number),
          Array.from(indices, (i) => wrong[i] as number),
        ),
      );
  };
  for (const [name, field] of [
    ['riskCoverageArea', 'area'],
    ['excessArea', 'excessArea'],
    ['generalisedArea', 'generalisedArea'],
  ] as const) {
    const own = right(lib.bootstrap(60, (indices) => E.right(curveAt(p)(indices)[field]), options));
    const pair = right(lib.bootstrap(60, (indices) => E.right(curveAt(p)(indices)[field] - curveAt(q)(indices)[field]), options));
    const { value, standardError, difference } = line(found, name);
    expect([value, standardError]).toEqual([own.value, own.standardError].map((v) => expect.closeTo(v, DIGITS)));
    expect(difference).toEqual({
      value: expect.closeTo(pair.value, DIGITS),
      standardError: expect.closeTo(pair.standardError, DIGITS),
    });
  }
});

describe('against a baseline', () => {
  it('law: the same predictions differ by 0, for sure; swapped predictions by the opposite, as surely', () => {
    const pairs = labelled.chain((own) =>
      fc.tuple(
        fc.constant(own),
        fc.shuffledSubarray([...own.probabilities], { minLength: own.labels.length, maxLength: own.labels.length }),
      ),
    );
    fc.assert(
      fc.property(pairs, ([{ probabilities, labels }, others]) => {
        const [a, b] = [classification(probabilities), classification(others)];
        for (const { difference, standardError } of right(lib.evaluate(a, labels, { baseline: a, resamples: 3 })).metrics) {
          expect(difference?.value).toBe(0);
          if (Number.isFinite(standardError)) expect(difference?.standardError).toBe(0);
        }
        const there = right(lib.evaluate(a, labels, { baseline: b, resamples: 3 }));
        const back = right(lib.evaluate(b, labels, { baseline: a, resamples: 3 }));
        for (const { name, value, baseline, difference } of there.metrics) {
          const other = back.metrics.find((metric) => metric.name === name);
          if (other === undefined || difference === undefined) continue;
          expect(baseline).toBe(other.value);
          expect(difference.value).toBeCloseTo(value - other.value, DIGITS);
          if (difference.standardError === Number.POSITIVE_INFINITY) continue;
          expect(other.difference?.standardError).toBeCloseTo(difference.standardError, DIGITS);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a small shift of the mean is seen, although each error is far less sure', () => {
    const shifted = { ...data, mean: data.mean.map((row) => Array.from(row, (m) => m + 0.3)) };
    const { difference, standardError } = line(
      right(lib.evaluate(regression(shifted), data.targets, { baseline: regression(data), resamples: 2 })),
      'rmse',
    );
    // √(4 + 0.09) − 2, and the slope 0.3 / 2 of each difference in the error of deviation 2 over 2N entries.
    expect(Math.abs((difference?.value as number) - 0.0224)).toBeLessThan(4 * (difference?.standardError as number));
    expect(difference?.standardError).toBeLessThan(standardError / 3);
  });
});

it('batches in their order are the whole', () => {
  const whole = right(lib.evaluate(regression(data), data.targets, { resamples: 3 }));
  const part = (from: number, to: number) =>
    regression({ ...data, mean: data.mean.slice(from, to), variance: data.variance.slice(from, to) });
  expect(right(lib.evaluate([part(0, 150), part(150, N)], data.targets, { resamples: 3 }))).toEqual(whole);
});

it('an impossible label is infinitely bad, and says nothing of its error', () => {
  const found = right(
    lib.evaluate(
      classification([
        [1, 0],
        [1, 0],
      ]),
      [1, 0],
      { baseline: classification([[0.5], [0.5]]) },
    ),
  );
  const infinite = { value: Number.POSITIVE_INFINITY, standardError: Number.POSITIVE_INFINITY };
  expect(line(found, 'nll')).toMatchObject({ ...infinite, baseline: Math.LN2, difference: infinite });
});

it.each<[string, unknown, unknown, string]>([
  ['nothing', undefined, [], 'InvalidInput'],
  ['no batches', [], [], 'InvalidInput'],
  ['rows', [[0.5, 0.5]], [0], 'InvalidInput'],
  [
    'labels too few',
    classification([
      [1, 0],
      [1, 0],
    ]),
    [0],
    'InvalidInput',
  ],
  ['targets too few', regression(data), [[1, 2]], 'InvalidInput'],
])('refuses %s', (_, prediction, labels, kind) => {
  expect(lib.evaluate(prediction as never, labels as never)).toEqual(E.left(refusal(kind)));
});
