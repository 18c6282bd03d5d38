/**
 * The file format of MNIST (LeCun, Cortes & Burges 1998): big-endian 32-bit numbers (a magic number that holds the kind of values
 * and the number of dimensions, then each dimension), and one byte a value.
 */
import { either as E } from 'fp-ts';

/** Unsigned bytes in as many dimensions. */
export interface Idx {
  readonly shape: ReadonlyArray<number>;
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/** Reads a file of unsigned bytes with so many dimensions, or says what is wrong with it. */
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
