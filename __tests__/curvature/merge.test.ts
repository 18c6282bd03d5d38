/** What `merge` refuses, and the field that its error names. */
import { either as E } from 'fp-ts';
import {
  bernoulli,
  type Curvature,
  categorical,
  customLikelihood,
  diagonal,
  ekfac,
  emptyFactors,
  type Factors,
  full,
  gaussian,
  isLaplaceError,
  kfac,
  kfra,
  type Layout,
  type Likelihood,
  lowRank,
  merge,
  mergeEpochs,
  monteCarlo,
  perOutput,
  perStep,
  truncated,
} from 'tfjs-laplace';
import { estimatorOf } from '../../src/curvature/codec.js';
import { right } from '../support/math/laplace.js';

/** A layout in which every optional field is present somewhere. */
const LAYOUT: Layout = {
  estimator: estimatorOf(kfac({ fisher: truncated({ tolerance: 0.5 }) })),
  likelihood: gaussian({ noiseVariance: [1, 2] }),
  layers: [
    { name: 'a', structure: 'kronecker', members: ['a'], groups: 1, n: 3, m: 2, bias: true, positions: 4 },
    {
      name: 'b',
      structure: 'lowRank',
      members: ['b'],
      groups: 1,
      n: 2,
      m: 3,
      bias: false,
      sketch: { rank: 1, columns: 2, seed: 0 },
    },
  ],
  covered: ['a', 'b'],
  outputs: 3,
  basis: 'cafe',
};

const WEIGHTS = LAYOUT.layers.map(({ groups, n, m }) => ({
  rows: groups * n,
  cols: m,
  data: new Float64Array(groups * n * m),
}));

const factorsWith = (layout: Layout, count = 0): Factors => ({ ...emptyFactors(LAYOUT, 'f00d', WEIGHTS), layout, count });

/** Expects both orders of merging to be refused, and the error to name the field and what each side holds there. */
function expectRefused(a: Layout, b: Layout, field: string, [inA, inB]: readonly [string, string]): void {
  for (const combine of [merge, mergeEpochs]) {
    expectMismatch(combine(factorsWith(a), factorsWith(b)), { field, expected: inA, found: inB });
    expectMismatch(combine(factorsWith(b), factorsWith(a)), { field, expected: inB, found: inA });
  }
}

function expectMismatch(result: E.Either<unknown, Factors>, parts: { field: string; found?: string; expected?: string }): void {
  const error = E.isLeft(result) ? result.left : undefined;
  if (!isLaplaceError(error)) throw new Error(`expected a LaplaceError that names ${parts.field}`);
  expect(error).toMatchObject({ kind: 'Mismatch', ...parts });
}

/** The path and the value of every number, string and boolean in a plain value. */
function leavesOf(value: unknown, path = ''): ReadonlyArray<readonly [path: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  const place = (key: string): string => (Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, place(key)));
}

const keysOf = (path: string): ReadonlyArray<string> => path.split(/[.[\]]+/).filter((key) => key !== '');

/** A copy of a plain value with another value at one path. */
function changed(value: unknown, [key, ...rest]: ReadonlyArray<string>, to: unknown): unknown {
  if (key === undefined) return to;
  const part = changed((value as Record<string, unknown>)[key], rest, to);
  return Array.isArray(value) ? value.map((v, i) => (String(i) === key ? part : v)) : { ...(value as object), [key]: part };
}

