/** The data of pictures, decoded: NaN or a misspelt field would be a hole in the picture. */
import { array, finite, isArrayLike, optional, refined, struct } from 'tfjs-laplace/extend';

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
