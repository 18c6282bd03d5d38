/** Scores of single inputs: values of pytorch-ood and scikit-learn (`metrics/reference/generate.py`), closed forms and laws. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  type DetectionInputs,
  type DetectionScoreInput,
  decodeDetector,
  detectionScore,
  energy,
  entropy,
  fitDetector,
  mahalanobis,
  nearestNeighbours,
} from 'tfjs-laplace';
import reference from '../metrics/reference/values.json' with { type: 'json' };
import { right } from '../support/math/laplace.js';
import { CLASSIFICATION } from '../support/predictions.js';

/** Both sides compute in float64. */
const DIGITS = 12;
const values = reference.detection;
const { training: features, labels } = values;
const prediction = { _tag: 'classification', probabilities: values.probabilities } as const;
const inputs = { prediction, outputs: { mean: values.logits }, features: values.inputs };
const of = (score: DetectionScoreInput, own: DetectionInputs = inputs) => Array.from(right(detectionScore(own, score)));
const refusal = (parts: object) => E.left(expect.objectContaining({ _tag: 'LaplaceError', ...parts }));

describe('are those of pytorch-ood', () => {
  it.each(['entropy', 'maximumProbability', 'maximumLogit', 'energy'] as const)('%s', (name) => {
    expect(of(name)).toEqual(values[name].map((value) => expect.closeTo(value, DIGITS)));
  });

  it('energy of another temperature', () => {
    expect(of(energy({ temperature: 0.3 }))).toEqual(values.coldEnergy.map((value) => expect.closeTo(value, DIGITS)));
  });

  it('nearest neighbours', () => {
    const fitted = right(fitDetector({ features }, nearestNeighbours({ neighbours: values.neighbours })));
    expect(of(fitted)).toEqual(values.nearestNeighbours.map((value) => expect.closeTo(value, DIGITS)));
  });

  // It adds 1e-6 to the diagonal of the sum of squares, which is above 10 in every direction here: 1e-6 / 10, and the relative distance
  // is the difference of two such.
  it.each([
    ['mahalanobis', false],
    ['relative', true],
  ] as const)('%s', (name, relative) => {
    const fitted = right(fitDetector({ features, labels }, mahalanobis({ shrinkage: 0, relative })));
    of(fitted).forEach((value, i) => {
      expect(Math.abs(value / (values[name][i] as number) - 1)).toBeLessThan(1e-4);
    });
  });
});

it.each([
  ['shrunk', false],
  ['relativeShrunk', true],
] as const)("Mahalanobis distances with scikit-learn's shrunk covariance (%s)", (name, relative) => {
  const fitted = right(fitDetector({ features, labels }, mahalanobis({ shrinkage: 0.1, relative })));
  of(fitted).forEach((value, i) => {
    expect(Math.abs(value / (values[name][i] as number) - 1)).toBeLessThan(1e-11);
  });
});

