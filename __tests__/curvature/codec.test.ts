import { either as E } from 'fp-ts';
import { decode, type LayerSelection } from '../../src/codec/index.js';
import { type Curvature, CurvatureCodec, type KfacOptions, kfac, kfra } from '../../src/curvature/codec.js';
import { holds, type Same } from '../support/types.js';

it('makes values', () => {
  expect(kfac()).toStrictEqual({ _tag: 'exact', layers: 'all' });
  expect(kfac({ layers: ['hidden'] })).toStrictEqual({ _tag: 'exact', layers: ['hidden'] });
  expect(kfac({ fisher: 'empirical' })).toStrictEqual({ _tag: 'empirical', layers: 'all' });
  expect(kfac({ fisher: 'monteCarlo' })).toStrictEqual({ _tag: 'monteCarlo', draws: 1, seed: 0, layers: 'all' });
  expect(kfac({ fisher: 'monteCarlo', draws: 4, seed: 7, layers: 'last' })).toStrictEqual({
    _tag: 'monteCarlo',
    draws: 4,
    seed: 7,
    layers: 'last',
  });
  expect(kfra()).toStrictEqual({ _tag: 'kfra', layers: 'all' });
});

it.each([kfac(), kfac({ fisher: 'monteCarlo' }), kfac({ fisher: 'empirical', layers: ['a'] }), kfra()])(
  'makes frozen values that decode to themselves: %j',
  (value) => {
    expect(Object.isFrozen(value)).toBe(true);
    expect(Object.isFrozen(value.layers)).toBe(true);
    expect(decode(CurvatureCodec, value)).toEqual(E.right(value));
  },
);

it.each<[unknown, string]>([
  [
    { fisher: 'emprical' },
    `kfac: fisher: found "emprical", expected 'exact', 'monteCarlo' or 'empirical' (did you mean 'empirical'?).`,
  ],
  [{ fisher: 'kfra' }, `kfac: fisher: found "kfra", expected 'exact', 'monteCarlo' or 'empirical'.`],
  [{ fisher: 'exact', draws: 2 }, 'kfac: draws: found 2, expected no such key; allowed: layers.'],
  [{ fisher: 'monteCarlo', draws: 0 }, 'kfac: draws: found 0, expected an integer >= 1.'],
  [{ fisher: 'monteCarlo', seed: 2 ** 32 }, 'kfac: seed: found 4294967296, expected an integer from 0 to 4294967295.'],
  [{ layers: [] }, "kfac: layers: found an empty array, expected 'all' or 'last', or an array of layer names, not empty."],
  [{ layers: ['a', 1] }, 'kfac: layers[1]: found 1, expected a layer name.'],
  ['empirical', 'kfac: options: found "empirical", expected an object.'],
  [
    { fisher: 'monteCarlo', draws: 1.5, seed: -1 },
    'kfac has 2 problems:\n  draws: found 1.5, expected an integer >= 1;\n  seed: found -1, expected an integer from 0 to 4294967295.',
  ],
])('refuses %j', (options, message) => {
  expect(() => kfac(options as KfacOptions)).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

it('has draws and a seed in the Monte Carlo Fisher only', () => {
  // @ts-expect-error the exact Fisher draws nothing
  expect(() => kfac({ fisher: 'exact', draws: 1 })).toThrow();
  // @ts-expect-error nor is it the default to draw
  expect(() => kfac({ seed: 1 })).toThrow();
});

holds<
  Same<
    Curvature,
    | { readonly _tag: 'exact'; readonly layers: LayerSelection }
    | { readonly _tag: 'monteCarlo'; readonly draws: number; readonly seed: number; readonly layers: LayerSelection }
    | { readonly _tag: 'empirical'; readonly layers: LayerSelection }
    | { readonly _tag: 'kfra'; readonly layers: LayerSelection }
  >
>();
