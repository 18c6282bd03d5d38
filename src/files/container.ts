/**
 * A file of this library: a safetensors file whose metadata say what it is. Any reader of safetensors can read its arrays.
 *
 * | metadata | |
 * |---|---|
 * | `format` | `tfjs-laplace` |
 * | `format_version` | a whole number, see `versions.ts` |
 * | `kind` | `posterior` or `factors` |
 * | `library_version` | of the library that wrote the file |
 * | `manifest` | everything that is no array, as JSON |
 * | `sha256` | SHA-256 of the whole file, in which these 64 digits are zeros; the first entry, so that it has its place |
 *
 * The hash finds damage. It does not say who wrote the file.
 */
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { LIBRARY_VERSION } from '../version.js';
import type { Dtype } from './dtypes.js';
import { strictJson } from './json.js';
import { joined, type Pieces, type PlacedPieces, viewsOfArray } from './pieces.js';
import {
  type Entry,
  type Header,
  headOf,
  inOrder,
  type NamedArray,
  PREFIX,
  readSafetensors,
  type Shaped,
} from './safetensors.js';
import { type Hash, sha256 } from './sha256.js';
import { type FileKind, migrated, VERSION } from './versions.js';

const FORMAT = 'tfjs-laplace';
const ZEROS = '0'.repeat(64);
const DIGITS = /^[0-9a-f]{64}$/;

