/** The first place where two plain values differ, and what an error says about it. */
import { firstDifference } from '../../src/curvature/difference.js';

describe('finds nothing between', () => {
  it.each<[string, unknown, unknown]>([
    ['equal numbers', 1, 1],
    ['equal strings', 'a', 'a'],
    ['null and null', null, null],
    ['NaN and NaN', Number.NaN, Number.NaN],
    ['0 and −0', 0, -0],
    ['a value and itself', nested(), nested()],
    ['objects with another order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['a missing key and one that is undefined', { a: 1 }, { a: 1, b: undefined }],
    ['empty lists', [], []],
    ['equal typed arrays', Float64Array.of(1, Number.NaN), Float64Array.of(1, Number.NaN)],
    ['two functions', () => 1, () => 2],
    ['likelihoods of one name with other functions', { name: 'own', nll: () => 1 }, { name: 'own', nll: () => 2 }],
  ])('%s', (_, left, right) => {
    expect(firstDifference(left, right)).toBeUndefined();
    expect(firstDifference(right, left)).toBeUndefined();
  });
});

it.each<[string, unknown, unknown, string, string, string]>([
  ['numbers', 1, 2, '', '1', '2'],
  ['a number and its string', { a: 1 }, { a: '1' }, 'a', '1', '"1"'],
  ['NaN and a number', { a: Number.NaN }, { a: 0 }, 'a', 'NaN', '0'],
  ['infinity and a number', { a: Number.POSITIVE_INFINITY }, { a: 0 }, 'a', 'Infinity', '0'],
  ['null and a missing value', { a: null }, {}, 'a', 'null', 'nothing'],
  ['a key that only the first has', { a: 1, b: 2 }, { a: 1 }, 'b', '2', 'nothing'],
  ['a key that only the second has', { a: 1 }, { a: 1, b: 2 }, 'b', 'nothing', '2'],
  ['keys deep inside', { a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }, 'a.b[0].c', '1', '2'],
  ['the first of two places', { a: 1, b: 1 }, { a: 2, b: 2 }, 'a', '1', '2'],
  ['a place inside before one beside it', { a: { b: 1 }, c: 1 }, { a: { b: 2 }, c: 2 }, 'a.b', '1', '2'],
  ['a longer list', { list: [1] }, { list: [1, 2] }, 'list[1]', 'nothing', '2'],
  ['a shorter list', { list: ['a', 'b'] }, { list: ['a'] }, 'list[1]', '"b"', 'nothing'],
  ['a list of lists', [[1, 2]], [[1, 3]], '[0][1]', '2', '3'],
  ['a list and no list', { a: [1] }, { a: 1 }, 'a', '[1]', '1'],
  ['a list and an object', { a: [1] }, { a: { b: 1 } }, 'a', '[1]', '{"b":1}'],
  ['an object and no object', { a: { b: 1 } }, { a: 'all' }, 'a', '{"b":1}', '"all"'],
  ['numbers of a typed array', { a: Float64Array.of(1, 2) }, { a: Float64Array.of(1, 3) }, 'a[1]', '2', '3'],
  ['names of likelihoods with functions', { name: 'a', nll: () => 1 }, { name: 'b', nll: () => 1 }, 'name', '"a"', '"b"'],
  ['a function that is missing', { nll: () => 1 }, {}, 'nll', 'a function', 'nothing'],
])('finds %s', (_, left, right, path, shownLeft, shownRight) => {
  expect(firstDifference(left, right)).toEqual({ path, left: shownLeft, right: shownRight });
  expect(firstDifference(right, left)).toEqual({ path, left: shownRight, right: shownLeft });
});

/** A value with nested objects and lists, made anew for each call. */
function nested() {
  return { estimator: { _tag: 'kfac', fisher: { _tag: 'exact' } }, layers: [{ name: 'a', n: 3 }], covered: ['a'] };
}
