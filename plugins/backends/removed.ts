/**
 * Functions of `node:util` that TensorFlow's package for Node still calls and that newer versions of Node have removed. Node 23
 * removed `isNullOrUndefined`; without it every operation of the backend throws. `isArray` is deprecated. Version 4.22.0 of
 * TensorFlow's packages is the last one, so that no update will mend it.
 *
 * This file imports nothing, because it also runs in browsers and before a backend is there.
 */
const REPLACEMENTS = {
  isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
  isArray: (value: unknown): boolean => Array.isArray(value),
} as const;

/**
 * Defines the functions that are missing in `node:util`. A function that is there stays as it is. TensorFlow's package looks a
 * function up at each call, so that it does not matter which of the two comes first.
 *
 * @returns the names that this or an earlier call defined, such as `util.isNullOrUndefined`; none outside Node
 */
export function restoreRemoved(): ReadonlyArray<string> {
  // Where this method is missing (before Node 20.16), no function is missing.
  const util = globalThis.process?.getBuiltinModule?.('node:util') as Record<string, unknown> | undefined;
  if (util === undefined) return [];
  const entries = Object.entries(REPLACEMENTS);
  for (const [name, replacement] of entries) util[name] ??= replacement;
  return entries.filter(([name, replacement]) => util[name] === replacement).map(([name]) => `util.${name}`);
}