/** Another value of the same type. */
const other = (value: unknown): unknown =>
  typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}x`;

describe('every field of a layout', () => {
  it.each(leavesOf(LAYOUT))('%s', (path, value) => {
    const layout = changed(LAYOUT, keysOf(path), other(value)) as Layout;
    expectRefused(LAYOUT, layout, `layout.${path}`, [JSON.stringify(value), JSON.stringify(other(value))]);
  });

  it.each<[string, keyof Layout | string, Layout]>([
    ['basis', '"cafe"', (({ basis: _, ...rest }) => rest)(LAYOUT)],
    ['layers[0].positions', '4', changed(LAYOUT, ['layers', '0', 'positions'], undefined) as Layout],
    ['layers[1].sketch', '{"rank":1,"columns":2,"seed":0}', changed(LAYOUT, ['layers', '1', 'sketch'], undefined) as Layout],
    ['layers[1]', JSON.stringify(LAYOUT.layers[1]), { ...LAYOUT, layers: LAYOUT.layers.slice(0, 1) }],
    ['covered[1]', '"b"', { ...LAYOUT, covered: ['a'] }],
  ])('%s, if one side lacks it', (path, value, layout) => {
    expectRefused(LAYOUT, layout, `layout.${path}`, [value, 'nothing']);
  });
});

it.each<[Curvature, Curvature, string, readonly [string, string]]>([
  [kfac(), kfra(), '_tag', ['"kfac"', '"kfra"']],
  [kfac(), ekfac(), '_tag', ['"kfac"', '"ekfac"']],
  [diagonal(), full(), '_tag', ['"diagonal"', '"full"']],
  [kfac(), kfac({ fisher: 'empirical' }), 'fisher._tag', ['"exact"', '"empirical"']],
  [diagonal(), diagonal({ fisher: 'truncated' }), 'fisher._tag', ['"exact"', '"truncated"']],
  [
    kfac({ fisher: truncated({ tolerance: 0.1 }) }),
    kfac({ fisher: truncated({ tolerance: 0.2 }) }),
    'fisher.tolerance',
    ['0.1', '0.2'],
  ],
  [full({ fisher: monteCarlo({ samples: 1 }) }), full({ fisher: monteCarlo({ samples: 2 }) }), 'fisher.samples', ['1', '2']],
  [kfac(), kfac({ weightSharing: 'reduce' }), 'weightSharing', ['"expand"', '"reduce"']],
  [ekfac(), ekfac({ weightSharing: 'reduce' }), 'weightSharing', ['"expand"', '"reduce"']],
  [lowRank(), lowRank({ rank: 3 }), 'rank', ['64', '3']],
])('estimators: %j and %j', (a, b, path, values) => {
  const layoutOf = (curvature: Curvature): Layout => ({ ...LAYOUT, estimator: estimatorOf(curvature) });
  expectRefused(layoutOf(a), layoutOf(b), `layout.estimator.${path}`, values);
});

it.each<[Curvature, Curvature]>([
  [kfac({ layers: 'last' }), kfac({ layers: ['a'], unsupported: 'map' })],
  [kfac({ fisher: monteCarlo({ seed: 1 }) }), kfac({ fisher: monteCarlo({ seed: 2 }) })],
])('adds factors whose estimators differ only in layers or random numbers: %j and %j', (a, b) => {
  const layoutOf = (curvature: Curvature): Layout => ({ ...LAYOUT, estimator: estimatorOf(curvature) });
  expect(right(merge(factorsWith(layoutOf(a), 1), factorsWith(layoutOf(b), 2))).count).toBe(3);
});

/** A likelihood of one's own whose functions are new in each call. */
const own = (name: string): Likelihood => customLikelihood({ name, nll: (f) => f.sum(1), hessianRoot: (f) => f.expandDims(0) });

it.each<[string, Likelihood, Likelihood, string, readonly [string, string]]>([
  ['tags', categorical(), bernoulli(), '_tag', ['"categorical"', '"bernoulli"']],
  ['a smoothing', categorical(), categorical({ labelSmoothing: 0.1 }), 'labelSmoothing', ['0', '0.1']],
  [
    'weights of classes',
    categorical({ classWeights: [1, 2] }),
    categorical({ classWeights: [1, 3] }),
    'classWeights[1]',
    ['2', '3'],
  ],
  ['weights and none', categorical({ classWeights: [1, 2] }), categorical(), 'classWeights', ['[1,2]', 'nothing']],
  ['a noise', gaussian({ noiseVariance: 1 }), gaussian({ noiseVariance: 2 }), 'noiseVariance', ['1', '2']],
  ['one noise and several', gaussian({ noiseVariance: 1 }), gaussian({ noiseVariance: [1, 1] }), 'noiseVariance', ['1', '[1,1]']],
  ['a step', perStep(categorical()), perStep(bernoulli()), 'each._tag', ['"categorical"', '"bernoulli"']],
  ['an ignored label', perStep(categorical()), perStep(categorical(), { ignoreLabel: -1 }), 'ignoreLabel', ['nothing', '-1']],
  [
    'an output',
    perOutput({ a: categorical() }),
    perOutput({ a: bernoulli() }),
    'outputs.a._tag',
    ['"categorical"', '"bernoulli"'],
  ],
  ['names', own('mine'), own('yours'), 'name', ['"mine"', '"yours"']],
])('likelihoods: %s', (_, a, b, path, values) => {
  expectRefused({ ...LAYOUT, likelihood: a }, { ...LAYOUT, likelihood: b }, `layout.likelihood.${path}`, values);
});

it('adds factors of one likelihood of your own that was made twice', () => {
  const [a, b] = [own('mine'), own('mine')].map((likelihood) => factorsWith({ ...LAYOUT, likelihood }, 1));
  expect(right(merge(a as Factors, b as Factors)).count).toBe(2);
});

describe('weights', () => {
  const later: Factors = { ...factorsWith(LAYOUT), fingerprint: 'beef' };

  it('are named by the fingerprint', () => {
    expectMismatch(merge(factorsWith(LAYOUT), later), { field: 'fingerprint', found: 'f00d and beef' });
    expectMismatch(merge(later, factorsWith(LAYOUT)), { field: 'fingerprint', found: 'beef and f00d' });
  });

  it('may differ between epochs', () => {
    expect(right(mergeEpochs(factorsWith(LAYOUT), later)).fingerprint).toBe('beef');
  });
});

describe('the same sums twice', () => {
  const a = factorsWith(LAYOUT, 5);

  it('are refused: a value and itself, a copy of it, and a value that shares one layer with it', () => {
    expectMismatch(merge(a, a), { field: 'layers' });
    expectMismatch(merge(a, { ...a }), { field: 'layers' });
    const b = factorsWith(LAYOUT, 5);
    expectMismatch(merge(a, { ...b, layers: [b.layers[0] as never, a.layers[1] as never] }), { field: 'layers' });
  });

  it('are no problem without an example, or as separate sums', () => {
    const empty = factorsWith(LAYOUT);
    expect(right(merge(empty, empty)).count).toBe(0);
    expect(right(merge(a, structuredClone(a))).count).toBe(10);
  });
});
