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
import { DTYPE_NAMES, type Dtype, isDtype, readNumbers, sizeOf, writeNumbers } from './dtypes.js';
import { strictJson } from './json.js';

/** The longest header, in bytes, as in the reference implementation. */
const LONGEST_HEADER = 100_000_000;
/** The bytes before the header. */
export const PREFIX = 8;
const METADATA = '__metadata__';

/** An array to be written. */
export interface NamedArray {
  readonly name: string;
  readonly shape: ReadonlyArray<number>;
  readonly values: Float64Array;
}

/** An array of a file, before its numbers are read. */
export interface Entry {
  readonly dtype: Dtype;
  readonly shape: ReadonlyArray<number>;
  /** The numbers, as a copy. */
  readonly read: () => Float64Array;
}

/** What a file holds. */
export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, Entry>;
  /** The text of the header, without its padding. */
  readonly header: string;
}

const count = (shape: ReadonlyArray<number>): number => shape.reduce((product, d) => product * d, 1);

/** The bytes of a file. All arrays have one format. */
export function writeSafetensors(
  arrays: ReadonlyArray<NamedArray>,
  metadata: Readonly<Record<string, string>>,
  dtype: Dtype,
): Uint8Array {
  const sorted = [...arrays].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  let end = 0;
  const places = sorted.map(({ name, shape, values }) => {
    const start = end;
    end += values.length * sizeOf(dtype);
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([[METADATA, metadata], ...places])));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, PREFIX, PREFIX + length);
  bytes.set(text, PREFIX);
  const payload = bytes.subarray(PREFIX + length);
  sorted.forEach(({ values }, i) => {
    const [start, stop] = (places[i] as (typeof places)[number])[1].data_offsets as [number, number];
    writeNumbers(values, dtype, payload.subarray(start, stop));
  });
  return bytes;
}

/** What a file holds, or what is wrong with it in a few words. */
export function readSafetensors(bytes: Uint8Array): E.Either<string, Safetensors> {
  if (bytes.length < PREFIX) return E.left(`${bytes.length} bytes, which is less than the length of a header`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, PREFIX).getBigUint64(0, true);
  const left = bytes.length - PREFIX;
  if (declared > BigInt(Math.min(LONGEST_HEADER, left))) {
    return E.left(`a header of ${declared} bytes in a file with ${left} bytes after its length (at most ${LONGEST_HEADER})`);
  }
  const length = Number(declared);
  const text = textOf(bytes.subarray(PREFIX, PREFIX + length));
  if (text === undefined) return E.left('a header that is not UTF-8');
  if (!text.startsWith('{')) return E.left('a header that does not begin with {');
  const json = strictJson(text);
  if (E.isLeft(json)) return E.left(`a header with ${json.left}`);
  return parsed(json.right as object, bytes.subarray(PREFIX + length), text.trimEnd());
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The place of an array in the payload. */
interface Place {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: ReadonlyArray<number>;
  readonly start: number;
  readonly end: number;
}

function parsed(json: object, payload: Uint8Array, header: string): E.Either<string, Safetensors> {
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
  if (end !== payload.length) return E.left(`arrays of ${end} bytes in a payload of ${payload.length}`);
  return E.right({
    metadata: new Map(Object.entries(metadata) as Array<[string, string]>),
    entries: new Map(
      places.map(({ name, dtype, shape, start, end: stop }) => [
        name,
        { dtype, shape, read: () => readNumbers(payload.subarray(start, stop), dtype) },
      ]),
    ),
    header,
  });
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
