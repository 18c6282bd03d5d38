/** Labels as users write them: their shapes, their range, and the targets that they stand for. */
import * as tf from '@tensorflow/tfjs';
import {
  bernoulli,
  categorical,
  customLikelihood,
  gaussian,
  heteroscedastic,
  type OutputLikelihood,
  poisson,
} from 'tfjs-laplace';
import { likelihoodOps } from '../../src/likelihood/index.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';

const rows = (cols: number, ...values: number[]): tf.Tensor => tf.tensor2d(values, [values.length / cols, cols]);

const SMOOTHED = [0.125, 0.125, 0.625, 0.125, 0.625, 0.125, 0.125, 0.125];

const OWN = customLikelihood({
  name: 'own',
  nll: (f) => tf.sum(f, 1),
  hessianRoot: (f) => tf.expandDims(f, 0),
  labelShapeFits: (shape) => shape.length === 1,
  labelsInRange: (y) => tf.cast(tf.all(tf.less(y, 9)), 'float32'),
});

it.each<[string, OutputLikelihood, number, () => tf.Tensor, number[]]>([
  ['class numbers', categorical(), 3, () => tf.tensor1d([2, 0], 'int32'), [0, 0, 1, 1, 0, 0]],
  ['class numbers as floats', categorical(), 3, () => tf.tensor1d([2, 0]), [0, 0, 1, 1, 0, 0]],
  ['a column of class numbers', categorical(), 3, () => tf.tensor2d([2, 0], [2, 1], 'int32'), [0, 0, 1, 1, 0, 0]],
  ['one-hot rows', categorical(), 3, () => tf.tensor2d([0, 0, 1, 1, 0, 0], [2, 3], 'int32'), [0, 0, 1, 1, 0, 0]],
  ['probabilities', categorical(), 2, () => rows(2, 0.25, 0.75, 1, 0), [0.25, 0.75, 1, 0]],
  ['binary labels', bernoulli(), 1, () => tf.tensor1d([1, 0]), [1, 0]],
  ['binary labels as booleans', bernoulli(), 1, () => tf.tensor1d([true, false], 'bool'), [1, 0]],
  ['many labels', bernoulli(), 2, () => rows(2, 1, 0, 0, 0.5), [1, 0, 0, 0.5]],
  ['one output', gaussian(), 1, () => tf.tensor1d([-3, 2]), [-3, 2]],
  ['many outputs', gaussian(), 2, () => rows(2, 1, 2, 3, -4), [1, 2, 3, -4]],
  ['smoothed classes', categorical({ labelSmoothing: 0.5 }), 4, () => tf.tensor1d([2, 0], 'int32'), SMOOTHED],
  ['smoothed bits', bernoulli({ labelSmoothing: 0.5 }), 1, () => tf.tensor1d([1, 0]), [0.75, 0.25]],
  ['a number for a mean and a log-variance', heteroscedastic(), 2, () => tf.tensor1d([-3, 2]), [-3, 2]],
  ['numbers for means and log-variances', heteroscedastic(), 4, () => rows(2, 1, 2, 3, -4), [1, 2, 3, -4]],
  ['counts', poisson(), 1, () => tf.tensor1d([0, 7], 'int32'), [0, 7]],
  ["a likelihood of one's own", OWN, 3, () => tf.tensor1d([0, 7], 'int32'), [0, 7]],
])('makes targets of %s', (_, likelihood, C, make, expected) => {
  const ops = likelihoodOps(likelihood, C);
  const labels = make();
  expect(ops.labelShapeFits(labels.shape, 2, C)).toBe(true);
  expect(ops.labelsInRange(labels, C).dataSync()[0]).toBe(1);
  const targets = ops.targets(labels, C);
  expect([targets.shape, targets.dtype]).toEqual([[2, expected.length / 2], 'float32']);
  expect(relativeError(targets, expected)).toBeLessThan(FLOAT32);
});

it.each<[string, OutputLikelihood, number, () => tf.Tensor, boolean]>([
  ['a class beyond the last', categorical(), 3, () => tf.tensor1d([0, 3]), false],
  ['a negative class', categorical(), 3, () => tf.tensor1d([0, -1]), false],
  ['half a class', categorical(), 3, () => tf.tensor1d([0, 0.5]), false],
  ['rows that add up to 2', categorical(), 3, () => rows(3, 1, 1, 0), false],
  ['a negative probability', categorical(), 3, () => rows(3, 1.5, -0.5, 0), false],
  ['a label above 1', bernoulli(), 2, () => rows(2, 0, 2), false],
  ['a label below 0', bernoulli(), 2, () => rows(2, 0, -0.5), false],
  ['a negative count', poisson(), 2, () => rows(2, 0, -1), false],
  ['half a count', poisson(), 2, () => rows(2, 0, 0.5), false],
  ["a label that one's own likelihood refuses", OWN, 2, () => tf.tensor1d([10]), false],
  ['any number of a regression with noise', heteroscedastic(), 2, () => rows(1, -1e6, 1e6), true],
  ['any number of a regression', gaussian(), 2, () => rows(2, -1e6, 1e6), true],
])('knows the range: %s', (_, likelihood, C, make, expected) => {
  expect(likelihoodOps(likelihood, C).labelsInRange(make(), C).dataSync()[0]).toBe(expected ? 1 : 0);
});

it.each<[string, OutputLikelihood, number[], number]>([
  ['one-hot rows of other classes', categorical(), [4, 2], 3],
  ['class numbers of another batch', categorical(), [5], 3],
  ['class numbers of sequences', categorical(), [4, 1, 3], 3],
  ['flat labels for many', bernoulli(), [4], 3],
  ['many labels of another number', bernoulli(), [4, 2], 3],
  ['a label for each output of heteroscedastic', heteroscedastic(), [4, 2], 2],
  ["a shape that one's own likelihood refuses", OWN, [4, 2], 2],
  ['a regression of other outputs', gaussian(), [4, 3], 2],
])('refuses the shape of %s', (_, likelihood, shape, C) => {
  expect(likelihoodOps(likelihood, C).labelShapeFits(shape, 4, C)).toBe(false);
});
