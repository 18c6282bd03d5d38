import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { decode, type LayerSelection } from '../../src/codec/index.js';
import {
  type Curvature,
  CurvatureCodec,
  diagonal,
  type EkfacOptions,
  ekfac,
  estimatorOf,
  fisherOf,
  full,
  type KfacOptions,
  type KfraOptions,
  kfac,
  kfra,
  type LowRankOptions,
  lowRank,
} from '../../src/curvature/codec.js';
import { customFisher } from '../../src/curvature/fisher/custom.js';
import { empirical } from '../../src/curvature/fisher/empirical.js';
import { exact } from '../../src/curvature/fisher/exact.js';
import type { Fisher } from '../../src/curvature/fisher/index.js';
import { monteCarlo } from '../../src/curvature/fisher/monteCarlo.js';
import { truncated } from '../../src/curvature/fisher/truncated.js';
import { holds, type Same } from '../support/types.js';

const COVERAGE = { layers: 'all', unsupported: 'error' } as const;
const SHARED = { weightSharing: 'expand', ...COVERAGE } as const;

it('makes values', () => {
  expect(kfac()).toStrictEqual({ _tag: 'kfac', fisher: { _tag: 'exact' }, ...SHARED });
  expect(kfac({ layers: ['hidden'] })).toStrictEqual({ ...kfac(), layers: ['hidden'] });
  expect(kfac({ unsupported: 'map', weightSharing: 'reduce' })).toStrictEqual({
    _tag: 'kfac',
    fisher: { _tag: 'exact' },
    weightSharing: 'reduce',
    layers: 'all',
    unsupported: 'map',
  });
  expect(kfra()).toStrictEqual({ _tag: 'kfra', ...COVERAGE });
  expect(ekfac()).toStrictEqual({ _tag: 'ekfac', fisher: { _tag: 'exact' }, ...SHARED });
  expect(diagonal()).toStrictEqual({ _tag: 'diagonal', fisher: { _tag: 'exact' }, ...COVERAGE });
  expect(full({ unsupported: 'diagonal' })).toStrictEqual({
    _tag: 'full',
    fisher: { _tag: 'exact' },
    layers: 'all',
    unsupported: 'diagonal',
  });
});

it('makes Fisher matrices', () => {
  expect(exact()).toStrictEqual({ _tag: 'exact' });
  expect(empirical()).toStrictEqual({ _tag: 'empirical' });
  expect(truncated()).toStrictEqual({ _tag: 'truncated', tolerance: 1e-3 });
  expect(truncated({ tolerance: 0 })).toStrictEqual({ _tag: 'truncated', tolerance: 0 });
  expect(monteCarlo()).toStrictEqual({ _tag: 'monteCarlo', samples: 1, seed: 0 });
  expect(monteCarlo({ samples: 4, seed: 7 })).toStrictEqual({ _tag: 'monteCarlo', samples: 4, seed: 7 });
  for (const fisher of [exact(), empirical(), truncated(), monteCarlo()]) expect(Object.isFrozen(fisher)).toBe(true);
});

it.each([[kfac], [ekfac], [diagonal], [full]])('takes a Fisher matrix as a value or by its name: %p', (make) => {
  for (const fisher of [exact(), empirical(), truncated(), monteCarlo()]) {
    expect(make({ fisher: fisher._tag })).toStrictEqual({ ...make(), fisher });
    expect(make({ fisher })).toStrictEqual({ ...make(), fisher });
  }
  expect(make({ fisher: { _tag: 'monteCarlo', samples: 3 } })).toStrictEqual(make({ fisher: monteCarlo({ samples: 3 }) }));
});

it.each([
  kfac(),
  kfac({ fisher: 'truncated', weightSharing: 'reduce' }),
  kfac({ fisher: 'monteCarlo' }),
  kfac({ fisher: 'empirical', layers: ['a'] }),
  kfra({ unsupported: 'map' }),
  ekfac({ fisher: 'empirical' }),
  diagonal({ layers: ['a'] }),
  full({ fisher: 'monteCarlo' }),
  lowRank({ rank: 8, layers: ['a'] }),
])('makes frozen values that decode to themselves: %j', (value) => {
  expect(Object.isFrozen(value)).toBe(true);
  expect(Object.isFrozen(value.layers)).toBe(true);
  expect(Object.isFrozen('fisher' in value ? value.fisher : value)).toBe(true);
  expect(decode(CurvatureCodec, value)).toEqual(E.right(value));
});

