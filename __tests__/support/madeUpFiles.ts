/** Bytes that are no files of this library, for tests of what is refused. */

/** A safetensors file with this header, and so many bytes behind it. */
export function fileOf(header: string | Uint8Array, payload = 0, declared?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + payload);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

export const entry = (more: object) => JSON.stringify({ a: { dtype: 'F64', shape: [1], data_offsets: [0, 8], ...more } });
const two = (first: [number, number], second: [number, number]) =>
  JSON.stringify({
    a: { dtype: 'F64', shape: [1], data_offsets: first },
    b: { dtype: 'F64', shape: [1], data_offsets: second },
  });

/** Bytes that are no sound safetensors file, and what is wrong with them. */
export const MADE_UP: ReadonlyArray<readonly [words: string, bytes: Uint8Array]> = [
  ['no bytes', new Uint8Array(0)],
  ['half a length', new Uint8Array(4)],
  ['a header longer than the file', fileOf('{}', 0, 3n)],
  ['a header of 2⁶³ bytes', fileOf('{}', 0, 2n ** 63n)],
  ['a header of 2³² + 2 bytes', fileOf('{}', 0, 2n ** 32n + 2n)],
  ['a header of more than 100 MB', fileOf('{}', 0, 100_000_001n)],
  ['a header that is not UTF-8', fileOf(Uint8Array.of(0x7b, 0xff, 0x7d))],
  ['a header with a byte order mark', fileOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))],
  ['a header that is a list', fileOf('[]')],
  ['a header that is no JSON', fileOf('{"a":')],
  ['a key twice', fileOf('{"__metadata__":{"a":"1","a":"2"}}')],
  ['a key twice, written in two ways', fileOf('{"__metadata__":{"a":"1","\\u0061":"2"}}')],
  ['an array twice', fileOf(`${entry({}).slice(0, -1)},${entry({}).slice(1)}`, 8)],
  ['a key like a prototype, with nothing in it', fileOf('{"__proto__":{"dtype":"F64"}}')],
  ['metadata that are no strings', fileOf('{"__metadata__":{"a":1}}')],
  ['metadata that are a list', fileOf('{"__metadata__":["a"]}')],
  ['deep nesting', fileOf(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
  ['a format that does not exist', fileOf(entry({ dtype: 'F8' }), 8)],
  ['a format that is a name of every object', fileOf(entry({ dtype: 'constructor' }), 8)],
  ['a negative size', fileOf(entry({ shape: [-1] }), 8)],
  ['a fractional size', fileOf(entry({ shape: [0.5, 2] }), 8)],
  ['a size that is text', fileOf(entry({ shape: ['1'] }), 8)],
  ['sizes whose product overflows', fileOf(entry({ shape: [2 ** 40, 2 ** 40] }), 8)],
  ['sizes whose product is beyond the file', fileOf(entry({ shape: [2 ** 30], data_offsets: [0, 2 ** 33] }), 8)],
  ['offsets that do not fit the shape', fileOf(entry({ data_offsets: [0, 16] }), 16)],
  ['offsets the wrong way round', fileOf(entry({ data_offsets: [8, 0] }), 8)],
  ['negative offsets', fileOf(entry({ data_offsets: [-8, 0] }), 8)],
  ['one offset', fileOf(entry({ data_offsets: [8] }), 8)],
  ['a field too many', fileOf(entry({ more: 1 }), 8)],
  ['an array that is null', fileOf('{"a":null}')],
  ['overlapping arrays', fileOf(two([0, 8], [4, 12]), 12)],
  ['arrays in one place', fileOf(two([0, 8], [0, 8]), 8)],
  ['a hole between arrays', fileOf(two([0, 8], [16, 24]), 24)],
  ['a hole before the first array', fileOf(entry({ data_offsets: [8, 16] }), 16)],
  ['bytes behind the last array', fileOf(entry({}), 9)],
  ['too few bytes', fileOf(entry({}), 7)],
];
