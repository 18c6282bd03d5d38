import { either as E } from 'fp-ts';
import { decode } from '../../src/codec/index.js';
import { PriorCodec, type PriorInput } from '../../src/posterior/codec.js';
import { type Damping, DampingCodec, exactDamping, factoredDamping } from '../../src/posterior/damping.js';
import { isotropic, type Prior, perLayer } from '../../src/posterior/priors.js';
import { holds, type Same } from '../support/types.js';

it('makes values', () => {
  expect(isotropic()).toStrictEqual({ _tag: 'isotropic', precision: 1 });
  expect(isotropic(100)).toStrictEqual({ _tag: 'isotropic', precision: 100 });
  expect(perLayer({ hidden: 10, logits: 1 })).toStrictEqual({ _tag: 'perLayer', precisions: { hidden: 10, logits: 1 } });
  expect(exactDamping()).toStrictEqual({ _tag: 'exact' });
  expect(factoredDamping()).toStrictEqual({ _tag: 'factored' });
});

it('makes frozen values that decode to themselves', () => {
  const prior = perLayer({ hidden: 10 });
  expect(
    [prior, prior._tag === 'perLayer' && prior.precisions, isotropic(), exactDamping(), factoredDamping()].every(Object.isFrozen),
  ).toBe(true);
  expect(decode(PriorCodec, prior)).toEqual(E.right(prior));
  expect(decode(DampingCodec, factoredDamping())).toEqual(E.right(factoredDamping()));
});

it.each<[string, () => unknown, string]>([
  ['isotropic(0)', () => isotropic(0), 'isotropic: precision: found 0, expected a finite number > 0.'],
  ['isotropic(NaN)', () => isotropic(Number.NaN), 'isotropic: precision: found NaN, expected a finite number > 0.'],
  [
    'perLayer({})',
    () => perLayer({}),
    'perLayer: precisions: found an empty object, expected an object with a precision for each layer.',
  ],
  [
    'perLayer of wrong numbers',
    () => perLayer({ 'a/b': -1, hidden: Number.POSITIVE_INFINITY, logits: 1 }),
    'perLayer has 2 problems:\n  precisions["a/b"]: found -1, expected a finite number > 0;\n' +
      '  precisions.hidden: found Infinity, expected a finite number > 0.',
  ],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

describe('shorthand', () => {
  it.each<[unknown, Prior]>([
    [100, isotropic(100)],
    [{ hidden: 10 }, perLayer({ hidden: 10 })],
    ['isotropic', isotropic(1)],
    [{ _tag: 'isotropic' }, isotropic(1)],
  ])('of a prior: %j', (input, prior) => {
    expect(decode(PriorCodec, input)).toEqual(E.right(prior));
  });

  const ANY = "a prior: 'isotropic' or 'perLayer', a number, or an object with a number for each layer";
  it.each<[unknown, string, string]>([
    [0, '', 'a finite number > 0'],
    [Number.NaN, '', 'a finite number > 0'],
    [{ hidden: 0 }, 'hidden', 'a finite number > 0'],
    [{}, '', 'an object with a precision for each layer'],
    [null, '', ANY],
    [[1], '', ANY],
    ['perLayer', 'precisions', 'an object with a precision for each layer'],
    ['isotrop', '', "a prior: 'isotropic' or 'perLayer' (did you mean 'isotropic'?)"],
    [{ _tag: 'gaussian' }, '_tag', "'isotropic' or 'perLayer'"],
    [{ _tag: 3 }, '_tag', "'isotropic' or 'perLayer'"],
    [{ precision: 100 }, '_tag', "'isotropic' or 'perLayer'"],
    [{ precisions: { hidden: 1 } }, '_tag', "'isotropic' or 'perLayer'"],
  ])('that is none: %j', (input, path, expected) => {
    const result = decode(PriorCodec, input);
    expect(E.isLeft(result) && result.left.issues).toEqual([{ path, found: expect.any(String), expected }]);
  });

  it('of a damping', () => {
    expect(decode(DampingCodec, 'factored')).toEqual(E.right(factoredDamping()));
  });
});

it('takes what TypeScript takes', () => {
  const inputs: ReadonlyArray<PriorInput> = [
    1,
    { hidden: 1 },
    isotropic(),
    perLayer({ a: 1 }),
    'isotropic',
    { _tag: 'isotropic' },
  ];
  expect(inputs.every((input) => E.isRight(decode(PriorCodec, input)))).toBe(true);
});

holds<
  Same<
    Prior,
    | { readonly _tag: 'isotropic'; readonly precision: number }
    | { readonly _tag: 'perLayer'; readonly precisions: Readonly<Record<string, number>> }
  >
>();
holds<Same<Damping, { readonly _tag: 'exact' } | { readonly _tag: 'factored' }>>();
