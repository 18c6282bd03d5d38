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
  if (Object.is(left, right) || (typeof left === 'function' && typeof right === 'function')) return undefined;
  if (!isNested(left) || !isNested(right)) return { path, left: shown(left), right: shown(right) };
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  for (const key of keys) {
    const place = Array.isArray(left) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = firstDifference(left[key], right[key], place);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)));
