import { alternatives, describe as describeValue, suggestion } from '../../src/codec/words.js';

it.each<[unknown, string]>([
  [undefined, 'nothing'],
  [null, 'null'],
  [-1, '-1'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [3n, '3n'],
  [true, 'true'],
  ['1', '"1"'],
  ['two\nlines', '"two\\nlines"'],
  ['x'.repeat(1000), `"${'x'.repeat(58)}…`],
  [Symbol('s'), 'a symbol'],
  [() => 1, 'a function'],
  [[], 'an empty array'],
  [[1, 2], 'an array of length 2'],
  [{}, 'an empty object'],
  [{ a: 1, b: 2 }, 'an object with the keys a, b'],
  [new Map(), 'a value of type Map'],
  [new Float32Array(2), 'a value of type Float32Array'],
  [new Date(0), 'a value of type Date'],
  [Object.create(null), 'an empty object'],
])('describes %p', (value, words) => {
  expect(describeValue(value)).toBe(words);
});

it('lists alternatives', () => {
  expect(alternatives(['a'])).toBe("'a'");
  expect(alternatives(['a', 'b'])).toBe("'a' or 'b'");
  expect(alternatives(['a', 'b', 'c'])).toBe("'a', 'b' or 'c'");
});

it.each([
  ['darws', " (did you mean 'draws'?)"],
  ['draw', " (did you mean 'draws'?)"],
  ['SEED', " (did you mean 'seed'?)"],
  ['temprature', " (did you mean 'temperature'?)"],
  ['fisher', ''],
  ['', ''],
])('suggests what %p may mean', (word, words) => {
  expect(suggestion(word, ['draws', 'seed', 'temperature'])).toBe(words);
});

it('stays fast on long words', () => {
  expect(suggestion('draws'.repeat(1e5), ['draws'])).toBe('');
});
