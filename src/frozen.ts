/** Plain values that nobody can change. */

/**
 * A copy of a plain value whose objects and arrays are frozen at every level. Typed arrays cannot be frozen: the copy holds the
 * same ones. It also holds the same functions, maps and other built-in objects.
 */
export function frozen<A>(value: A): A {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen)) as A;
  if (!isPlain(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, frozen(part)]))) as A;
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]';
