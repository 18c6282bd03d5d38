/**
 * The safetensors container (Hugging Face): named arrays of numbers, which readers in many languages know.
 *
 *   8 bytes      the length of the header, little-endian
 *   header       JSON, padded with spaces to a multiple of 8: { "__metadata__": { …strings }, "name": { dtype, shape, data_offsets }, … }
 *   payload      the arrays one after another, without holes: the widest formats first, and by name among equals
 *
 * Files come from anywhere, so everything is checked before anything is allocated.
 */
import { either as E } from 'fp-ts';
import { DTYPE_NAMES, type Dtype, isDtype, readNumbers, sizeOf } from './dtypes.js';
import { strictJson } from './json.js';

/** The longest header, in bytes, as in the reference implementation. */
const LONGEST_HEADER = 100_000_000;
/** The bytes before the header. */
export const PREFIX = 8;
const METADATA = '__metadata__';

/** The name and the shape of an array. */
export interface Shaped {
  readonly name: string;
  readonly shape: ReadonlyArray<number>;
}

/** An array to be written. */
export interface NamedArray extends Shaped {
  readonly values: Float64Array;
}

/** An array of a file, before its numbers are read. */
export interface Entry {
  readonly dtype: Dtype;
  readonly shape: ReadonlyArray<number>;
  /** The numbers, as a copy. */
  readonly read: () => Float64Array;
}

/** The place of an array in the payload, in bytes. */
export interface Place extends Shaped {
  readonly dtype: Dtype;
  readonly start: number;
  readonly end: number;
}

/** What the header of a file says. */
export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** The arrays, in the order in which they lie in the payload. */
  readonly places: ReadonlyArray<Place>;
  /** The text of the header, without its padding. */
  readonly text: string;
}

/** What a file holds. */
export interface Safetensors extends Header {
  readonly entries: ReadonlyMap<string, Entry>;
}

const count = (shape: ReadonlyArray<number>): number => shape.reduce((product, d) => product * d, 1);

/** Arrays of one format, in the order in which they lie in a file. */
export const inOrder = <A extends Shaped>(arrays: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...arrays].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** What comes before the payload of a file whose arrays all have one format, and the size of the whole file in bytes. */
export function headOf(
  arrays: ReadonlyArray<Shaped>,
  metadata: Readonly<Record<string, string>>,
  dtype: Dtype,
): { readonly head: Uint8Array; readonly size: number } {
  let end = 0;
  const places = inOrder(arrays).map(({ name, shape }) => {
    const start = end;
    end += count(shape) * sizeOf(dtype);
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([[METADATA, metadata], ...places])));
  const length = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(PREFIX + length).fill(0x20, PREFIX);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(text, PREFIX);
  return { head, size: head.length + end };
}

/** What a file holds, or what is wrong with it in a few words. */
export function readSafetensors(bytes: Uint8Array): E.Either<string, Safetensors> {
  const length = headerLength(bytes.subarray(0, PREFIX), bytes.length);
  if (E.isLeft(length)) return length;
  const payload = bytes.subarray(PREFIX + length.right);
  return E.map((header: Header) => ({
    ...header,
    entries: new Map(
      header.places.map(({ name, dtype, shape, start, end }) => [
        name,
        { dtype, shape, read: () => readNumbers(payload.subarray(start, end), dtype) },
      ]),
    ),
  }))(readHeader(bytes.subarray(PREFIX, PREFIX + length.right), payload.length));
}

/**
 * The length of the header, or what is wrong with it.
 *
 * @param prefix the first bytes of the file
 * @param size the number of bytes of the whole file
 */
export function headerLength(prefix: Uint8Array, size: number): E.Either<string, number> {
  if (prefix.length < PREFIX) return E.left(`${size} bytes, which is less than the length of a header`);
  const declared = new DataView(prefix.buffer, prefix.byteOffset, PREFIX).getBigUint64(0, true);
  const left = size - PREFIX;
  if (declared <= BigInt(Math.min(LONGEST_HEADER, left))) return E.right(Number(declared));
  return E.left(`a header of ${declared} bytes in a file with ${left} bytes after its length (at most ${LONGEST_HEADER})`);
}

/** What a header says, before a payload of so many bytes, or what is wrong with it. */
export function readHeader(bytes: Uint8Array, payload: number): E.Either<string, Header> {
  const text = textOf(bytes);
  if (text === undefined) return E.left('a header that is not UTF-8');
  if (!text.startsWith('{')) return E.left('a header that does not begin with {');
  const json = strictJson(text);
  if (E.isLeft(json)) return E.left(`a header with ${json.left}`);
  return parsed(json.right as object, payload, text.trimEnd());
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parsed(json: object, payload: number, text: string): E.Either<string, Header> {
  const fields = Object.entries(json);
  const metadata = fields.find(([name]) => name === METADATA)?.[1] ?? {};
  if (!isPlain(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    return E.left(`${METADATA} that is not an object of strings`);
  }
  const places: Place[] = [];
  for (const [name, value] of fields) {
    if (name === METADATA) continue;
    const place = placeOf(name, value);
    if (typeof place === 'string') return E.left(`array ${JSON.stringify(name)}: ${place}`);
    places.push(place);
  }
  // Arrays without numbers may begin where another one does.
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const place of places) {
    if (place.start !== end) return E.left(`array ${JSON.stringify(place.name)} at byte ${place.start}, where ${end} was due`);
    end = place.end;
  }
  if (end !== payload) return E.left(`arrays of ${end} bytes in a payload of ${payload}`);
  return E.right({ metadata: new Map(Object.entries(metadata) as Array<[string, string]>), places, text });
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const KEYS = ['data_offsets', 'dtype', 'shape'];

/** The place of an array, or what is wrong with it in a few words. */
function placeOf(name: string, value: unknown): Place | string {
  if (!isPlain(value) || Object.keys(value).sort().join() !== KEYS.join()) return `fields other than ${KEYS.join(', ')}`;
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) return `the format ${JSON.stringify(dtype)}, which is none of ${DTYPE_NAMES.join(', ')}`;
  if (!Array.isArray(shape) || !shape.every(isSize)) return 'a shape that is no list of sizes';
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) return 'data_offsets that are no two places';
  const [start, end] = offsets as [number, number];
  const bytes = count(shape) * sizeOf(dtype);
  if (!Number.isSafeInteger(bytes) || end - start !== bytes) {
    return `${end - start} bytes for the shape [${shape.join(', ')}] in ${dtype}, which takes ${bytes}`;
  }
  return { name, dtype, shape, start, end };
}
