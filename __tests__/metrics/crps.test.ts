/** Scores of predictive distributions of numbers: CRPS, pinball loss, calibration of intervals. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  type GaussianPredictions,
  gaussianCrps,
  gaussianLosses,
  gaussianNll,
  intervalCalibration,
  intervalCoverage,
  mae,
  pinballLoss,
  pitValues,
  rmse,
  sampleCrps,
  sharpness,
} from 'tfjs-laplace';
import { key, normals } from '../../src/random/index.js';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

/** A few operations on numbers of size 1 to 100. */
const DIGITS = 11;

const number = fc.integer({ min: -50, max: 50 });
const table = (rows: number, columns: number, of: fc.Arbitrary<number>) =>
  fc.array(fc.array(of, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows });
const predictions: fc.Arbitrary<GaussianPredictions> = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 3 }))
  .chain(([N, C]) =>
    fc.record({
      targets: table(N, C, number),
      mean: table(N, C, number),
      variance: table(N, C, fc.integer({ min: 1, max: 99 })),
    }),
  );

describe('CRPS', () => {
  it('law: for a point forecast it is the absolute error, however many samples say it', () => {
    fc.assert(
      fc.property(predictions, fc.integer({ min: 1, max: 5 }), ({ targets, mean }, S) => {
        const samples = Array.from({ length: S }, () => mean);
        expect(right(sampleCrps({ targets, samples }, { fair: false }))).toBeCloseTo(right(mae(targets, mean)), DIGITS);
        if (S > 1) expect(right(sampleCrps({ targets, samples }))).toBeCloseTo(right(mae(targets, mean)), DIGITS);
        const variance = targets.map((row) => Array.from(row, () => 1e-24));
        expect(right(gaussianCrps({ targets, mean, variance }))).toBeCloseTo(right(mae(targets, mean)), DIGITS);
      }),
    );
  });

  it('law: it is the integral of (F(x) − [x >= y])², for the distribution of the samples', () => {
    fc.assert(
      fc.property(number, fc.array(number, { minLength: 1, maxLength: 9 }), (y, xs) => {
        // Between neighbouring integers the integrand is constant.
        let integral = 0;
        for (let x = -50; x < 50; x++) {
          integral += (xs.filter((own) => own <= x).length / xs.length - (x >= y ? 1 : 0)) ** 2;
        }
        const samples = xs.map((x) => [[x]]);
        expect(right(sampleCrps({ targets: [[y]], samples }, { fair: false }))).toBeCloseTo(integral, DIGITS);
      }),
    );
  });

  it('the Gaussian form is the integral too', () => {
    const [mean, deviation, y, step] = [1, 2, 4, 1e-3];
    const target = { targets: [[y]], mean: [[mean]], variance: [[deviation ** 2]] };
    const below = (x: number) => right(pitValues({ ...target, targets: [[x]] }))[0]?.[0] as number;
    let integral = 0;
    for (let x = -20; x < 24; x += step) integral += step * (below(x + step / 2) - (x + step / 2 >= y ? 1 : 0)) ** 2;
    expect(right(gaussianCrps(target))).toBeCloseTo(integral, 5);
  });

  it('the fair form is right on average with two samples, and the other one too large', () => {
    const N = 20_000;
    const [z, a, b] = [normals(key(1), N), normals(key(2), N), normals(key(3), N)];
    const rows = (list: ArrayLike<number>) => Array.from(list, (v) => [v]);
    const sampled = { targets: rows(z), samples: [rows(a), rows(b)] };
    const [zeros, ones] = [rows(z.map(() => 0)), rows(z.map(() => 1))];
    const exact = right(gaussianCrps({ targets: rows(z), mean: zeros, variance: ones }));
    // The scores have a standard deviation near 1: five standard errors.
    expect(Math.abs(right(sampleCrps(sampled)) - exact)).toBeLessThan(5 / Math.sqrt(N));
    // By a quarter of E|x − x'| = 2/√π.
    expect(right(sampleCrps(sampled, { fair: false })) - exact).toBeGreaterThan(0.25);
  });

  it('loses no digits to samples far from 0', () => {
    const samples = [1e9 + 0.5, 1e9 + 1, 1e9 - 0.25].map((x) => [[x]]);
    expect(right(sampleCrps({ targets: [[1e9]], samples }, { fair: false }))).toBeCloseTo(1.75 / 3 - (2 * 2.5) / 18, DIGITS);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'InvalidInput'],
    ['no samples', { targets: [[1]], samples: [] }, 'Empty'],
    ['one sample of a fair score', { targets: [[1]], samples: [[[1]]] }, 'InvalidInput'],
    ['samples of another shape', { targets: [[1]], samples: [[[1]], [[1], [2]]] }, 'InvalidInput'],
    ['NaN', { targets: [[1]], samples: [[[1]], [[Number.NaN]]] }, 'NotFinite'],
  ])('refuses %s', (_, sampled, kind) => {
    expect(sampleCrps(sampled as never)).toEqual(E.left(refusal(kind)));
  });
});

