import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import { digitsOf, testSet } from '../../../recipes/mnist/data.js';
import { image, PIXELS, SIDE, slice, tensors } from '../../../recipes/mnist/digits.js';
import { readIdx } from '../../../recipes/mnist/idx.js';

/** A file of unsigned bytes. */
function file(shape: ReadonlyArray<number>, values: ReadonlyArray<number>, magic = 0x0800 | shape.length): Uint8Array {
  const bytes = new Uint8Array(4 * (1 + shape.length) + values.length);
  const view = new DataView(bytes.buffer);
  [magic, ...shape].forEach((v, i) => void view.setUint32(4 * i, v));
  bytes.set(values, 4 * (1 + shape.length));
  return bytes;
}

const zeros = (n: number) => new Array<number>(n).fill(0);

describe('an idx file', () => {
  it('is read back as it was written, wherever it lies in memory', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 3, maxLength: 3 })),
        fc.nat(9),
        (rows, offset) => {
          const bytes = file([rows.length, 3], rows.flat());
          const moved = new Uint8Array(bytes.length + offset);
          moved.set(bytes, offset);
          const read = readIdx(moved.subarray(offset), 2);
          expect(read).toEqual(E.right({ shape: [rows.length, 3], values: Uint8Array.from(rows.flat()) }));
        },
      ),
    );
  });

  it.each([
    ['too short', file([2], [1, 2]).subarray(0, 5), 1, 'too few for a header'],
    ['of floats', file([2], [1, 2], 0x0d01), 1, 'magic number is 3329, expected 2049'],
    ['of other dimensions', file([8], zeros(8)), 3, 'expected 2051'],
    ['cut', file([3, 2], [1, 2, 3, 4, 5]), 2, '5 values, expected 3 x 2 = 6'],
    ['too long', file([2], [1, 2, 3]), 1, '3 values, expected 2 = 2'],
  ])('is refused when %s', (_, bytes, dimensions, message) => {
    const read = readIdx(bytes, dimensions);
    expect(E.isLeft(read) && read.left).toContain(message);
  });
});

describe('digits', () => {
  const images = file([2, SIDE, SIDE], zeros(2 * PIXELS));

  it.each([
    ['other sizes', file([2, 4, 4], zeros(32)), file([2], [1, 2]), 'images: they are 4 x 4, expected 28 x 28'],
    ['too few labels', images, file([1], [1]), 'labels: there are 1 for 2 images'],
    ['a label that is no digit', images, file([2], [1, 10]), 'labels: one is 10'],
    ['a damaged file', images, file([2], [1]), 'labels: it holds 1 values'],
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
