/** Covering some of the layers gives the same factors for them as covering all. */
import { type Curvature, categorical, kfac, kfra, moments } from 'tfjs-laplace';
import { prepare, rowsPerExample } from '../../src/curvature/estimator.js';
import { readNetwork } from '../../src/network/network.js';
import { dataFor, factorsOf, kindOf, posteriorFrom, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';

const ESTIMATORS: ReadonlyArray<readonly [string, (layers: Curvature['layers']) => Curvature]> = [
  ['exact', (layers) => kfac({ fisher: 'exact', layers })],
  ['monteCarlo', (layers) => kfac({ fisher: 'monteCarlo', draws: 3, seed: 2, layers })],
  ['empirical', (layers) => kfac({ fisher: 'empirical', layers })],
  ['kfra', (layers) => kfra({ layers })],
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
    const all = right(moments(await factorsOf(model, categorical(), data, curvature('all'))));
    const some = await factorsOf(model, categorical(), data, curvature(select(names)));
    const expected = indices.map((i) => names[i]);
    expect(some.layout.covered).toEqual(expected);
    const found = right(moments(some)).filter(({ layout }) => some.layout.covered.includes(layout.name));
    expect(found).toEqual(indices.map((i) => all[i]));
    // kfra gathers the layers above too, for its recursion: no posterior covers them.
    expect((await posteriorFrom(some, {})).layers.map((l) => l.name)).toEqual(expected);
  });

  it('refuses a name that the model does not have', () => {
    const network = right(readNetwork(chain([4, 2]), categorical()));
    expect(kindOf(prepare(network, curvature(['nothing'])))).toBe('NoBayesianLayer');
  });
});

it('knows what each estimator sends back', () => {
  expect(ESTIMATORS.map(([, curvature]) => rowsPerExample(curvature('all'), 10))).toEqual([10, 3, 1, 0]);
});
