/** What metrics refuse: the same for all that take class probabilities and labels. */
import { either as E } from 'fp-ts';
import {
  accuracy,
  binaryRows,
  brierDecomposition,
  brierScore,
  calibration,
  classLosses,
  classwiseCalibration,
  correctness,
  entropy,
  nll,
  predictedClasses,
} from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { refusal } from './arbitraries.js';

const METRICS = {
  accuracy,
  brierDecomposition,
  brierScore,
  calibration,
  classLosses,
  classwiseCalibration,
  correctness,
  nll,
};

describe.each(Object.entries(METRICS))('%s', (_, metric) => {
  it.each<[string, ReadonlyArray<ArrayLike<number>>, ArrayLike<number>, string]>([
    ['no rows', [], [], 'Empty'],
    ['a row without numbers', [[]], [0], 'InvalidInput'],
    ['rows of different lengths', [[0.5, 0.5], [1]], [0, 0], 'InvalidInput'],
    ['NaN', [[Number.NaN, 1]], [1], 'NotFinite'],
    ['infinity', [[Number.POSITIVE_INFINITY, 0]], [0], 'NotFinite'],
    ['a negative number', [[-0.5, 1.5]], [1], 'InvalidInput'],
    ['logits', [[2, 1]], [0], 'InvalidInput'],
    ['probabilities of class 1 alone that are above 1', [[0.3], [1.5]], [0, 1], 'InvalidInput'],
    ['labels beyond two classes beside probabilities of class 1 alone', [[0.3]], [2], 'InvalidLabels'],
    ['a label too few', [[0.5, 0.5]], [], 'InvalidInput'],
    ['a label beyond the classes', [[0.5, 0.5]], [2], 'InvalidLabels'],
    ['a negative label', [[0.5, 0.5]], [-1], 'InvalidLabels'],
    ['a label that is no integer', [[0.5, 0.5]], [0.5], 'InvalidLabels'],
    ['a label that is NaN', [[0.5, 0.5]], [Number.NaN], 'InvalidLabels'],
  ])('refuses %s', (__, probabilities, labels, kind) => {
    expect(metric(probabilities, labels)).toEqual(E.left(refusal(kind)));
  });

  it('takes the probability of class 1 alone, as bernoulli() predicts it', () => {
    const both = [
      [0.75, 0.25],
      [0.125, 0.875],
      [1, 0],
    ];
    const labels = [1, 1, 0];
    expect(metric([[0.25], Float32Array.of(0.875), [0]], labels)).toEqual(metric(both, labels));
  });

  it('takes a float32 probability that rounding lifted above 1', () => {
    expect(metric([Float32Array.of(1 + 2 ** -23)], [1])._tag).toBe('Right');
  });

  it('says what to do about labels that are independent of each other', () => {
    const expected = { kind: 'InvalidInput', field: 'probabilities', remedy: expect.stringContaining('binaryRows') };
    expect(metric([[0.9, 0.8]], [1])).toEqual(E.left(expect.objectContaining(expected)));
  });

  it('takes typed arrays, and rows that float32 rounded', () => {
    const thirds = Float32Array.of(1 / 3, 1 / 3, 1 / 3);
    expect(metric([thirds, thirds], Int32Array.of(0, 2))._tag).toBe('Right');
  });
});

it('the numbers for the probability of class 1 alone', () => {
  expect(right(nll([[0.25], [0.5]], [1, 0]))).toBeCloseTo((Math.log(4) + Math.log(2)) / 2, 12);
  expect(right(entropy([[0.5], [1]]))).toEqual(Float64Array.of(Math.LN2, 0));
  expect(right(brierScore([[0.25]], [1]))).toBe(2 * 0.75 ** 2);
  expect(predictedClasses([[0.25], [0.75], [0.5]])).toEqual(Int32Array.of(0, 1, 0));
  expect(right(accuracy([[0.25], [0.75]], [0, 1]))).toBe(1);
});

it('entropy refuses the same rows', () => {
  expect(entropy([])).toEqual(E.left(refusal('Empty')));
  expect(entropy([[Number.NaN, 1]])).toEqual(E.left(refusal('NotFinite')));
  expect(entropy([[2, 1]])).toEqual(E.left(refusal('InvalidInput')));
});

it('says where and what', () => {
  const message = 'labels[1]: found 7, expected an integer from 0 to 1.';
  const halves = [
    [0.5, 0.5],
    [0.5, 0.5],
  ];
  expect(nll(halves, [0, 7])).toEqual(E.left(expect.objectContaining({ message, field: 'labels' })));
});

it('the predicted class is the most probable, of equals the lowest', () => {
  expect(
    predictedClasses([
      [0.2, 0.5, 0.3],
      [0.4, 0.4, 0.2],
      [0, 0, 1],
    ]),
  ).toEqual(Int32Array.of(1, 0, 2));
});

describe('binaryRows', () => {
  it('makes two classes of one probability', () => {
    expect(right(binaryRows(Float32Array.of(0.25, 1, 0)))).toEqual([
      [0.75, 0.25],
      [0, 1],
      [1, 0],
    ]);
  });

  it.each([
    [-0.1, 'InvalidInput'],
    [1.1, 'InvalidInput'],
    [Number.NaN, 'NotFinite'],
  ])('refuses %d', (p, kind) => {
    expect(binaryRows([p])).toEqual(E.left(refusal(kind)));
  });
});
