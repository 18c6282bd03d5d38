import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import { digitsOf, testSet } from '../../../recipes/mnist/data.js';
import { image, PIXELS, SIDE, slice, tensors } from '../../../recipes/mnist/digits.js';
import { idx } from '../../support/idx.js';

const zeros = (n: number) => new Array<number>(n).fill(0);

describe('digits', () => {
  const images = idx([2, SIDE, SIDE], zeros(2 * PIXELS));

  it.each([
    ['other sizes', idx([2, 4, 4], zeros(32)), idx([2], [1, 2]), 'images: they are 4 x 4, expected 28 x 28'],
    ['too few labels', images, idx([1], [1]), 'labels: there are 1 for 2 images'],
    ['a label that is no digit', images, idx([2], [1, 10]), 'labels: one is 10'],
    ['a damaged file', images, idx([2], [1]), 'labels cannot be read as IDX: found 1 bytes of values'],
    ['labels of two dimensions', images, idx([2, 1], [1, 1]), 'labels: they are no bytes of 1 dimensions'],
    ['labels of another type', images, idx([2], [1, 1], 12), 'labels: they are no bytes'],
  ])('are refused with %s', (_, own, labels, message) => {
    const digits = digitsOf(own, labels);
    expect(E.isLeft(digits) && digits.left).toContain(message);
  });

  it('of the test set are 10,000, the first a 7', () => {
    const { count, labels, pixels } = testSet();
    expect([count, labels.length, pixels.length]).toEqual([10_000, 10_000, 10_000 * PIXELS]);
    expect([...labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });

  it('become tensors in the order that is asked for, in [0, 1]', () => {
    const test = testSet();
    const { x, y } = tensors(test, [3, 0]);
    expect(x.arraySync()[1]).toEqual([...image(test, 0)]);
    expect(Math.max(...image(test, 0))).toBeLessThanOrEqual(1);
    expect(Math.max(...image(test, 0))).toBeGreaterThan(0.9);
    expect(tf.argMax(y, 1).arraySync()).toEqual([0, 7]);
    expect(tf.sum(y, 1).arraySync()).toEqual([1, 1]);
    expect([...image(slice(test, 3, 4), 0)]).toEqual([...image(test, 3)]);
    x.dispose();
    y.dispose();
  });
});
