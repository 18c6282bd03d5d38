/** Values that are data and values that hold code. Data can be written as JSON, cloned, and sent to another thread. */

/** The members of a union T that have no function among their own fields. */
export type DataOf<T> = T extends unknown
  ? Extract<T[keyof T], (...args: never[]) => unknown> extends never
    ? T
    : never
  : never;

/** True for a value that holds no function, however deep. */
export function isData<T>(value: T): value is T & DataOf<T> {
  if (typeof value === 'function') return false;
  return typeof value !== 'object' || value === null || Object.values(value).every(isData);
}
