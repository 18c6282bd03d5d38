import { either as E } from 'fp-ts';
import type * as t from 'io-ts';
import { decode, defaulted, dictionary, type InputOf, positive, positiveInteger, seed, struct } from '../../src/codec/index.js';
import { holds, type Same } from '../support/types.js';

const Inner = struct('an inner object', { draws: defaulted(positiveInteger, 3), seed });
const Outer = struct('an outer object', { inner: Inner, again: defaulted(Inner, { seed: 1 }), rate: positive });

const issuesOf = (input: unknown) => {
  const result = decode(Outer, input, 'outer');
  return E.isLeft(result) ? result.left.issues : [];
};

it('writes defaults out, also those of defaults', () => {
  expect(decode(Outer, { inner: { seed: 7 }, rate: 0.5 })).toEqual(
    E.right({ inner: { draws: 3, seed: 7 }, again: { draws: 3, seed: 1 }, rate: 0.5 }),
  );
});

it('takes undefined for a choice that is not made', () => {
  expect(decode(Inner, { draws: undefined, seed: 1 })).toStrictEqual(E.right({ draws: 3, seed: 1 }));
});

it('takes null for a mistake', () => {
  expect(issuesOf({ inner: { draws: null, seed: 1 }, rate: 1 })).toEqual([
    { path: 'inner.draws', found: 'null', expected: 'an integer >= 1' },
  ]);
});

it('finds every problem at once, however deep', () => {
  expect(issuesOf({ inner: { draws: 0, seed: 'x', sed: 1 }, again: 3, lr: 1 })).toEqual([
    { path: 'inner.draws', found: '0', expected: 'an integer >= 1' },
    { path: 'inner.seed', found: '"x"', expected: 'an integer from 0 to 4294967295' },
    { path: 'inner.sed', found: '1', expected: "no such key (did you mean 'seed'?); allowed: draws, seed" },
    { path: 'again', found: '3', expected: 'an inner object' },
    { path: 'rate', found: 'nothing', expected: 'a finite number > 0' },
    { path: 'lr', found: '1', expected: 'no such key; allowed: inner, again, rate' },
  ]);
});

it('says where a key belongs that is known one level below', () => {
  expect(issuesOf({ inner: { seed: 1 }, rate: 1, draws: 2 })).toEqual([
    { path: 'draws', found: '2', expected: "no such key (it belongs in 'inner' or 'again'); allowed: inner, again, rate" },
  ]);
});

it.each([[null], [[]], [[1]], ['text'], [3], [undefined], [() => {}], [new Map([['seed', 1]])], [new Date(0)]])(
  'is no object of options: %p',
  (input) => {
    expect(Inner.is(input)).toBe(false);
    expect(E.isLeft(decode(Inner, input))).toBe(true);
  },
);

it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('refuses %s as a key', (key) => {
  const input: unknown = JSON.parse(`{ "seed": 1, "${key}": 2 }`);
  expect(Inner.is(input)).toBe(false);
  const result = decode(Inner, input);
  expect(E.isLeft(result) && result.left.issues[0]?.expected).toBe('no such key; allowed: draws, seed');
});

describe('a dictionary', () => {
  const Rates = dictionary('a rate for each layer', positive);

  it('names the keys that are wrong', () => {
    const result = decode(Rates, { hidden: -1, 'block/1.dense': 0, fine: 1, '0': null });
    expect(E.isLeft(result) && result.left.issues.map(({ path }) => path)).toEqual(['[0]', 'hidden', '["block/1.dense"]']);
  });

  it('keeps names that are also properties of every object', () => {
    const input: unknown = JSON.parse('{ "__proto__": 2, "constructor": 3 }');
    const rates = E.toUnion(decode(Rates, input));
    expect(Object.entries(rates)).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ]);
  });

  it.each([[{}], [null], [[]], [[1]], [new Map([['a', 1]])]])('is not %p', (input) => {
    expect(Rates.is(input)).toBe(false);
    const result = decode(Rates, input);
    expect(E.isLeft(result) && result.left.issues[0]?.expected).toBe('a rate for each layer');
  });
});

holds<Same<t.TypeOf<typeof Inner>, { readonly draws: number; readonly seed: number }>>();
holds<Same<InputOf<typeof Inner>, { readonly seed: number; readonly draws?: number | undefined }>>();
