/** Calibration after the fact: scikit-learn's values, brute force, finite differences, and the laws of each method. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  type CalibrationInput,
  calibrate,
  calibration,
  decodeCalibrator,
  fitCalibrator,
  histogramBinning,
  isotonicRegression,
  matrixScaling,
  nll,
  temperatureScaling,
  vectorScaling,
} from 'tfjs-laplace';
import { diagonal, objective, type Shape, whole } from '../../src/calibration/affine.js';
import { logProbabilities } from '../../src/calibration/logits.js';
import { minimise } from '../../src/linalg/lbfgs.js';
import { right } from '../support/math/laplace.js';
import { normalSource, take, uniformSource } from '../support/math/monteCarlo.js';
import { CLASSIFICATION } from '../support/predictions.js';

const softmax = (z: number[]): number[] => {
  const e = z.map(Math.exp);
  const total = e.reduce((a, b) => a + b);
  return e.map((v) => v / total);
};

/** Rows that are `sharpness` times as sure as they should be, and their labels. */
function examples(seed: number, N: number, C: number, sharpness = 2) {
  const [uniform, normal] = [uniformSource(seed), normalSource(seed + 100)];
  const all = Array.from({ length: N }, () => {
    const z = take(C, normal);
    let [u, label] = [uniform(), 0];
    for (const p of softmax(z)) {
      if (u < p) break;
      u -= p;
      label += 1;
    }
    return { row: softmax(z.map((v, c) => sharpness * v + 0.3 * c)), y: Math.min(label, C - 1) };
  });
  return { rows: all.map(({ row }) => row), labels: all.map(({ y }) => y) };
}

const METHODS: ReadonlyArray<readonly [string, CalibrationInput]> = [
  ['temperature', temperatureScaling()],
  ['vector', vectorScaling()],
  ['matrix', matrixScaling()],
  ['isotonic', isotonicRegression()],
  ['histogram', histogramBinning()],
];
const SCALINGS = METHODS.slice(0, 3);

describe.each(METHODS)('%s', (_, method) => {
  it.each([2, 4])('gives rows that add up to 1, for %i classes', (C) => {
    const { rows, labels } = examples(1, 200, C);
    const fitted = right(fitCalibrator(rows, labels, method));
    for (const row of right(calibrate(examples(2, 50, C).rows, fitted))) {
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 13);
      expect(row.every((p) => p >= 0 && p <= 1)).toBe(true);
    }
  });

  it('is frozen data that JSON can hold', () => {
    const { rows, labels } = examples(3, 50, 3);
    const fitted = right(fitCalibrator(rows, labels, method));
    expect(decodeCalibrator(JSON.parse(JSON.stringify(fitted)))).toStrictEqual(E.right(fitted));
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(fitted)).toBe(true);
  });

  it('lowers the calibration error of a network that is too sure, on examples that it has not seen', () => {
    const { rows, labels } = examples(4, 4000, 3);
    const fresh = examples(5, 4000, 3);
    const fitted = right(fitCalibrator(rows, labels, method));
    const before = right(calibration(fresh.rows, fresh.labels)).ece;
    expect(right(calibration(right(calibrate(fresh.rows, fitted)), fresh.labels)).ece).toBeLessThan(before / 3);
  });

  it('takes a prediction as it is, and rows of one number', () => {
    const fitted = right(fitCalibrator([[0.75], [0.5], [0.2]], [1, 0, 1], method));
    expect(calibrate(CLASSIFICATION, fitted)).toEqual(calibrate([[0.75]], fitted));
  });

  it('refuses a map of another size, and another number of classes', () => {
    const fitted = right(fitCalibrator([[0.75], [0.5]], [1, 0], method));
    expect(calibrate([[1, 0, 0]], fitted)).toEqual(E.left(expect.objectContaining({ kind: 'InvalidInput' })));
    if (fitted.map._tag === 'temperature') return;
    const other = calibrate([[1, 0, 0]], { ...fitted, classes: 3 });
    expect(other).toEqual(E.left(expect.objectContaining({ field: 'fitted.map' })));
  });
});