it.each<[Curvature, Fisher | undefined]>([
  [kfac({ fisher: { _tag: 'truncated', tolerance: 0.1 } }), { _tag: 'truncated', tolerance: 0.1 }],
  [kfac({ fisher: { _tag: 'monteCarlo', samples: 2, seed: 3 } }), { _tag: 'monteCarlo', samples: 2, seed: 3 }],
  [kfra(), undefined],
  [ekfac({ fisher: 'empirical' }), { _tag: 'empirical' }],
  [diagonal({ fisher: { _tag: 'monteCarlo', seed: 5 } }), { _tag: 'monteCarlo', samples: 1, seed: 5 }],
  [full(), { _tag: 'exact' }],
])('knows the Fisher matrix of %j', (curvature, fisher) => {
  const found = fisherOf(curvature);
  if (fisher === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(fisher);
});

it.each<[unknown, string]>([
  [
    { fisher: 'emprical' },
    `kfac: fisher: found "emprical", expected a Fisher matrix: 'exact', 'truncated', 'monteCarlo', 'empirical' or 'customFisher' (did you mean 'empirical'?).`,
  ],
  [
    { fisher: 'kfra' },
    `kfac: fisher: found "kfra", expected a Fisher matrix: 'exact', 'truncated', 'monteCarlo', 'empirical' or 'customFisher'.`,
  ],
  [
    { fisher: 'monteCarlo', draws: 2 },
    'kfac: draws: found 2, expected no such key; allowed: fisher, noise, weightSharing, layers, unsupported.',
  ],
  [
    { fisher: 'monteCarlo', samples: 2 },
    "kfac: samples: found 2, expected no such key (it belongs in 'fisher'); allowed: fisher, noise, weightSharing, layers, unsupported.",
  ],
  [
    { tolerance: 0.1 },
    "kfac: tolerance: found 0.1, expected no such key (it belongs in 'fisher'); allowed: fisher, noise, weightSharing, layers, unsupported.",
  ],
  [
    { fisher: { _tag: 'monteCarlo', tolerance: 0.1 } },
    'kfac: fisher.tolerance: found 0.1, expected no such key; allowed: samples, seed.',
  ],
  [{ fisher: { _tag: 'exact', samples: 2 } }, 'kfac: fisher.samples: found 2, expected no such key; allowed: none.'],
  [{ fisher: { _tag: 'truncated', tolerance: 1 } }, 'kfac: fisher.tolerance: found 1, expected a number >= 0 and < 1.'],
  [{ weightSharing: 'sum' }, `kfac: weightSharing: found "sum", expected 'expand' or 'reduce'.`],
  [{ unsupported: 'skip' }, `kfac: unsupported: found "skip", expected 'error', 'map' or 'diagonal'.`],
  [{ fisher: { _tag: 'monteCarlo', samples: 0 } }, 'kfac: fisher.samples: found 0, expected an integer >= 1.'],
  [
    { fisher: { _tag: 'monteCarlo', seed: 2 ** 32 } },
    'kfac: fisher.seed: found 4294967296, expected an integer from 0 to 4294967295.',
  ],
  [{ layers: [] }, "kfac: layers: found an empty array, expected 'all' or 'last', or an array of layer names, not empty."],
  [{ layers: ['a', 1] }, 'kfac: layers[1]: found 1, expected a layer name.'],
  ['empirical', 'kfac: options: found "empirical", expected an object.'],
  [
    { fisher: { _tag: 'monteCarlo', samples: 1.5, seed: -1 } },
    'kfac has 2 problems:\n  fisher.samples: found 1.5, expected an integer >= 1;\n  fisher.seed: found -1, expected an integer from 0 to 4294967295.',
  ],
])('refuses %j', (options, message) => {
  expect(() => kfac(options as KfacOptions)).toThrow(expect.objectContaining({ kind: 'InvalidOption', message }));
});

it('refuses options of Fisher matrices, naming their constructor', () => {
  expect(() => truncated({ tolerance: 1 })).toThrow('truncated: tolerance: found 1, expected a number >= 0 and < 1.');
  expect(() => monteCarlo({ samples: 0 })).toThrow('monteCarlo: samples: found 0, expected an integer >= 1.');
});

it('refuses what does not belong to the others', () => {
  expect(() => kfra({ weightSharing: 'expand' } as KfraOptions)).toThrow(
    expect.objectContaining({
      kind: 'InvalidOption',
      message: 'kfra: weightSharing: found "expand", expected no such key; allowed: layers, unsupported.',
    }),
  );
  expect(() => ekfac({ fisher: 'kfra' } as unknown as EkfacOptions)).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining('fisher') }),
  );
});

