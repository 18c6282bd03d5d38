/**
 * The file format of MNIST (LeCun, Cortes & Burges 1998). The header is a sequence of big-endian 32-bit numbers: a magic number, which
 * holds the type of the values and the number of dimensions, then the size of each dimension. After it come the values, big-endian too.
 */
import { either as E } from 'fp-ts';
import type { LaplaceError } from 'tfjs-laplace';
import { argument } from 'tfjs-laplace/extend';
import { Bytes, ELEMENTS, type ElementName, elements, sizeOf } from './elements.js';
import { invalidFile } from './failure.js';
import type { NumberArray } from './types.js';

/** The types of values by the third byte of the magic number. */
const TYPES: Readonly<Record<number, ElementName>> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };

/** Whether bytes begin with a magic number of this format. */
export const isIdx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0 && bytes[1] === 0 && bytes[2] !== undefined && bytes[2] in TYPES && bytes[3] !== undefined && bytes[3] > 0;

/**
 * Reads an array of MNIST's file format, with any of its six types.
 *
 * @param bytes the whole file, unzipped. The array may share their memory.
 * @param name what the file is called in errors
 * @returns the array, or `InvalidFile` for bytes that are no such file, or that are cut or too long
 * @throws LaplaceError `InvalidOption` for what is no `Uint8Array`
 *
 * @example
 * ```ts
 * import { orThrow } from 'tfjs-laplace';
 * import { decodeIdx } from 'tfjs-laplace/plugins/data-files';
 *
 * const { shape, data } = orThrow(decodeIdx(Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9)));
 * [shape, [...data]]; // => [[1, 3], [7, 8, 9]]
 * ```
 */
export function decodeIdx(bytes: Uint8Array, name = 'The file'): E.Either<LaplaceError, NumberArray> {
  argument('decodeIdx', 'bytes', Bytes, bytes);
  const wrong = (found: string, expected: string) => invalidFile(name, 'IDX', found, expected);
  if (!isIdx(bytes))
    return E.left(wrong(`the first bytes ${bytes.subarray(0, 4).join(', ')}`, '0, 0, a type of values, and how many dimensions'));
  const [, , type = 0, dimensions = 0] = bytes;
  const header = 4 * (1 + dimensions);
  if (bytes.byteLength < header) return E.left(wrong(`${bytes.byteLength} bytes`, `a header of ${header} bytes`));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, d) => view.getUint32(4 * (d + 1)));
  const element = TYPES[type] as ElementName;
  const expected = sizeOf(shape) * ELEMENTS[element].bytes;
  const values = bytes.subarray(header);
  if (values.byteLength !== expected) {
    return E.left(wrong(`${values.byteLength} bytes of values`, `${expected} for the shape [${shape.join(', ')}]`));
  }
  return E.map((data: NumberArray['data']) => ({ shape, data }))(
    E.mapLeft((found: string) => wrong(found, 'numbers'))(elements(values, element, false)),
  );
}