describe('of predictions', () => {
  it('the fields of a prediction are taken as they are, batch after batch', () => {
    const other = { ...CLASSIFICATION, entropy: [3], expectedEntropy: [2], mutualInformation: [1] };
    const both = { prediction: [CLASSIFICATION, other] };
    expect(of('entropy', both)).toEqual([0, 3]);
    expect(of('expectedEntropy', both)).toEqual([0, 2]);
    expect(of('mutualInformation', both)).toEqual([0, 1]);
  });

  it('the entropy of a network alone is that of its probabilities', () => {
    expect(of('entropy')).toEqual(Array.from(right(entropy(values.probabilities))));
  });

  it('one probability stands for two classes, and one logit too: the classes may change places', () => {
    const [p, f] = [0.8, Math.log(4)];
    const one = {
      prediction: { _tag: 'classification', probabilities: [[p], [1 - p]] } as const,
      outputs: { mean: [[f], [-f]] },
    };
    const two = (a: number, b: number) => [
      [a, b],
      [b, a],
    ];
    const pair = {
      prediction: { _tag: 'classification', probabilities: two(p, 1 - p) } as const,
      outputs: { mean: two(f / 2, -f / 2) },
    };
    for (const name of ['entropy', 'maximumProbability', 'maximumLogit', 'energy'] as const) {
      const [first, second] = of(name, one) as [number, number];
      expect(first).toBeCloseTo(second, DIGITS);
      expect([first, second]).toEqual(of(name, pair).map((value) => expect.closeTo(value, DIGITS)));
    }
  });

  it('the highest of several labels counts', () => {
    expect(of('maximumProbability', { prediction: { _tag: 'classification', probabilities: [[0.9, 0.8, 0.1]] } })).toEqual([
      -0.9,
    ]);
  });

  it('the variance of the outputs is the trace of their covariance', () => {
    expect(of('outputVariance', { outputs: { mean: [[0, 0]], covariance: [[2, 9, 9, 3]] } })).toEqual([5]);
  });

  it('law: the energy lies between minus the highest logit and that minus T log C, also where exp overflows', () => {
    const logits = fc.array(fc.double({ min: -2000, max: 2000, noNaN: true }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(logits, fc.double({ min: 0.01, max: 10, noNaN: true }), (row, temperature) => {
        const [value] = of(energy({ temperature }), { outputs: { mean: [row] } }) as [number];
        const most = Math.max(...row);
        expect(value).toBeLessThanOrEqual(-most + 1e-9);
        expect(value).toBeGreaterThanOrEqual(-most - temperature * Math.log(row.length) - 1e-9);
      }),
    );
  });
});

const number = fc.integer({ min: -20, max: 20 });
const table = fc
  .integer({ min: 1, max: 4 })
  .chain((D) => fc.array(fc.array(number, { minLength: D, maxLength: D }), { minLength: 2, maxLength: 12 }));

describe('of features', () => {
  it('law: the k-th smallest distance among features of unit length', () => {
    fc.assert(
      fc.property(table, fc.nat(), (rows, at) => {
        const neighbours = 1 + (at % rows.length);
        const unit = (row: ReadonlyArray<number>) => row.map((v) => v / (Math.hypot(...row) || 1));
        const [probe = [], ...known] = [rows[0], ...rows];
        const distances = (known as number[][]).map((row) =>
          Math.hypot(...unit(row).map((v, d) => v - (unit(probe)[d] as number))),
        );
        const expected = distances.sort((a, b) => a - b)[neighbours - 1] as number;
        const fitted = right(fitDetector({ features: rows }, nearestNeighbours({ neighbours })));
        // The root of a rounding error of 1e-16.
        expect(of(fitted, { features: [probe.map((v) => 3 * v)] })[0]).toBeCloseTo(expected, 7);
      }),
    );
  });

  it('Mahalanobis distances: two classes with means (±4, 0), variances 4 and 1', () => {
    const cross = (x: number) => [
      [x - 2, 0],
      [x + 2, 0],
      [x, -1],
      [x, 1],
    ];
    // Mean squares about the means are 2 and ½.
    const fitted = right(
      fitDetector({ features: [...cross(-4), ...cross(4)], labels: [0, 0, 0, 0, 1, 1, 1, 1] }, mahalanobis({ shrinkage: 0 })),
    );
    const found = of(fitted, {
      features: [
        [4, 0],
        [2, 0],
        [-4, 3],
        [0, 0],
      ],
    });
    expect(found).toEqual([0, 4 / 2, 9 / 0.5, 16 / 2].map((value) => expect.closeTo(value, DIGITS)));
  });

  it('law: without shrinkage an affine map of all features changes no Mahalanobis distance', () => {
    const move = (rows: ReadonlyArray<ReadonlyArray<number>>) =>
      rows.map(([a = 0, b = 0, c = 0, d = 0]) => [2 * a + b - 1, b + 5, c - 3 * d, a + d + 2]);
    for (const relative of [false, true]) {
      const method = mahalanobis({ shrinkage: 0, relative });
      const moved = of(right(fitDetector({ features: move(features), labels }, method)), { features: move(values.inputs) });
      const still = of(right(fitDetector({ features, labels }, method)));
      moved.forEach((value, i) => {
        expect(Math.abs(value / (still[i] as number) - 1)).toBeLessThan(1e-9);
      });
    }
  });

  it('a direction without variance counts as far away, and needs shrinkage', () => {
    const data = {
      features: [
        [1, 0],
        [-1, 0],
        [2, 0],
        [-2, 0],
      ],
      labels: [0, 0, 0, 0],
    };
    expect(fitDetector(data, mahalanobis({ shrinkage: 0 }))).toEqual(refusal({ kind: 'NotPositiveDefinite', field: 'features' }));
    const [along = 0, across = 0] = of(right(fitDetector(data, 'mahalanobis')), {
      features: [
        [1, 0],
        [0, 1],
      ],
    });
    expect(across / along).toBeGreaterThan(1e5);
  });

  it('classes that do not occur are left out, and their numbers do not matter', () => {
    const renamed = right(fitDetector({ features, labels: labels.map((y) => 7 * y + 2) }, 'mahalanobis'));
    expect(of(renamed)).toEqual(of(right(fitDetector({ features, labels }, 'mahalanobis'))));
  });

  it.each([
    ['mahalanobis()', mahalanobis({ relative: true })],
    ['nearestNeighbours()', nearestNeighbours({ neighbours: 3 })],
  ])('%s is plain data, frozen, and survives JSON', (_, method) => {
    const fitted = right(fitDetector({ features, labels }, method));
    const again = right(decodeDetector(JSON.parse(JSON.stringify(fitted))));
    expect(again).toEqual(fitted);
    expect(of(again)).toEqual(of(fitted));
    for (const value of [fitted, again]) {
      const tables = Object.values(value.map).filter(Array.isArray) as unknown[][];
      expect([value, value.map, ...tables, ...tables.flat()].every(Object.isFrozen)).toBe(true);
    }
  });
});

describe('says what is missing', () => {
  const fitted = right(fitDetector({ features, labels }, 'mahalanobis'));
  it.each<[string, DetectionInputs, DetectionScoreInput, object]>([
    ['a prediction', { features }, 'entropy', { field: 'prediction.probabilities', kind: 'InvalidInput' }],
    ['a field of the prediction', { prediction }, 'mutualInformation', { field: 'prediction.mutualInformation' }],
    ['outputs', { prediction }, 'energy', { field: 'outputs.mean' }],
    ['a covariance', { outputs: { mean: [[1]] } }, 'outputVariance', { field: 'outputs.covariance' }],
    ['features', { prediction }, fitted, { field: 'features' }],
    ['features of the right size', { features: [[1, 2]] }, fitted, { found: '2 of them', expected: '4' }],
    ['a square', { outputs: { mean: [[1, 2]], covariance: [[1, 2]] } }, 'outputVariance', { found: '2 numbers' }],
    ['rows for all', { prediction, features: [[1]] }, 'entropy', { field: 'inputs.features', found: '1 rows' }],
    ['finite logits', { outputs: { mean: [[1, Number.NaN]] } }, 'energy', { kind: 'NotFinite' }],
    ['probabilities', { prediction: { ...prediction, probabilities: [[3, -2]] } }, 'maximumProbability', { found: '3' }],
  ])('%s', (_, own, score, parts) => {
    expect(detectionScore(own, score)).toEqual(refusal(parts));
  });

  it('what a fitted detector must be', () => {
    const broken = { ...fitted, map: { ...fitted.map, means: [[1]] } } as typeof fitted;
    expect(detectionScore(inputs, broken)).toEqual(refusal({ field: 'map' }));
    expect(() => detectionScore(inputs, { ...fitted, map: { ...fitted.map, means: [['1']] } } as never)).toThrow('map.means');
  });

  it.each<[string, Parameters<typeof fitDetector>, object]>([
    ['classes', [{ features }, 'mahalanobis'], { field: 'labels' }],
    ['a class for each', [{ features, labels: [0] }, 'mahalanobis'], { field: 'labels', found: '1 of them' }],
    ['whole numbers', [{ features, labels: features.map(() => 0.5) }, 'mahalanobis'], { kind: 'InvalidLabels' }],
    ['enough rows', [{ features: [[1]] }, 'nearestNeighbours'], { found: '1 rows' }],
    ['rows', [{ features: [] }, 'nearestNeighbours'], { kind: 'Empty' }],
  ])('%s for a fit', (_, args, parts) => {
    expect(fitDetector(...args)).toEqual(refusal(parts));
  });
});
