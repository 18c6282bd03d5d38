/**
 * Covering some of the layers gives the same factors for them as covering all. The last layer alone sums Λ itself (see
 * closedForm.test.ts), of which `truncated` leaves nothing out.
 */
import {
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  full,
  isKronecker,
  kfac,
  kfra,
  type LayerMoments,
  moments,
} from 'tfjs-laplace';
import { fisherOf } from '../../src/curvature/codec.js';
import { prepare } from '../../src/curvature/estimator.js';
import { rowsPerExample } from '../../src/curvature/fisher/seeds.js';
import { readNetwork } from '../../src/network/network.js';
import { dataFor, factorsOf, kindOf, posteriorFrom, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { FLOAT32, type Numbers, relativeError } from '../support/math/numbers.js';

const ESTIMATORS: ReadonlyArray<readonly [string, (layers: Curvature['layers']) => Curvature]> = [
  ['exact', (layers) => kfac({ fisher: 'exact', layers })],
  ['exact, reduced', (layers) => kfac({ fisher: 'exact', weightSharing: 'reduce', layers })],
  ['truncated', (layers) => kfac({ fisher: { _tag: 'truncated', tolerance: layers === 'last' ? 0 : 0.1 }, layers })],
  ['monteCarlo', (layers) => kfac({ fisher: { _tag: 'monteCarlo', samples: 3, seed: 2 }, layers })],
  ['empirical', (layers) => kfac({ fisher: 'empirical', layers })],
  ['kfra', (layers) => kfra({ layers })],
  ['diagonal', (layers) => diagonal({ fisher: { _tag: 'monteCarlo', samples: 2, seed: 1 }, layers })],
];

describe.each(ESTIMATORS)('%s', (_, curvature) => {
  it.each<[string, (names: string[]) => Curvature['layers'], number[]]>([
    ['the last', () => 'last', [2]],
    ['one by name', (names) => [names[0] as string], [0]],
    ['two by name, in any order', (names) => [names[2] as string, names[1] as string], [1, 2]],
    ['all by name', (names) => names, [0, 1, 2]],
  ])('%s', async (_, select, indices) => {
    const model = chain([4, 3, 2]);
    const names = model.layers.map((l) => l.name);
    const data = dataFor(model, categorical(), 6);
    const layers = select(names);
    const whole = { ...curvature(layers), layers: 'all' } as Curvature;
    const all = right(moments(await factorsOf(model, categorical(), data, whole)));
    const some = await factorsOf(model, categorical(), data, curvature(layers));
    const expected = indices.map((i) => names[i]);
    expect(some.layout.covered).toEqual(expected);
    const found = right(moments(some)).filter(({ layout }) => some.layout.covered.includes(layout.name));
    const same = indices.map((i) => all[i] as (typeof all)[number]);
    expect(found.map(({ layout }) => layout)).toEqual(same.map(({ layout }) => layout));
    expect(relativeError(found.map(sums), same.map(sums))).toBeLessThan(layers === 'last' ? FLOAT32 : Number.MIN_VALUE);
    // kfra gathers the layers above too, for its recursion: no posterior covers them.
    expect((await posteriorFrom(some, {})).layers.map((l) => l.name)).toEqual(expected);
  });

  it('refuses a name that the model does not have', () => {
    const network = right(readNetwork(chain([4, 2]), categorical()));
    expect(kindOf(prepare(network, curvature(['nothing'])))).toBe('NoBayesianLayer');
  });
});

/** The numbers of a layer's moments. */
const sums = (layer: LayerMoments): Numbers =>
  isKronecker(layer) ? [layer.input, layer.gradient] : layer._tag === 'diagonal' ? [layer.squares] : [];

it('knows the most that each Fisher matrix sends back, and that kfra has none', () => {
  const rows = (curvature: Curvature): number => {
    const fisher = fisherOf(curvature);
    return fisher === undefined ? 0 : rowsPerExample(fisher, 10);
  };
  expect(ESTIMATORS.map(([, curvature]) => rows(curvature('all')))).toEqual([10, 10, 10, 3, 1, 0, 2]);
  expect([ekfac(), full({ fisher: 'empirical' })].map(rows)).toEqual([10, 1]);
});

it('full covers the chosen layers together, by a name of its own', async () => {
  const model = chain([4, 3, 2]);
  const [low, , top] = model.layers.map((l) => l.name) as [string, string, string];
  const data = dataFor(model, categorical(), 6);
  const { layout, weights } = await factorsOf(model, categorical(), data, full({ layers: [top, low] }));
  // [3 + 1, 4] and [3 + 1, 2] weights in running order, in one column.
  expect(layout.layers).toEqual([
    { name: 'all covered layers', structure: 'full', groups: 1, n: 24, m: 1, bias: false, members: [low, top] },
  ]);
  expect(layout.covered).toEqual(['all covered layers']);
  const column = model.getWeights().flatMap((w, i) => ([0, 1, 4, 5].includes(i) ? Array.from(w.dataSync()) : []));
  expect(Array.from(weights[0]?.data ?? [])).toEqual(column);
});
