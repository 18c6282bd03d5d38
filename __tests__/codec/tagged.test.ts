import { either as E } from 'fp-ts';
import type * as t from 'io-ts';
import { decode, defaulted, type InputOf, type Options, positive, seed, taggedUnion, variant } from '../../src/codec/index.js';
import { holds, type Same } from '../support/types.js';

const Circle = variant('circle', { radius: defaulted(positive, 1) });
const Polygon = variant('polygon', { seed, side: positive });
const Point = variant('point', {});
const Shape = taggedUnion('a shape', Circle, Polygon, Point);

const issuesOf = (input: unknown) => {
  const result = decode(Shape, input);
  return E.isLeft(result) ? result.left.issues : [];
};

it('decodes the variant of the tag', () => {
  expect(decode(Shape, { _tag: 'circle', radius: 2 })).toEqual(E.right({ _tag: 'circle', radius: 2 }));
  expect(decode(Shape, { _tag: 'circle' })).toEqual(E.right({ _tag: 'circle', radius: 1 }));
  expect(decode(Shape, { _tag: 'point' })).toEqual(E.right({ _tag: 'point' }));
});

it('takes a bare tag for the variant with its defaults', () => {
  expect(decode(Shape, 'circle')).toEqual(E.right({ _tag: 'circle', radius: 1 }));
});

it('says what a bare tag leaves open', () => {
  expect(issuesOf('polygon')).toEqual([
    { path: 'seed', found: 'nothing', expected: 'an integer from 0 to 4294967295' },
    { path: 'side', found: 'nothing', expected: 'a finite number > 0' },
  ]);
});

it('complains about the variant that was meant, and no other', () => {
  expect(issuesOf({ _tag: 'polygon', seed: 1, side: -2, radius: 1 })).toEqual([
    { path: 'side', found: '-2', expected: 'a finite number > 0' },
    { path: 'radius', found: '1', expected: 'no such key; allowed: seed, side' },
  ]);
});

it('says that a variant has no options', () => {
  expect(issuesOf({ _tag: 'point', x: 1 })).toEqual([{ path: 'x', found: '1', expected: 'no such key; allowed: none' }]);
});

it.each([
  [{ _tag: 'ellipse' }, '"ellipse"', "'circle', 'polygon' or 'point'"],
  [{ _tag: 'Circel' }, '"Circel"', "'circle', 'polygon' or 'point' (did you mean 'circle'?)"],
  [{ _tag: 'toString' }, '"toString"', "'circle', 'polygon' or 'point'"],
  [{ _tag: ['circle'] }, 'an array of length 1', "'circle', 'polygon' or 'point'"],
  [{ radius: 1 }, 'nothing', "'circle', 'polygon' or 'point'"],
  [{}, 'nothing', "'circle', 'polygon' or 'point'"],
])('refuses the tag of %j', (input, found, expected) => {
  expect(issuesOf(input)).toEqual([{ path: '_tag', found, expected }]);
});

it.each([
  [null, 'null'],
  [undefined, 'nothing'],
  [3, '3'],
  [[], 'an empty array'],
  [[{ _tag: 'circle' }], 'an array of length 1'],
  ['', '""'],
])('is no shape: %j', (input, found) => {
  expect(issuesOf(input)).toEqual([{ path: '', found, expected: "a shape: 'circle', 'polygon' or 'point'" }]);
});

it('suggests the tag that was almost written', () => {
  expect(issuesOf('pont')).toEqual([
    { path: '', found: '"pont"', expected: "a shape: 'circle', 'polygon' or 'point' (did you mean 'point'?)" },
  ]);
});

type Written = { readonly _tag: 'circle'; readonly radius: number };
holds<Same<t.TypeOf<typeof Circle>, Written>>();
holds<
  Same<
    t.TypeOf<typeof Shape>,
    Written | { readonly _tag: 'polygon'; readonly seed: number; readonly side: number } | { readonly _tag: 'point' }
  >
>();
holds<Same<Options<typeof Circle>, { readonly radius?: number | undefined }>>();
// 'polygon' has no defaults, so that its tag alone may not be written.
holds<Same<Extract<InputOf<typeof Shape>, string>, 'circle' | 'point'>>();
