/**
 * The file format of MNIST (LeCun, Cortes & Burges 1998). The header is a sequence of big-endian 32-bit numbers: a magic number,
 * which holds the type of the values and the number of dimensions, then the size of each dimension. After it comes one byte for
 * each value.
 */
import { either as E } from 'fp-ts';

/** An array of unsigned bytes, row-major. */
export interface Idx {
  readonly shape: ReadonlyArray<number>;
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads a file of unsigned bytes.
 *
 * @param bytes the whole file
 * @param dimensions how many dimensions the array must have
 * @returns the array, or a message that says what is wrong with the file
 */
export function readIdx(bytes: Uint8Array, dimensions: number): E.Either<string, Idx> {
  const header = 4 * (1 + dimensions);
  if (bytes.byteLength < header) return E.left(`it has ${bytes.byteLength} bytes, too few for a header of ${header}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = (UNSIGNED_BYTE << 8) | dimensions;
  if (magic !== expected) return E.left(`its magic number is ${magic}, expected ${expected} (${dimensions} dimensions of bytes)`);
  const shape = Array.from({ length: dimensions }, (_, d) => view.getUint32(4 * (d + 1)));
  const size = shape.reduce((a, b) => a * b, 1);
  const found = bytes.byteLength - header;
  if (found !== size) return E.left(`it holds ${found} values, expected ${shape.join(' x ')} = ${size}`);
  return E.right({ shape, values: bytes.subarray(header) });
}
