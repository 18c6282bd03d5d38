/**
 * The file format of numpy (`numpy.lib.format`, versions 1 to 3): `\x93NUMPY`, two bytes of the version, the length of the header in 2 bytes
 * (version 1) or 4, and the header, a dictionary of Python with the type, the order and the shape. After it come the values.
 */
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from 'tfjs-laplace';
import { argument } from 'tfjs-laplace/extend';
import { Bytes, ELEMENTS, type ElementName, elements, sizeOf } from './elements.js';
import { invalidFile } from './failure.js';
import type { FileNumbers, NumberArray } from './types.js';

const MAGIC = [0x93, ...new TextEncoder().encode('NUMPY')];

/** Whether bytes begin as files of numpy do. */
export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/** What a header says. */
interface Header {
  readonly element: ElementName;
  readonly little: boolean;
  readonly fortran: boolean;
  readonly shape: ReadonlyArray<number>;
}

/** What was found, and what was expected. */
type Wrong = readonly [found: string, expected: string];

/**
 * Reads an array of numpy: real numbers, integers or truth values, in either order of bytes and of dimensions.
 *
 * @param bytes the whole file, unzipped. The array may share their memory.
 * @param name what the file is called in errors
 * @returns the array, row-major; or `InvalidFile` for bytes that are no such file, that are cut or too long, that hold objects, text, dates,
 *   complex numbers or fields, or an integer that no float64 equals
 * @throws LaplaceError `InvalidOption` for what is no `Uint8Array`
 *
 * @example
 * ```ts
 * import { orThrow } from 'tfjs-laplace';
 * import { decodeNpy } from 'tfjs-laplace/plugins/data-files';
 *
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3), }\n";
 * const file = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.of(header.length, 0), Buffer.from(header), Buffer.of(7, 8, 9)]);
 * const { shape, data } = orThrow(decodeNpy(file));
 * [shape, [...data]]; // => [[1, 3], [7, 8, 9]]
 * ```
 */
export const decodeNpy = (bytes: Uint8Array, name = 'The file'): E.Either<LaplaceError, NumberArray> =>
  F.pipe(
    parts(argument('decodeNpy', 'bytes', Bytes, bytes)),
    E.chain(({ text, values }) =>
      F.pipe(
        headerOf(text),
        E.chain((header) => arrayOf(header, values)),
      ),
    ),
    E.mapLeft(([found, expected]) => invalidFile(name, 'NPY', found, expected)),
  );

/** The header as text, and the bytes of the values. Lengths are checked before anything is read. */
function parts(bytes: Uint8Array): E.Either<Wrong, { readonly text: string; readonly values: Uint8Array }> {
  if (!isNpy(bytes)) return E.left(['other first bytes', "'\\x93NUMPY'"]);
  const version = bytes[MAGIC.length];
  if (version === undefined || version < 1 || version > 3) return E.left([`version ${version ?? 'none'}`, 'version 1, 2 or 3']);
  const [at, width] = [MAGIC.length + 2, version === 1 ? 2 : 4];
  const start = at + width;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length =
    bytes.byteLength < start ? Number.POSITIVE_INFINITY : width === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
  if (start + length > bytes.byteLength) return E.left([`${bytes.byteLength} bytes`, 'a whole header']);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(start, start + length));
  return E.right({ text, values: bytes.subarray(start + length) });
}

/** What the types that are refused are called, by numpy's letter. */
const REFUSED: Readonly<Record<string, string>> = {
  O: 'Python objects',
  c: 'complex numbers',
  U: 'text',
  S: 'text',
  a: 'text',
  M: 'dates',
  m: 'spans of time',
  V: 'raw bytes or fields',
  f: 'long doubles',
};

function headerOf(text: string): E.Either<Wrong, Header> {
  if (/'descr':\s*\[/.test(text)) return E.left(['an array with fields', 'numbers']);
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)\b/.exec(text)?.[1];
  const shape = shapeIn(text);
  if (descr === undefined || order === undefined || shape === undefined || !/^\{.*\}\s*$/s.test(text)) {
    return E.left(['a header that is damaged', "a dictionary with 'descr', 'fortran_order' and 'shape'"]);
  }
  const [, sign = '', kind = '', size = ''] = /^([<>|=]?)([a-zA-Z])(.*)$/.exec(descr) ?? [];
  const element = `${kind}${size}`;
  if (Object.hasOwn(ELEMENTS, element)) {
    return E.right({ element: element as ElementName, little: sign !== '>', fortran: order === 'True', shape });
  }
  return E.left([`${REFUSED[kind] ?? 'an unknown type'} ('${descr}')`, 'real numbers, integers or truth values']);
}

/** The shape as Python writes it: `()`, `(3,)`, `(3, 4)`. Undefined if it is written in another way. */
function shapeIn(text: string): ReadonlyArray<number> | undefined {
  const sizes = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]?.trim();
  if (sizes === undefined || !/^(|\d+\s*,|\d+(\s*,\s*\d+)+\s*,?)$/.test(sizes)) return undefined;
  return sizes.split(',').filter(Boolean).map(Number);
}

function arrayOf({ element, little, fortran, shape }: Header, values: Uint8Array): E.Either<Wrong, NumberArray> {
  const expected = sizeOf(shape) * ELEMENTS[element].bytes;
  if (values.byteLength !== expected) {
    return E.left([`${values.byteLength} bytes of values`, `${expected} for the shape [${shape.join(', ')}]`]);
  }
  return F.pipe(
    elements(values, element, little),
    E.bimap(
      (found): Wrong => [found, 'integers up to 2^53'],
      (data) => ({ shape, data: fortran ? rowMajor(data, shape) : data }),
    ),
  );
}

/** The numbers row by row, out of those of Fortran's order, in which the first index runs fastest. */
function rowMajor(data: FileNumbers, shape: ReadonlyArray<number>): FileNumbers {
  const strides = shape.map((_, d) => sizeOf(shape.slice(0, d)));
  const index = shape.map(() => 0);
  const rows = data.slice();
  for (let i = 0, from = 0; i < rows.length; i++) {
    rows[i] = data[from] as number;
    // The last index runs fastest. One that is at its end starts again, and the one before it goes on.
    for (let d = shape.length - 1; d >= 0; d--) {
      const [size, stride, own] = [shape[d] as number, strides[d] as number, (index[d] as number) + 1];
      index[d] = own < size ? own : 0;
      from += own < size ? stride : -stride * (size - 1);
      if (own < size) break;
    }
  }
  return rows;
}
