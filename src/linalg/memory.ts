/** Memory that an engine or JavaScript could not get, as an error that says what to do. */
import { isLaplaceError, type LaplaceError, laplaceError } from '../errors.js';

/** What JavaScript, WebAssembly and TensorFlow say of it. They share no class and no code. */
const WORDS = /allocation failed|could not allocate|bad_alloc|out of memory|\bOOM\b|[Ii]nvalid (typed )?array length/;

/** The typed error of a computation that ran out of memory; undefined for any other error. */
export function outOfMemory(what: string, cause: unknown): LaplaceError | undefined {
  const found = String((cause as { readonly message?: unknown } | null)?.message ?? cause);
  if (isLaplaceError(cause) || !WORDS.test(found)) return undefined;
  return laplaceError('Backend', {
    what: `${what} ran out of memory`,
    found,
    expected: 'room for the matrices of the largest layer, several times over',
    remedy:
      "Cover fewer layers (layers: 'last', or names), or sum diagonals: diagonal(), or unsupported: 'diagonal' for layers that are too " +
      'large. coverage(…) tells what each layer needs.',
    cause,
  });
}
