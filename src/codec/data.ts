/** Values that are data and values that hold code. Data can be written as JSON, cloned, and sent to another thread. */

/** T without functions: the members of its unions that need a function are left out, however deep. */
export type DataOf<T> = T extends (...args: never[]) => unknown ? never : T extends object ? DataOfFields<T> : T;

type DataOfFields<T> = { readonly [K in keyof T]-?: [DataOf<T[K]>] extends [never] ? K : never }[keyof T] extends never
  ? { readonly [K in keyof T]: DataOf<T[K]> }
  : never;

/** True for a value that holds no function, however deep. */
export function isData<T>(value: T): value is T & DataOf<T> {
  if (typeof value === 'function') return false;
  return typeof value !== 'object' || value === null || Object.values(value).every(isData);
}
