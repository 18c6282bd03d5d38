/**
 * Mondrian conformal prediction: a threshold for each group, from the held-out examples of the group alone. So the coverage holds within
 * each group, and not only on average (Vovk, Gammerman & Shafer 2005, section 4.5).
 */
import { either as E } from 'fp-ts';
import { isArrayLike, refined } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { checkCount, type Problem, sound } from '../metrics/rows.js';

/** The group of each example: names or integers. */
export type Groups = ArrayLike<string | number>;

const isName = (value: unknown): boolean => (typeof value === 'string' && value !== '') || Number.isSafeInteger(value);

/** Decodes groups. Whether their number fits depends on the data. */
export const GroupList = refined(
  'a list with the group of each example (names or integers)',
  (value): value is Groups => isArrayLike(value) && Array.from(value).every(isName),
);

/** The key of the threshold of examples without groups. */
export const ALL = 'all';

/** One value for each key. */
export type ByGroup<A> = Readonly<Record<string, A>>;

/** The items of each group. */
export function grouped<A>(items: ReadonlyArray<A>, groupOf: (i: number) => string): ByGroup<ReadonlyArray<A>> {
  const parts = new Map<string, A[]>();
  items.forEach((item, i) => {
    const own = parts.get(groupOf(i));
    if (own === undefined) parts.set(groupOf(i), [item]);
    else own.push(item);
  });
  return Object.fromEntries(parts);
}

/** A value for each group from the old one. */
export const mapGroups = <A, B>(groups: ByGroup<A>, f: (value: A) => B): ByGroup<B> =>
  Object.freeze(Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, f(value)])));

/** Checks that there is one group for each of N examples. */
export const checkGroups = (groups: Groups | undefined, N: number, field: string): Problem =>
  groups && checkCount(groups.length, N, field);

/**
 * The value of the group of each new example. `groups` belongs to the new examples.
 *
 * @param isGrouped whether the values were fitted for groups
 * @returns the values [N], or `InvalidInput` if groups are missing, unknown, or too many.
 */
export function ofGroups<A>(
  what: string,
  values: ByGroup<A>,
  isGrouped: boolean,
  groups: Groups | undefined,
  N: number,
): E.Either<LaplaceError, ReadonlyArray<A>> {
  if (isGrouped !== (groups !== undefined)) return E.left(misfit(what, isGrouped));
  const names = Array.from({ length: N }, (_, i) => (groups === undefined ? ALL : String(groups[i])));
  const unknown = names.findIndex((name) => !Object.hasOwn(values, name));
  const problem =
    checkGroups(groups, N, 'groups') ?? (unknown < 0 ? undefined : unknownGroup(what, unknown, names[unknown] as string, values));
  return sound(problem, () => names.map((name) => values[name] as A));
}

const misfit = (what: string, isGrouped: boolean): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${what}: groups`,
    field: 'groups',
    found: isGrouped ? 'none' : 'a list',
    expected: isGrouped ? 'the group of each example' : 'none',
    remedy: isGrouped
      ? 'The fitted value has a threshold for each group: give { groups }.'
      : 'The fitted value has one threshold for all: fit it with groups, or leave { groups } out.',
  });

const unknownGroup = (what: string, at: number, found: string, values: ByGroup<unknown>): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `${what}: groups[${at}]`,
    field: 'groups',
    found: `'${found}'`,
    expected: `one of ${Object.keys(values)
      .map((name) => `'${name}'`)
      .join(', ')}`,
    remedy: 'A group needs held-out examples of its own.',
  });
