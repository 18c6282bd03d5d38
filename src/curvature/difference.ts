/** Finds the first place where two plain values differ, so that an error can name a field instead of printing both values. */

/** A place, and what each of the two values holds there. */
export interface Difference {
  /** For example `layers[0].n`. */
  readonly path: string;
  readonly left: string;
  readonly right: string;
}

/**
 * The first difference, depth first; undefined if there is none. Two functions count as equal: a value that holds functions also
 * has a name to tell it by.
 */
export function firstDifference(left: unknown, right: unknown, path = ''): Difference | undefined {
  if (left === right || Object.is(left, right) || (isFunction(left) && isFunction(right))) return undefined;
  if (!isNested(left) || !isNested(right) || isList(left) !== isList(right)) {
    return { path, left: shown(left), right: shown(right) };
  }
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  for (const key of keys) {
    const place = isList(left) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = firstDifference(left[key], right[key], place);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const isList = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value);

/** A value in words. JSON has no word for a number that is not finite. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (isFunction(value)) return 'a function';
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
