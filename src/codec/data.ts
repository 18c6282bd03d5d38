/** Values that are data and values that hold code. Data can be written as JSON, cloned, and sent to another thread. */

/** T without functions. A member of a union is left out if it needs a function at any depth. */
export type DataOf<T> = T extends (...args: never[]) => unknown ? never : T extends object ? DataOfFields<T> : T;

type DataOfFields<T> = { readonly [K in keyof T]-?: [DataOf<T[K]>] extends [never] ? K : never }[keyof T] extends never
  ? { readonly [K in keyof T]: DataOf<T[K]> }
  : never;

/** Whether a value holds no function at any depth. */
export function isData<T>(value: T): value is T & DataOf<T> {
  if (typeof value === 'function') return false;
  return typeof value !== 'object' || value === null || Object.values(value).every(isData);
}
