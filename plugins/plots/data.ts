/** The data of pictures, decoded: NaN or a misspelt field would be a hole in the picture. */
import { array, finite, isArrayLike, isRecord, laplaceError, optional, refined, struct } from 'tfjs-laplace/extend';

/** Numbers in an array or a typed array; there may be none. */
export const numbers = refined(
  'a list of finite numbers',
  (value): value is ArrayLike<number> => isArrayLike(value) && Array.from(value).every(Number.isFinite),
);

/** Text, which may be empty. */
export const words = refined('a string', (value): value is string => typeof value === 'string');

/** Lines of text; there may be none. */
export const lines = refined(
  'a list of strings',
  (value): value is ReadonlyArray<string> => Array.isArray(value) && value.every(words.is),
);

/** The two ends of an axis. */
export const range = refined(
  'two finite numbers [low, high], low < high',
  (value): value is readonly [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] < value[1],
);

/** What every picture has at its head. */
export const HEADING = { title: words, subtitle: optional(words) };

/** Points in the plane. */
export const points = array('a list of points { x, y }', struct('a point', { x: finite, y: finite }));

/** A share of a whole, which may be none or all of it. */
export const part = refined(
  'a number in [0, 1]',
  (value): value is number => typeof value === 'number' && value >= 0 && value <= 1,
);

/**
 * An object that has certain lists of finite numbers, all of one length and not empty. Its other fields are not looked at.
 *
 * @param name what the object is, for the error
 * @param keys the fields that hold the lists
 */
export const listsOf = <K extends string>(name: string, keys: ReadonlyArray<K>) =>
  refined(
    `${name}, whose ${keys.join(' and ')} are lists of finite numbers, of one length`,
    (value): value is Readonly<Record<K, ArrayLike<number>>> => {
      if (!isRecord(value)) return false;
      const lists = keys.map((key) => value[key]).filter(numbers.is);
      return lists.length === keys.length && lists.every(({ length }) => length > 0 && length === lists[0]?.length);
    },
  );

/**
 * Refuses series of the same name: they would have one colour, and one entry in the legend.
 *
 * @throws LaplaceError `InvalidOption`
 */
export function checkNames(what: string, series: ReadonlyArray<{ readonly name: string }>): void {
  const i = series.findIndex(({ name }, at) => series.findIndex((own) => own.name === name) < at);
  if (i < 0) return;
  const field = `series[${i}].name`;
  throw laplaceError('InvalidOption', {
    what: `${what}: ${field}`,
    field,
    found: JSON.stringify(series[i]?.name),
    expected: 'a name that no other series has',
  });
}
