import { either as E } from 'fp-ts';
import {
  boolean,
  type Codec,
  decode,
  fraction,
  func,
  type LayerSelection,
  LayerSelectionCodec,
  literals,
  nonNegative,
  positive,
  positiveInteger,
  seed,
} from '../../src/codec/index.js';
import { holds, type Same } from '../support/types.js';

type Case = readonly [
  name: string,
  codec: Codec<never>,
  allowed: ReadonlyArray<unknown>,
  refused: ReadonlyArray<unknown>,
  words: string,
];
const some = <A>(codec: Codec<A>) => codec as unknown as Codec<never>;

const NO_NUMBERS = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '1',
  1n,
  null,
  undefined,
  [1],
  {},
  true,
  new Date(1),
];

const CASES: ReadonlyArray<Case> = [
  ['positive', some(positive), [1, 0.5, Number.MIN_VALUE, Number.MAX_VALUE], [0, -0, -1, ...NO_NUMBERS], 'a finite number > 0'],
  ['nonNegative', some(nonNegative), [0, 1e-300, 2], [-1e-300, ...NO_NUMBERS], 'a finite number >= 0'],
  ['fraction', some(fraction), [0, 1e-300, 0.999], [-1e-300, 1, 2, ...NO_NUMBERS], 'a number >= 0 and < 1'],
  ['positiveInteger', some(positiveInteger), [1, 2 ** 53 - 1], [0, -1, 1.5, 2 ** 53, ...NO_NUMBERS], 'an integer >= 1'],
  ['seed', some(seed), [0, 7, 0xffffffff], [-1, 0.5, 2 ** 32, ...NO_NUMBERS], 'an integer from 0 to 4294967295'],
  ['boolean', some(boolean), [true, false], [0, 1, 'true', null, undefined], 'true or false'],
  ['literals', some(literals('a', 'b', 'c')), ['a', 'b', 'c'], ['d', 'A', '', 0, null, ['a'], Object('a')], "'a', 'b' or 'c'"],
  ['func', some(func('a function')), [() => true, Math.sin], [{}, 'x => x', null], 'a function'],
  [
    'layers',
    some(LayerSelectionCodec),
    ['all', 'last', ['dense'], ['all', 'b']],
    ['dense', '', [], {}, null, 1, new Set(['dense'])],
    "'all' or 'last', or an array of layer names, not empty",
  ],
];

describe.each(CASES)('%s', (_, codec, allowed, refused, words) => {
  it.each(allowed.map((value) => [value]))('allows %p', (value) => {
    expect(codec.is(value)).toBe(true);
    expect(decode(codec, value)).toEqual(E.right(value));
  });

  it.each(refused.map((value) => [value]))('refuses %p', (value) => {
    expect(codec.is(value)).toBe(false);
    const result = decode(codec, value);
    expect(E.isLeft(result) && result.left.issues).toEqual([{ path: '', found: expect.any(String), expected: words }]);
  });
});

it('has one zero', () => {
  expect(decode(nonNegative, -0)).toStrictEqual(E.right(0));
  expect(decode(seed, -0)).toStrictEqual(E.right(0));
});

describe('layer names', () => {
  it('are refused one by one', () => {
    const result = decode(LayerSelectionCodec, ['a', '', 3, 'b', null]);
    expect(E.isLeft(result) && result.left.issues).toEqual([
      { path: '[1]', found: '""', expected: 'a layer name' },
      { path: '[2]', found: '3', expected: 'a layer name' },
      { path: '[4]', found: 'null', expected: 'a layer name' },
    ]);
  });

  it('may not be missing', () => {
    // biome-ignore lint/suspicious/noSparseArray: holes are the point.
    const holed = ['a', , 'b'];
    expect(LayerSelectionCodec.is(holed)).toBe(false);
    const result = decode(LayerSelectionCodec, holed);
    expect(E.isLeft(result) && result.left.issues).toEqual([{ path: '[1]', found: 'nothing', expected: 'a layer name' }]);
  });

  it('are copied and frozen', () => {
    const names = ['a'];
    const decoded = E.toUnion(decode(LayerSelectionCodec, names));
    names.push('b');
    expect(decoded).toEqual(['a']);
    expect(Object.isFrozen(decoded)).toBe(true);
  });
});

holds<Same<LayerSelection, 'all' | 'last' | ReadonlyArray<string>>>();