describe('pinballLoss', () => {
  it('law: at ½ it is half the absolute error', () => {
    fc.assert(
      fc.property(predictions, ({ targets, mean }) => {
        expect(right(pinballLoss(targets, mean, 0.5))).toBeCloseTo(right(mae(targets, mean)) / 2, DIGITS);
      }),
    );
  });

  it('law: no number has a lower loss than the quantile of the targets', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 9 }), number, fc.integer({ min: 1, max: 19 }), (ys, other, n) => {
        const level = n / 20;
        const sorted = [...ys].sort((a, b) => a - b);
        const quantile = sorted[Math.ceil(level * ys.length - 1e-9) - 1] as number;
        const loss = (q: number) =>
          right(
            pinballLoss(
              ys.map((y) => [y]),
              ys.map(() => [q]),
              level,
            ),
          );
        expect(loss(quantile)).toBeLessThanOrEqual(loss(other) + 10 ** -DIGITS);
      }),
    );
  });

  it.each([0, 1, -0.5, Number.NaN, undefined])('refuses a level of %p', (level) => {
    expect(() => pinballLoss([[1]], [[1]], level as never)).toThrow(refusal('InvalidOption'));
  });
});

describe('intervalCalibration', () => {
  it('law: every observed share is the coverage at that level', () => {
    fc.assert(
      fc.property(predictions, fc.integer({ min: 3, max: 12 }), (own, levels) => {
        const { expected, observed } = right(intervalCalibration(own, { levels }));
        expected.slice(1, -1).forEach((level, k) => {
          expect(observed[k + 1]).toBeCloseTo(right(intervalCoverage(own, { level })), DIGITS);
        });
        expect(observed[levels - 1]).toBe(1);
      }),
    );
  });

  it('a target at the mean is within every interval, also that of probability 0', () => {
    const { observed } = right(intervalCalibration({ targets: [[3]], mean: [[3]], variance: [[2]] }, { levels: 4 }));
    expect(observed).toEqual(Float64Array.of(1, 1, 1, 1));
  });

  it('tells what is calibrated from what is too narrow or too wide', () => {
    const N = 4000;
    const z = normals(key(4), N);
    const of = (scale: number) =>
      right(
        intervalCalibration({
          targets: Array.from(z, (v) => [7 + v]),
          mean: Array.from(z, () => [7]),
          variance: Array.from(z, () => [scale ** 2]),
        }),
      );
    // Five standard errors of a share.
    expect(of(1).meanAbsolute).toBeLessThan(2.5 / Math.sqrt(N));
    for (const scale of [0.5, 2]) expect(of(scale).meanAbsolute).toBeGreaterThan(0.15);
    expect(of(0.5).observed[50]).toBeLessThan(0.5);
    expect(of(2).observed[50]).toBeGreaterThan(0.5);
    expect(of(2).meanAbsolute).toBeLessThan(of(2).rootMeanSquared);
  });

  it.each([1, 2.5, 0, Number.NaN])('refuses %d levels', (levels) => {
    const one = { targets: [[1]], mean: [[1]], variance: [[1]] };
    expect(() => intervalCalibration(one, { levels })).toThrow(refusal('InvalidOption'));
  });
});

it('law: sharpness and CRPS scale with the targets; the transform does not, and gives 1 − p for what is mirrored', () => {
  const scaled = (rows: GaussianPredictions['mean'], by: number) => rows.map((row) => Array.from(row, (v) => by * v));
  fc.assert(
    fc.property(predictions, ({ targets, mean, variance }) => {
      const by = (factor: number) => ({
        targets: scaled(targets, factor),
        mean: scaled(mean, factor),
        variance: scaled(variance, factor ** 2),
      });
      expect(right(sharpness(by(4)))).toBeCloseTo(4 * right(sharpness(by(1))), DIGITS);
      expect(right(gaussianCrps(by(4)))).toBeCloseTo(4 * right(gaussianCrps(by(1))), 10);
      const [same, mirrored] = [right(pitValues(by(4))), right(pitValues(by(-1)))];
      right(pitValues(by(1))).forEach((row, i) => {
        row.forEach((p, c) => {
          expect(same[i]?.[c]).toBeCloseTo(p, DIGITS);
          expect(mirrored[i]?.[c]).toBeCloseTo(1 - p, DIGITS);
        });
      });
    }),
  );
});

it('law: each metric is the mean of its losses', () => {
  const mean = (list: Float64Array) => list.reduce((sum, loss) => sum + loss, 0) / list.length;
  fc.assert(
    fc.property(predictions, (own) => {
      const losses = right(gaussianLosses(own));
      expect(mean(losses.nll)).toBeCloseTo(right(gaussianNll(own)), 9);
      expect(mean(losses.crps)).toBeCloseTo(right(gaussianCrps(own)), DIGITS);
      expect(Math.sqrt(mean(losses.squaredError))).toBeCloseTo(right(rmse(own.targets, own.mean)), DIGITS);
      expect(mean(losses.absoluteError)).toBeCloseTo(right(mae(own.targets, own.mean)), DIGITS);
    }),
  );
});
