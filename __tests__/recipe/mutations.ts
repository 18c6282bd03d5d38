/** Recipes with mistakes: a value of JSON in which a few places are changed at random, at any depth. */
import fc from 'fast-check';

/** A value of JSON. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json };

/** The keys to a part of a value. */
type Path = ReadonlyArray<string>;

/** One change: `at` chooses the place, `how` what happens there. */
interface Change {
  readonly at: number;
  readonly how: 'remove' | 'rename' | 'replace' | 'add';
  readonly key: string;
  readonly value: Json;
}

/** Known keys at wrong places, unknown keys, and names that every object inherits. */
const KEYS = ['_tag', 'precision', 'precisions', 'samples', 'layers', 'noise', 'x', '0', '__proto__', 'constructor', 'toString'];
/** The limits of all ranges, and their neighbours. */
const NUMBERS = [0, -0, 1, -1, 2, 3, 0.5, 1.5, 1e-300, -1e-300, 1e300, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53];
/** Values that are right at some places. */
const VALUES = [
  ...NUMBERS,
  ...['', 'all', 'last', 'a', 'exact', 'kfac', 'isotropic', 'perLayer', 'perStep', 'categorical', 'custom', 'epochsWhere'],
  ...[null, true, false, [], [[]], [1], [-1], ['a'], [''], [null], {}, { a: 1 }, { a: 0 }, { a: { a: 1 } }, { precision: 1 }],
  ...[{ _tag: 'exact' }, { _tag: 'gaussian' }, { _tag: 'isotropic', precision: 2 }, { _tag: 'customLink', name: 'own' }],
];

/** The paths to all parts of a value. The value itself is the first. */
const pathsOf = (value: Json): ReadonlyArray<Path> => [
  [],
  ...entriesOf(value).flatMap(([key, part]) => pathsOf(part).map((path) => [key, ...path])),
];

const entriesOf = (value: Json): ReadonlyArray<readonly [string, Json]> =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

const partAt = (value: Json, [key, ...rest]: Path): Json =>
  key === undefined ? value : partAt(entriesOf(value).find(([own]) => own === key)?.[1] ?? null, rest);

/** Like `value`, an array or an object, of these entries. */
const like = (value: Json, entries: ReadonlyArray<readonly [string, Json]>): Json =>
  Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);

/** The value with another part at the path; without the part for `undefined`. */
function withPart(value: Json, [key, ...rest]: Path, part: Json | undefined): Json | undefined {
  if (key === undefined) return part;
  const entries = entriesOf(value).map(([own, old]) => [own, own === key ? withPart(old, rest, part) : old] as const);
  return like(
    value,
    entries.flatMap(([own, one]) => (one === undefined ? [] : [[own, one] as const])),
  );
}

const chosen = <A>(all: ReadonlyArray<A>, at: number): A => all[at % all.length] as A;

function changed(value: Json, { at, how, key, value: other }: Change): Json {
  const path = chosen(pathsOf(value), at);
  const part = partAt(value, path);
  const entries = entriesOf(part);
  const [own] = entries.length > 0 ? chosen(entries, at) : [''];
  const parts = {
    remove: undefined,
    rename: like(
      part,
      entries.map(([name, one]) => [name === own ? key : name, one] as const),
    ),
    replace: other,
    add: like(part, [...entries, [key, other]]),
  };
  return withPart(value, path, parts[how]) ?? null;
}

/** A value with each of its numbers replaced by each limit of a range, one at a time. */
export const atLimits = (value: Json): ReadonlyArray<Json> =>
  pathsOf(value)
    .filter((path) => typeof partAt(value, path) === 'number')
    .flatMap((path) => NUMBERS.map((limit) => withPart(value, path, limit) ?? null));

/** Values of `base`, changed at one to three places. What stands there then may come from another value of `base`. */
export function mutated(base: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const foreign = fc.tuple(base, fc.nat()).map(([value, at]) => partAt(value, chosen(pathsOf(value), at)));
  const change: fc.Arbitrary<Change> = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('remove', 'rename', 'replace', 'add'),
    key: fc.constantFrom(...KEYS),
    value: fc.oneof(fc.constantFrom(...(VALUES as Json[])), foreign, fc.jsonValue() as fc.Arbitrary<Json>),
  });
  return fc
    .tuple(base, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) => changes.reduce(changed, value));
}