/** A file that is sound: what it says that it holds, not yet looked at. */
export interface Contents {
  readonly manifest: unknown;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** How every header begins, up to the digits of the hash. */
const BEGINNING = '{"__metadata__":{"sha256":"';
const PLACE = PREFIX + BEGINNING.length;

/** The hash of a file that begins with these bytes, with zeros for its digits. What follows them is still to come. */
export const hashAfter = (head: Uint8Array): Hash =>
  sha256()
    .update(head.subarray(0, PLACE))
    .update(new TextEncoder().encode(ZEROS))
    .update(head.subarray(PLACE + ZEROS.length));

/** Lets no number through that JSON would turn into null. */
function finiteOnly(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw laplaceError('NotFinite', {
    what: `The field ${key} cannot be written`,
    field: key,
    found: String(value),
    expected: 'a finite number',
  });
}

/** The beginning of a file without its hash, and the size of the whole. `manifest` is data for JSON. */
function unsealed(kind: FileKind, manifest: object, arrays: ReadonlyArray<Shaped>, dtype: Dtype) {
  const metadata = {
    sha256: ZEROS,
    format: FORMAT,
    format_version: String(VERSION),
    kind,
    library_version: LIBRARY_VERSION,
    manifest: JSON.stringify(manifest, finiteOnly),
  };
  return headOf(arrays, metadata, dtype);
}

/** The beginning of a file, with the hash of the whole. */
function withHash(head: Uint8Array, digits: string): Uint8Array {
  const whole = head.slice();
  whole.set(new TextEncoder().encode(digits), PLACE);
  return whole;
}

/** How a file is made of what it holds. */
export type Seal<A> = (kind: FileKind, manifest: object, arrays: ReadonlyArray<NamedArray>, dtype: Dtype) => A;

/** The bytes of arrays, each piece to be used at once. */
function* payloadOf(arrays: ReadonlyArray<NamedArray>, dtype: Dtype): Generator<Uint8Array> {
  for (const array of inOrder(arrays)) yield* viewsOfArray(array, dtype);
}

/** The bytes of a file, piece by piece. Throws `NotFinite` for a number in the manifest that is not finite. */
export const sealedPieces: Seal<Pieces> = (kind, manifest, arrays, dtype) => {
  const { head, size } = unsealed(kind, manifest, arrays, dtype);
  const hash = hashAfter(head);
  for (const piece of payloadOf(arrays, dtype)) hash.update(piece);
  const first = withHash(head, hash.digits());
  return {
    size,
    *[Symbol.iterator]() {
      yield first.slice();
      for (const piece of payloadOf(arrays, dtype)) yield piece.slice();
    },
  };
};

/** The bytes of a file, all in one. Throws as `sealedPieces` does. The hash is that of the bytes, so no number is written twice. */
export const sealed: Seal<Uint8Array> = (kind, manifest, arrays, dtype) => {
  const { head, size } = unsealed(kind, manifest, arrays, dtype);
  const unhashed = function* () {
    yield head;
    yield* payloadOf(arrays, dtype);
  };
  const bytes = joined({ size, [Symbol.iterator]: unhashed });
  bytes.set(withHash(head, hashAfter(bytes).digits()));
  return bytes;
};

/**
 * The bytes of a file whose arrays are made one after another, each piece with its place. The beginning, which has the hash, comes last.
 *
 * @param shapes all arrays
 * @param arrays the same ones with their numbers, in the order of the file
 */
export function sealedLast(
  kind: FileKind,
  manifest: object,
  shapes: ReadonlyArray<Shaped>,
  arrays: () => AsyncIterable<NamedArray>,
): PlacedPieces {
  const { head, size } = unsealed(kind, manifest, shapes, 'F64');
  return {
    size,
    async *[Symbol.asyncIterator]() {
      const hash = hashAfter(head);
      let at = head.length;
      for await (const array of arrays()) {
        for (const bytes of viewsOfArray(array, 'F64')) {
          hash.update(bytes);
          yield { at, bytes };
          at += bytes.length;
        }
      }
      yield { at: 0, bytes: withHash(head, hash.digits()) };
    },
  };
}

/** The contents of a file of this kind. `InvalidFile` if it is none, if a newer version wrote it, or if it is damaged. */
export const opened = (kind: FileKind, bytes: Uint8Array): E.Either<LaplaceError, Contents> =>
  F.pipe(
    readSafetensors(bytes),
    E.mapLeft((found) => notSafetensors(kind, found)),
    E.chain((file) =>
      F.pipe(
        signatureOf(kind, file),
        E.chain((digits) => unchanged(digits, hashAfter(bytes).digits())),
        E.chain(() => manifestOf(kind, file)),
        E.map((manifest) => ({ manifest, entries: file.entries })),
      ),
    ),
  );

/** The digits of the hash that a file of this library says it has. */
export function signatureOf(kind: FileKind, { metadata, text }: Header): E.Either<LaplaceError, string> {
  if (metadata.get('format') !== FORMAT) return E.left(foreign(kind, metadata.get('format')));
  const version = metadata.get('format_version') ?? '';
  if (!/^[1-9]\d{0,8}$/.test(version)) return E.left(damaged('a format version that is no number'));
  if (Number(version) > VERSION) return E.left(newer(version, metadata.get('library_version')));
  const digits = metadata.get('sha256') ?? '';
  if (text.startsWith(BEGINNING) && DIGITS.test(digits)) return E.right(digits);
  return E.left(damaged('a header without its hash at the beginning'));
}

/** Whether the hash of a file is the one that it says. */
export const unchanged = (digits: string, found: string): E.Either<LaplaceError, void> =>
  found === digits ? E.right(undefined) : E.left(damaged('contents that do not fit the hash of the file'));

/** The manifest of a file of this kind, as the newest version has it, not yet looked at. */
export function manifestOf(kind: FileKind, { metadata }: Header): E.Either<LaplaceError, unknown> {
  const found = metadata.get('kind');
  if (found !== kind) return E.left(another(kind, found));
  return F.pipe(
    strictJson(metadata.get('manifest') ?? ''),
    E.bimap(
      (complaint) => damaged(`a manifest with ${complaint}`),
      (manifest) => migrated(Number(metadata.get('format_version')), kind, manifest),
    ),
  );
}

/** What a file must not hold, although its hash is right. */
export const damaged = (found: string): LaplaceError =>
  laplaceError('InvalidFile', {
    what: 'The file is damaged',
    found,
    expected: 'the bytes as they were written',
    remedy: 'Copy or download the file again, or make it anew.',
  });

export const notSafetensors = (kind: FileKind, found: string): LaplaceError =>
  laplaceError('InvalidFile', {
    what: `The bytes are no file of ${wordsOf(kind)}`,
    found,
    expected: 'a safetensors file, whole',
    remedy: 'Check that the file is the right one, and that all of it was read.',
  });

const foreign = (kind: FileKind, format: string | undefined): LaplaceError =>
  laplaceError('InvalidFile', {
    what: `The safetensors file holds no ${wordsOf(kind)} of this library`,
    field: 'format',
    found: format === undefined ? 'no format in its metadata' : JSON.stringify(format),
    expected: JSON.stringify(FORMAT),
  });

const newer = (version: string, library: string | undefined): LaplaceError =>
  laplaceError('InvalidFile', {
    what: 'A newer version of the library wrote the file',
    field: 'format_version',
    found: `format version ${version}, by tfjs-laplace ${library ?? 'of an unknown version'}`,
    expected: `at most format version ${VERSION}, which tfjs-laplace ${LIBRARY_VERSION} reads`,
    remedy: 'Update tfjs-laplace.',
  });

const another = (kind: FileKind, found: string | undefined): LaplaceError =>
  laplaceError('InvalidFile', {
    what: `The file holds no ${wordsOf(kind)}`,
    field: 'kind',
    found: found ?? 'nothing',
    expected: kind,
    remedy: found === 'factors' ? 'Use decodeFactors.' : found === 'posterior' ? 'Use decodePosterior.' : '',
  });

const wordsOf = (kind: FileKind): string => (kind === 'posterior' ? 'posterior' : 'factors');
