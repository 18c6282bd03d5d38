/** Places for files: what a URL or a handler of tf.io stands for. */
import type { io } from '@tensorflow/tfjs-core';
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { handlerPlace, isHandler, registeredPlace } from './handlers.js';
import { nodePlace } from './node.js';
import { downloadPlace, webPlace } from './web.js';

/** Where a file is kept: a URL, or a handler of tf.io. */
export type Where = string | io.IOHandler;

/** A file to be kept. */
export interface File {
  readonly bytes: Uint8Array;
  /** What people and tools may want to know without reading the bytes, as data for JSON. */
  readonly about: object;
}

/** A place that files can be written to or read from. Both reject with `Storage`. */
export interface Place {
  /** The place in words, for errors and for those who want to look. */
  readonly name: string;
  readonly write: (file: File) => Promise<void>;
  readonly read: () => Promise<Uint8Array>;
}

/**
 * The place of a file.
 *
 * @param name what the file is called without its ending, where the place is a folder
 */
export function placeOf(where: Where, name: string): Place {
  if (isHandler(where)) return handlerPlace(where);
  const scheme = /^([a-z]+):\/\/./.exec(where)?.[1];
  if (scheme === 'file') return nodePlace(where.slice('file://'.length), name);
  if (scheme === 'http' || scheme === 'https') return webPlace(where, name);
  if (scheme === 'downloads') return downloadPlace(where.slice('downloads://'.length));
  if (scheme === 'indexeddb' || scheme === 'localstorage') return registeredPlace(where, name);
  throw unknownPlace(where);
}

const unknownPlace = (where: unknown): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'The place is none that files can be kept in',
    field: 'where',
    found: typeof where === 'string' ? JSON.stringify(where) : typeof where,
    expected: "'file://…', 'indexeddb://…', 'localstorage://…', 'downloads://…', 'http://…', 'https://…', or a handler of tf.io",
  });
