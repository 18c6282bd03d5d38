/**
 * Numbers as bytes. Where the machine can, they are looked at in their place: the array that comes out shares the memory of the bytes.
 * Otherwise they are copied, one by one.
 */
import { either as E } from 'fp-ts';
import { refined } from 'tfjs-laplace/extend';
import type { FileNumbers } from './types.js';

/** A kind of number in a file: how many bytes each has, and how an array of them is made. */
interface Element {
  readonly bytes: number;
  /** Makes an array that a copy goes into, or that lies over a buffer. */
  readonly array: {
    new (length: number): FileNumbers;
    new (buffer: ArrayBufferLike, byteOffset: number, length: number): FileNumbers;
  };
  readonly get: (view: DataView, at: number, little: boolean) => number;
  /** Whether the array has the numbers in the file's own form. */
  readonly same: boolean;
}

/** The types by numpy's names: the kind of number, and how many bytes it has. */
export const ELEMENTS = {
  b1: { bytes: 1, array: Uint8Array, get: (view, at) => Math.sign(view.getUint8(at)), same: false },
  u1: { bytes: 1, array: Uint8Array, get: (view, at) => view.getUint8(at), same: true },
  i1: { bytes: 1, array: Int8Array, get: (view, at) => view.getInt8(at), same: true },
  u2: { bytes: 2, array: Uint16Array, get: (view, at, little) => view.getUint16(at, little), same: true },
  i2: { bytes: 2, array: Int16Array, get: (view, at, little) => view.getInt16(at, little), same: true },
  u4: { bytes: 4, array: Uint32Array, get: (view, at, little) => view.getUint32(at, little), same: true },
  i4: { bytes: 4, array: Int32Array, get: (view, at, little) => view.getInt32(at, little), same: true },
  u8: { bytes: 8, array: Float64Array, get: (view, at, little) => exact(view.getBigUint64(at, little)), same: false },
  i8: { bytes: 8, array: Float64Array, get: (view, at, little) => exact(view.getBigInt64(at, little)), same: false },
  f2: { bytes: 2, array: Float32Array, get: (view, at, little) => half(view.getUint16(at, little)), same: false },
  f4: { bytes: 4, array: Float32Array, get: (view, at, little) => view.getFloat32(at, little), same: true },
  f8: { bytes: 8, array: Float64Array, get: (view, at, little) => view.getFloat64(at, little), same: true },
} as const satisfies Readonly<Record<string, Element>>;

export type ElementName = keyof typeof ELEMENTS;

/** The order of bytes of this machine. */
const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The numbers of bytes that hold nothing else.
 *
 * @returns the numbers, or a message that names an integer that JavaScript's numbers do not hold
 */
export function elements(bytes: Uint8Array, name: ElementName, little: boolean): E.Either<string, FileNumbers> {
  const { bytes: size, array, get, same }: Element = ELEMENTS[name];
  const count = bytes.byteLength / size;
  if (same && (little === LITTLE || size === 1) && bytes.byteOffset % size === 0) {
    return E.right(new array(bytes.buffer, bytes.byteOffset, count));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new array(count);
  for (let i = 0; i < count; i++) {
    const value = get(view, i * size, little);
    if (Number.isNaN(value) && size === 8 && !name.startsWith('f')) return E.left(tooLarge(view, i * size, little, name));
    data[i] = value;
  }
  return E.right(data);
}

/** An integer as a number, or NaN where it has none. */
export function exact(value: bigint): number {
  const number = Number(value);
  return BigInt(number) === value ? number : Number.NaN;
}

function tooLarge(view: DataView, at: number, little: boolean, name: ElementName): string {
  const value = name === 'u8' ? view.getBigUint64(at, little) : view.getBigInt64(at, little);
  return `the integer ${value}, which no float64 equals`;
}

/** A number of 16 bits: the sign, 5 bits of an exponent, 10 bits of a fraction (IEEE 754). */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The product of the sizes: how many numbers an array of this shape has. */
export const sizeOf = (shape: ReadonlyArray<number>): number => shape.reduce((product, size) => product * size, 1);

/** The bytes of a file. Buffers of Node are such arrays. */
export const Bytes = refined('a Uint8Array', (value): value is Uint8Array => value instanceof Uint8Array);