it.each(SCALINGS)('law: %s does not raise the NLL of the held-out labels', (_, method) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 30 }),
      (seed, C, N) => {
        const { rows, labels } = examples(seed, N, C);
        const fitted = right(fitCalibrator(rows, labels, method));
        // Both sides are sums of at most 30 numbers: rounding alone.
        expect(right(nll(right(calibrate(rows, fitted)), labels))).toBeLessThanOrEqual(right(nll(rows, labels)) + 1e-12);
      },
    ),
    { numRuns: 40 },
  );
});

const temperatureOf = (rows: number[][], labels: number[]): number => {
  const { map } = right(fitCalibrator(rows, labels));
  if (map._tag !== 'temperature') throw new Error(map._tag);
  return map.temperature;
};

it('law: a temperature never changes the order of the classes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
      const { rows, labels } = examples(seed, 12, 5);
      const scaled = right(calibrate(rows, right(fitCalibrator(rows, labels))));
      rows.forEach((row, i) => {
        row.forEach((p, c) => {
          row.forEach((q, d) => {
            if (p < q) expect(scaled[i]?.[c]).toBeLessThanOrEqual(scaled[i]?.[d] as number);
          });
        });
      });
    }),
    { numRuns: 50 },
  );
});

it.each([1, 2, 3, 4, 5])('the temperature equals that of a golden-section search (%i)', (seed) => {
  const { rows, labels } = examples(seed, 300, 4, [0.4, 0.8, 1, 2, 5][seed - 1]);
  const cost = (logT: number): number => {
    const scaled = rows.map((row) => softmax(row.map((p) => Math.log(p) / Math.exp(logT))));
    return scaled.reduce((sum, row, i) => sum - Math.log(row[labels[i] as number] as number), 0);
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-5, 5];
  while (high - low > 1e-9) {
    const [left, side] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (cost(left) < cost(side)) high = side;
    else low = left;
  }
  // Near its minimum the cost is flat: the search tells T apart only to the root of the rounding of the cost.
  expect(temperatureOf(rows, labels) / Math.exp(low)).toBeCloseTo(1, 6);
});

it('a temperature undoes the sharpness, and stays within its bounds where there is no best one', () => {
  const { rows, labels } = examples(6, 20_000, 3, 2);
  // The bias of examples() moves it a little; the standard error of T is about 0.03.
  expect(Math.abs(temperatureOf(rows, labels) - 2)).toBeLessThan(0.25);
  expect(temperatureOf([[0.9, 0.1]], [0])).toBeCloseTo(1e-3, 12);
  expect(temperatureOf([[0.9, 0.1]], [1])).toBeCloseTo(1e3, 9);
  expect(temperatureOf([[0.5, 0.5]], [1])).toBe(1);
  expect(right(calibrate([[1, 0]], right(fitCalibrator([[1, 0]], [1]))))[0]?.every(Number.isFinite)).toBe(true);
});

const SHAPES: ReadonlyArray<readonly [string, (C: number) => Shape, number]> = [
  ['vector', diagonal, 6],
  ['matrix', whole, 12],
];

describe.each(SHAPES)('the objective of %s scaling', (_, shape, n) => {
  const { rows, labels } = examples(7, 40, 3);
  const f = objective(shape(3), rows.map(logProbabilities), labels, 0.02);

  it('has the gradient of finite differences', () => {
    const x = Float64Array.from(take(n, normalSource(8)));
    const { gradient } = f(x);
    const h = 1e-5;
    const moved = (i: number, by: number) => f(x.map((v, j) => (i === j ? v + by : v))).value;
    // Central differences: an error of h² times a third derivative, and rounding of 1e-16 / h.
    gradient.forEach((g, i) => {
      expect((moved(i, h) - moved(i, -h)) / (2 * h)).toBeCloseTo(g, 8);
    });
  });

  it('has its minimum where L-BFGS ends: the gradient is 0, from any start', () => {
    const one = minimise(f, new Float64Array(n));
    const other = minimise(f, Float64Array.from(take(n, normalSource(9))));
    expect(Math.max(...f(one).gradient.map(Math.abs))).toBeLessThan(1e-9);
    // The function is strongly convex with λ = 0.02: points are within |gradient| / λ.
    one.forEach((v, i) => {
      expect(v).toBeCloseTo(other[i] as number, 6);
    });
  });
});

