/** Places for files: what a URL or a handler of tf.io stands for. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { handlerPlace, isHandler, registeredPlace } from './handlers.js';
import { nodePlace } from './node.js';
import type { Place, Where } from './types.js';
import { downloadPlace, webPlace } from './web.js';

/** The names of the files in folders. */
export const [POSTERIOR, FACTORS] = ['laplace', 'factors'] as const;

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
