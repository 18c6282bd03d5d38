/** Files that are read in parts: what is asked for, and no more, is in memory. */

import { either as E } from 'fp-ts';
import { argument, hasFields, refined } from '../codec/index.js';
import { FILE_PIECE } from '../limits.js';
import { orThrow } from '../orThrow.js';
import { notFiniteIn } from './arrays.js';
import { damaged, hashAfter, manifestOf, notSafetensors, signatureOf, unchanged } from './container.js';
import { readInto, sizeOf } from './dtypes.js';
import { BytesCodec, bytesOf } from './options.js';
import { type Entry, type Header, headerLength, type Place, PREFIX, readHeader } from './safetensors.js';
import type { FileKind } from './versions.js';

/** The bytes of a file, in any order: a file on disk, a `Blob`, a server that answers requests for ranges. They must not change. */
export interface ByteReader {
  /** The number of bytes of the whole file. */
  readonly size: number;
  /** So many bytes from a place on. The place and the number of bytes lie within the size. What it rejects with is passed on as it is. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array | ArrayBuffer>;
}

export const ReaderCodec = refined(
  'a reader: { size, read }',
  (value): value is ByteReader =>
    hasFields('size', 'read')(value) &&
    typeof (value as ByteReader).read === 'function' &&
    Number.isSafeInteger((value as ByteReader).size) &&
    (value as ByteReader).size >= 0,
);

/** A file behind a reader, whose header is sound. */
export interface Source {
  readonly places: ReadonlyArray<Place>;
  /** The hash of the file, as its header says it. */
  readonly hash: string;
  /** The manifest, not yet looked at. Throws `InvalidFile` if the file is of another kind. */
  readonly manifest: () => unknown;
  /** Reads all bytes once. Rejects with `InvalidFile` if the hash of the file is another. */
  readonly verify: () => Promise<void>;
  /** Arrays with their numbers. */
  readonly entries: (places: ReadonlyArray<Place>) => Promise<ReadonlyMap<string, Entry>>;
  /** Adds the numbers of arrays to others of the same size, a piece at a time. Rejects with `InvalidFile` for a number that is not finite. */
  readonly addTo: (sums: ReadonlyMap<string, Float64Array>) => Promise<void>;
  /** All arrays with their numbers, of bytes whose hash is right. */
  readonly verified: () => Promise<ReadonlyMap<string, Entry>>;
}

/** The bytes of a reader, exactly as many as asked for. */
async function part(reader: ByteReader, offset: number, length: number): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  const bytes = bytesOf(argument('reader.read', 'bytes', BytesCodec, await reader.read(offset, length)));
  if (bytes.length === length) return bytes;
  throw damaged(`${bytes.length} bytes at place ${offset} instead of ${length}`);
}

/** The file of a reader. Rejects with `InvalidFile` if its header is none of this kind of file. */
export async function sourceOf(kind: FileKind, reader: ByteReader): Promise<Source> {
  const sound = <A>(found: E.Either<string, A>): A => orThrow(E.mapLeft((words: string) => notSafetensors(kind, words))(found));
  const prefix = await part(reader, 0, Math.min(PREFIX, reader.size));
  const head = await part(reader, 0, PREFIX + sound(headerLength(prefix, reader.size)));
  const payload = reader.size - head.length;
  const header: Header = sound(readHeader(head.subarray(PREFIX), payload));
  const digits = orThrow(signatureOf(kind, header));

  async function* pieces(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; at += FILE_PIECE) yield await part(reader, head.length + at, Math.min(FILE_PIECE, end - at));
  }
  async function entryOf({ dtype, shape, start, end }: Place, seen: (piece: Uint8Array) => void): Promise<Entry> {
    const values = new Float64Array((end - start) / sizeOf(dtype));
    let at = 0;
    for await (const piece of pieces(start, end)) {
      seen(piece);
      const next = at + piece.length / sizeOf(dtype);
      readInto(values.subarray(at, next), piece, dtype);
      at = next;
    }
    return { dtype, shape, read: () => values };
  }
  async function entries(places: ReadonlyArray<Place>, seen: (piece: Uint8Array) => void = () => {}) {
    const found = new Map<string, Entry>();
    for (const place of places) found.set(place.name, await entryOf(place, seen));
    return found;
  }
  async function addTo({ name, dtype, start, end }: Place, sum: Float64Array): Promise<void> {
    const numbers = new Float64Array(Math.min(FILE_PIECE, end - start) / sizeOf(dtype));
    let at = 0;
    for await (const piece of pieces(start, end)) {
      const own = numbers.subarray(0, piece.length / sizeOf(dtype));
      readInto(own, piece, dtype);
      for (let i = 0; i < own.length; i++) {
        const v = own[i] as number;
        if (!Number.isFinite(v)) throw notFiniteIn(name);
        sum[at + i] = (sum[at + i] as number) + v;
      }
      at += own.length;
    }
  }
  return {
    places: header.places,
    hash: digits,
    manifest: () => orThrow(manifestOf(kind, header)),
    verify: async () => {
      const hash = hashAfter(head);
      for await (const piece of pieces(0, payload)) hash.update(piece);
      orThrow(unchanged(digits, hash.digits()));
    },
    entries: (places) => entries(places),
    addTo: async (sums) => {
      for (const place of header.places) {
        const sum = sums.get(place.name);
        if (sum !== undefined) await addTo(place, sum);
      }
    },
    verified: async () => {
      const hash = hashAfter(head);
      const found = await entries(header.places, (piece) => hash.update(piece));
      orThrow(unchanged(digits, hash.digits()));
      return found;
    },
  };
}