it('L-BFGS finds the minimum of a badly scaled quadratic', () => {
  const quadratic = (x: Float64Array) => ({
    value: x.reduce((sum, v, i) => sum + 0.5 * 10 ** i * (v - i) ** 2, 0),
    gradient: x.map((v, i) => 10 ** i * (v - i)),
  });
  minimise(quadratic, new Float64Array(6)).forEach((v, i) => {
    expect(v).toBeCloseTo(i, 8);
  });
});

interface Isotonic {
  readonly at: number[];
  readonly cases: Record<string, { p: number[]; y: number[]; from: number[]; to: number[]; values: number[] }>;
}
const SKLEARN: Isotonic = JSON.parse(readFileSync(join(__dirname, 'isotonic.json'), 'utf8'));

it.each(Object.entries(SKLEARN.cases))("isotonic: scikit-learn's points and values (%s)", (_, { p, y, from, to, values }) => {
  const fitted = right(
    fitCalibrator(
      p.map((own) => [own]),
      y,
      'isotonic',
    ),
  );
  if (fitted.map._tag !== 'isotonic') throw new Error(fitted.map._tag);
  const [curve = []] = fitted.map.curves;
  // Means of at most 60 zeros and ones.
  expect(curve.map((point) => point.from)).toEqual(from);
  curve.forEach((point, i) => {
    expect(point.to).toBeCloseTo(to[i] as number, 13);
  });
  right(
    calibrate(
      SKLEARN.at.map((own) => [own]),
      fitted,
    ),
  ).forEach((row, i) => {
    expect(row[1]).toBeCloseTo(values[i] as number, 13);
  });
});

it('law: isotonic calibration of two classes is monotone, and has no higher NLL on its own examples than any scaling', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
      const { rows, labels } = examples(seed, 40, 2);
      const fitted = right(fitCalibrator(rows, labels, 'isotonic'));
      const grid = Array.from({ length: 101 }, (_, i) => [i / 100]);
      const values = right(calibrate(grid, fitted)).map((row) => row[1] as number);
      for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1] as number);
      const scaled = right(calibrate(rows, right(fitCalibrator(rows, labels))));
      const own = right(nll(right(calibrate(rows, fitted)), labels));
      expect(own).toBeLessThanOrEqual(right(nll(scaled, labels)) + 1e-12);
    }),
    { numRuns: 50 },
  );
});

it('several classes are calibrated one against the rest; a row without any probability is uniform', () => {
  const rows = [
    [0.8, 0.1, 0.1],
    [0.1, 0.8, 0.1],
    [0.1, 0.1, 0.8],
  ];
  const fitted = right(fitCalibrator(rows, [0, 1, 2], histogramBinning({ bins: 2 })));
  expect(right(calibrate([[0.6, 0.2, 0.2]], fitted))).toEqual([Float64Array.of(1, 0, 0)]);
  expect(right(calibrate([[0.4, 0.3, 0.3]], fitted))).toEqual([Float64Array.of(1 / 3, 1 / 3, 1 / 3)]);
});

it('a bin without examples keeps its middle', () => {
  const fitted = right(fitCalibrator([[0.9], [0.95]], [1, 0], histogramBinning({ bins: 4 })));
  expect(fitted.map).toEqual({ _tag: 'histogram', values: [[0.125, 0.375, 0.625, 0.5]] });
});
