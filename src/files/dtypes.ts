/** The number formats of a file. All are little-endian. F64 is exact; the others are for transport. */

/** How a number is written in a file. */
export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16';

/** How the numbers of one format are written and read. */
interface DtypeRule {
  /** Bytes of a number. */
  readonly size: number;
  /** The least number that becomes infinite. */
  readonly beyond: number;
  readonly write: (view: DataView, at: number, value: number) => void;
  readonly read: (view: DataView, at: number) => number;
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);
const bitsOf = (value: number): number => {
  f32[0] = value;
  return u32[0] as number;
};
const ofBits = (bits: number): number => {
  u32[0] = bits;
  return f32[0] as number;
};

/**
 * A number that float32 holds, and that rounds to the same F16 or BF16 as the given one. Rounding twice would not: a number just off the
 * middle between two of them may be rounded to that middle first. The last bit of the float32 is then set, which says on which side it was.
 */
function sticky(value: number): number {
  const near = Math.fround(value);
  if (near === value || !Number.isFinite(near)) return near;
  const bits = bitsOf(near);
  // Towards zero first, and then the last bit tells that something was cut off.
  const cut = Math.abs(near) > Math.abs(value) ? bits - 1 : bits;
  return ofBits(cut | 1);
}

/** The upper half of a float32, rounded to nearest, ties to even. */
function bf16Of(value: number): number {
  const bits = bitsOf(sticky(value));
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** A float16, rounded to nearest, ties to even. Numbers from 65520 on become infinite, numbers up to 2⁻²⁵ become 0. */
function f16Of(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // The spacing of float16 around the number: 2⁻²⁴ below 2⁻¹⁴, and a 1024th of the power of two at or below it above.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const fitting = size < 2 ** exponent ? exponent - 1 : size >= 2 ** (exponent + 1) ? exponent + 1 : exponent;
  const e = Math.max(-14, fitting);
  const units = roundEven(size / 2 ** (e - 10));
  // A number of 2048 units is the next power of two: the carry goes into the exponent by itself.
  return sign | (((e + 14) << 10) + units);
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function ofF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >>> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const DTYPES: Readonly<Record<Dtype, DtypeRule>> = {
  F64: {
    size: 8,
    beyond: Number.POSITIVE_INFINITY,
    write: (view, at, value) => view.setFloat64(at, value, true),
    read: (view, at) => view.getFloat64(at, true),
  },
  F32: {
    size: 4,
    beyond: (2 - 2 ** -24) * 2 ** 127,
    write: (view, at, value) => view.setFloat32(at, value, true),
    read: (view, at) => view.getFloat32(at, true),
  },
  F16: {
    size: 2,
    beyond: 65520,
    write: (view, at, value) => view.setUint16(at, f16Of(value), true),
    read: (view, at) => ofF16(view.getUint16(at, true)),
  },
  BF16: {
    size: 2,
    beyond: (2 - 2 ** -8) * 2 ** 127,
    write: (view, at, value) => view.setUint16(at, bf16Of(value), true),
    read: (view, at) => ofBits(view.getUint16(at, true) << 16),
  },
};

/** The names of the formats, widest first. */
export const DTYPE_NAMES = Object.keys(DTYPES) as ReadonlyArray<Dtype>;

export const isDtype = (value: unknown): value is Dtype => typeof value === 'string' && Object.hasOwn(DTYPES, value);

/** Bytes of a number. */
export const sizeOf = (dtype: Dtype): number => DTYPES[dtype].size;

/** The least number that becomes infinite. */
export const beyondOf = (dtype: Dtype): number => DTYPES[dtype].beyond;

/** Whether the machine's own arrays have the byte order of files. Almost every machine's have. */
const IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Writes numbers into bytes of a file. */
function writeNumbers(values: Float64Array, dtype: Dtype, bytes: Uint8Array): void {
  if (dtype === 'F64' && IS_LITTLE) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  const { size, write } = DTYPES[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values.length; i++) write(view, i * size, values[i] as number);
}

/** The bytes of numbers in a file, which nobody changes or keeps: without a copy where the machine has them in this form already. */
export function bytesFor(values: Float64Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F64' && IS_LITTLE) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = new Uint8Array(values.length * DTYPES[dtype].size);
  writeNumbers(values, dtype, bytes);
  return bytes;
}

/** The numbers in bytes of a file, as a copy. */
export function readNumbers(bytes: Uint8Array, dtype: Dtype): Float64Array {
  const values = new Float64Array(bytes.byteLength / DTYPES[dtype].size);
  readInto(values, bytes, dtype);
  return values;
}

/** Writes the numbers in bytes of a file over as many values. */
export function readInto(values: Float64Array, bytes: Uint8Array, dtype: Dtype): void {
  if (dtype === 'F64' && IS_LITTLE) {
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes);
    return;
  }
  const { size, read } = DTYPES[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * size);
}
