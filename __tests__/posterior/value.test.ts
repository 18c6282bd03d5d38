/** A posterior of every structure is a frozen plain value: it holds what is documented, survives a clone, and predicts the same. */
import { categorical, kfac, linearised, type Structure } from 'tfjs-laplace';
import { dataFor, factorsOf, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { fittedWith, STRUCTURES } from '../support/structures.js';

type Shape = readonly [rows: number, cols: number];

/** The documented parts of a layer of each structure, with their shapes: P groups, n inputs, m outputs, r kept directions. */
const PARTS: Readonly<Record<Structure, (P: number, n: number, m: number) => Readonly<Record<string, Shape>>>> = {
  kronecker: (P, n, m) => ({
    inputValues: [P * n, 1],
    inputVectors: [P * n, n],
    gradientValues: [P * m, 1],
    gradientVectors: [P * m, m],
  }),
  embedding: (P, n, m) => ({ inputValues: [P * n, 1], gradientValues: [P * m, 1], gradientVectors: [P * m, m] }),
  inputDiagonal: (P, n, m) => ({ inputValues: [P * n, 1], gradientValues: [P * m, 1], gradientVectors: [P * m, m] }),
  diagonal: (P, n, m) => ({ curvature: [P * n, m] }),
  eigen: (P, n, m) => ({ curvature: [P * n, m], inputVectors: [P * n, n], gradientVectors: [P * m, m] }),
  full: (_, n) => ({ inputValues: [n, 1], inputVectors: [n, n], gradientValues: [1, 1] }),
  lowRank: (_, n, m) => ({
    inputValues: [n, 1],
    inputVectors: [n, n],
    diagonal: [m, 1],
    rankValues: [2, 1],
    rankVectors: [m, 2],
  }),
};

/** The documented fields of a layer. */
const LAYER = ['structure', 'parts', 'name', 'members', 'groups', 'n', 'm', 'bias', 'mean', 'priorPrecision'];
/** The documented fields of a posterior. */
const POSTERIOR = [
  '_tag',
  'layers',
  'damping',
  'likelihood',
  'estimator',
  'outputs',
  'datasetSize',
  'fingerprint',
  'architecture',
  'logLikelihood',
];
const MATRIX = ['rows', 'cols', 'data'];

/** All own keys of an object, enumerable or not, symbols too. */
const keysOf = (value: object): PropertyKey[] => Reflect.ownKeys(value).sort();

const sorted = (keys: ReadonlyArray<string>): string[] => [...keys].sort();

/** Every object that is not frozen, by its path. Numbers of a typed array cannot be frozen. */
function unfrozen(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return [
    ...(Object.isFrozen(value) ? [] : [path]),
    ...Object.entries(value).flatMap(([key, v]) => unfrozen(v, `${path}.${key}`)),
  ];
}

describe.each(STRUCTURES)('%s', (structure) => {
  it('is frozen all the way down', async () => {
    const { posterior } = await fittedWith(structure);
    expect(unfrozen(posterior)).toEqual([]);
  });

  it('holds the documented fields and no others', async () => {
    const { posterior } = await fittedWith(structure);
    expect(keysOf(posterior)).toEqual(sorted(POSTERIOR));
    for (const layer of posterior.layers) {
      expect(keysOf(layer)).toEqual(sorted(LAYER));
      const { groups, n, m, parts, mean } = layer;
      const expected = PARTS[layer.structure](groups, n, m);
      expect(keysOf(parts)).toEqual(sorted(Object.keys(expected)));
      for (const matrix of [mean, ...Object.values(parts)]) {
        expect(keysOf(matrix)).toEqual(sorted(MATRIX));
        expect(matrix.data).toBeInstanceOf(Float64Array);
        expect(matrix.data).toHaveLength(matrix.rows * matrix.cols);
      }
      const shapes = Object.entries(parts).map(([part, { rows, cols }]) => [part, [rows, cols]]);
      expect(Object.fromEntries(shapes)).toEqual(expected);
    }
  });

  it('predicts the same after a structured clone', async () => {
    const { model, posterior, x } = await fittedWith(structure);
    const clone = structuredClone(posterior);
    expect(clone).toEqual(posterior);
    expect(await predictOne(model, clone, linearised(), x)).toEqual(await predictOne(model, posterior, linearised(), x));
  });
});

const fitted = async () => {
  const model = chain([4, 3]);
  const factors = await factorsOf(model, categorical(), dataFor(model, categorical(), 9), kfac());
  return { model, factors };
};

it('is frozen all the way down when its factors came through a worker', async () => {
  const { factors } = await fitted();
  expect(unfrozen(await posteriorFrom(structuredClone(factors), { damping: { _tag: 'factored' } }))).toEqual([]);
});

it('predicts the same when its factors were cloned', async () => {
  const { model, factors } = await fitted();
  const [x] = inputsFor(model, 4, 8);
  const predicted = async (own: typeof factors) =>
    predictOne(model, await posteriorFrom(own, { priorPrecision: 3 }), linearised(), x as never);
  expect(await predicted(structuredClone(factors))).toEqual(await predicted(factors));
});

it('leaves factors alone, and does not share memory that they could be changed through', async () => {
  const { factors } = await fitted();
  const before = structuredClone(factors);
  await posteriorFrom(factors, { priorPrecision: 3 });
  expect(factors).toEqual(before);
});