it('lowRank takes a rank, a seed and its layer, the last unless named', () => {
  expect(lowRank()).toStrictEqual({ _tag: 'lowRank', rank: 64, seed: 0, layers: 'last' });
  expect(fisherOf(lowRank())).toBeUndefined();
  expect(() => lowRank({ rank: 0 })).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', message: 'lowRank: rank: found 0, expected an integer >= 1.' }),
  );
  expect(() => lowRank({ unsupported: 'map' } as LowRankOptions)).toThrow(
    expect.objectContaining({ kind: 'InvalidOption', message: expect.stringContaining('unsupported') }),
  );
});

it('has samples and a seed in the Monte Carlo Fisher only, a tolerance in the truncated one', () => {
  // @ts-expect-error they belong to the Fisher matrix
  expect(() => kfac({ fisher: 'monteCarlo', samples: 1 })).toThrow();
  // @ts-expect-error the exact Fisher draws nothing
  expect(() => kfac({ fisher: { _tag: 'exact', seed: 1 } })).toThrow();
  // @ts-expect-error nor does the Monte Carlo one leave anything out
  expect(() => monteCarlo({ tolerance: 0.1 })).toThrow();
});

it('knows of which estimator factors can be added: options count, but for layers and random numbers', () => {
  expect(estimatorOf(kfac({ fisher: monteCarlo({ samples: 4, seed: 7 }), layers: 'last', unsupported: 'map' }))).toEqual({
    _tag: 'kfac',
    fisher: { _tag: 'monteCarlo', samples: 4 },
    weightSharing: 'expand',
  });
  expect(estimatorOf(diagonal({ fisher: customFisher({ name: 'own', columns: (f) => tf.expandDims(f, 0) }) }))).toEqual({
    _tag: 'diagonal',
    fisher: { _tag: 'customFisher', name: 'own' },
  });
  expect(estimatorOf(lowRank({ rank: 8, seed: 3 }))).toEqual({ _tag: 'lowRank', rank: 8 });
  expect(estimatorOf(kfra())).toEqual({ _tag: 'kfra' });
  expect(estimatorOf(diagonal({ fisher: truncated({ tolerance: 0.1 }) }))).toEqual({
    _tag: 'diagonal',
    fisher: { _tag: 'truncated', tolerance: 0.1 },
  });
});

type Coverage = { readonly layers: LayerSelection; readonly unsupported: 'error' | 'map' | 'diagonal' };
type Fishered = Coverage & { readonly fisher: Fisher; readonly noise?: 'shared' | 'perOutput' };
type Sharing = Fishered & { readonly weightSharing: 'expand' | 'reduce' };
/** One object type for an intersection, as `Same` tells the two apart. */
type Written<A> = { readonly [K in keyof A]: A[K] };

holds<
  Same<
    Fisher,
    | { readonly _tag: 'exact' }
    | { readonly _tag: 'truncated'; readonly tolerance: number }
    | { readonly _tag: 'monteCarlo'; readonly samples: number; readonly seed: number }
    | { readonly _tag: 'empirical' }
    | ReturnType<typeof customFisher>
  >
>();

holds<
  Same<
    Curvature,
    | Written<{ readonly _tag: 'kfac' } & Sharing>
    | Written<{ readonly _tag: 'kfra' } & Coverage>
    | Written<{ readonly _tag: 'ekfac' } & Sharing>
    | Written<{ readonly _tag: 'diagonal' } & Fishered>
    | Written<{ readonly _tag: 'full' } & Fishered>
    | { readonly _tag: 'lowRank'; readonly rank: number; readonly seed: number; readonly layers: LayerSelection }
  >
>();
