/** What a file of this library holds, in a form that can be changed and sealed again, with a right hash. */
import type { Matrix } from 'tfjs-laplace';
import { arrayOf } from '../../src/files/arrays.js';
import { opened, sealed } from '../../src/files/container.js';
import type { FileKind } from '../../src/files/versions.js';
import { right } from './math/laplace.js';

/** The manifest and the matrices of a file. */
export interface Parts {
  readonly manifest: Record<string, unknown>;
  readonly matrices: Map<string, Matrix>;
}

/** Opens a file. */
export function partsOf(kind: FileKind, file: Uint8Array): Parts {
  const { manifest, entries } = right(opened(kind, file));
  const matrices = new Map(
    [...entries].map(([key, entry]) => {
      const [rows, cols] = entry.shape as [number, number];
      return [key, { rows, cols, data: entry.read() }];
    }),
  );
  return { manifest: manifest as Record<string, unknown>, matrices };
}

/** Seals a file. */
export const resealed = (kind: FileKind, manifest: object, matrices: ReadonlyMap<string, Matrix>): Uint8Array =>
  sealed(
    kind,
    manifest,
    [...matrices].map(([key, matrix]) => arrayOf(key, matrix, 'F64')),
    'F64',
  );

/** Every place in a value of JSON. */
export function placesIn(value: unknown, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, part]) => placesIn(part, [...path, key]))];
}

/** A value with another one at a place; undefined takes it away. */
export function replaced(value: unknown, [key, ...rest]: ReadonlyArray<string>, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = replaced(copy[key], rest, by);
  return copy;
}
