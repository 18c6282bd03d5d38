/** Plain values that nobody can change. */

/**
 * A copy of a plain value that is frozen all the way down: objects and arrays. Typed arrays cannot be frozen and stay the same arrays, as
 * do functions and objects with a prototype of their own.
 */
export function frozen<A>(value: A): A {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen)) as A;
  if (!isPlain(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, frozen(part)]))) as A;
}

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Object]';
