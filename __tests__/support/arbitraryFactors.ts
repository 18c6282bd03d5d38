/** Random factors of one layout that has every kind of sum. */
import fc from 'fast-check';
import { categorical, emptyFactors, type Factors, type LayerSums, type Layout, type Matrix, type Structure } from 'tfjs-laplace';
import { matricesOf } from './factors.js';

export const LAYOUT: Layout = {
  estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
  likelihood: categorical(),
  layers: [
    { name: 'a', structure: 'kronecker', members: ['a'], groups: 1, n: 3, m: 2, bias: true },
    { name: 'b', structure: 'kronecker', members: ['b'], groups: 2, n: 1, m: 2, bias: false },
    { name: 'c', structure: 'embedding', members: ['c'], groups: 1, n: 3, m: 2, bias: false },
    { name: 'd', structure: 'diagonal', members: ['d'], groups: 2, n: 2, m: 1, bias: true },
    {
      name: 'e',
      structure: 'lowRank',
      members: ['e'],
      groups: 1,
      n: 2,
      m: 3,
      bias: true,
      sketch: { rank: 1, columns: 2, seed: 0 },
    },
    { name: 'f', structure: 'lowRank', members: ['f'], groups: 1, n: 2, m: 3, bias: true },
  ],
  covered: ['a', 'b', 'c', 'd', 'e', 'f'],
  outputs: 3,
};

const entry = fc.double({ min: -1e6, max: 1e6, noNaN: true });

const matrixOf = (rows: number, cols: number): fc.Arbitrary<Matrix> =>
  fc.array(entry, { minLength: rows * cols, maxLength: rows * cols }).map((v) => ({ rows, cols, data: Float64Array.from(v) }));

const sumsOf = <S extends Structure>(structure: S, parts: Record<string, fc.Arbitrary<Matrix>>): fc.Arbitrary<LayerSums> =>
  fc.record({ structure: fc.constant(structure), parts: fc.record(parts) }) as unknown as fc.Arbitrary<LayerSums>;

/** The sums of each layer of the layout. */
const SUMS = [
  sumsOf('kronecker', { input: matrixOf(3, 3), gradient: matrixOf(2, 2) }),
  sumsOf('kronecker', { input: matrixOf(2, 1), gradient: matrixOf(4, 2) }),
  sumsOf('embedding', { input: matrixOf(3, 1), gradient: matrixOf(2, 2) }),
  sumsOf('diagonal', { squares: matrixOf(4, 1) }),
  sumsOf('lowRank', { input: matrixOf(2, 2), diagonal: matrixOf(3, 1), sketch: matrixOf(3, 2) }),
  sumsOf('lowRank', { input: matrixOf(2, 2), diagonal: matrixOf(3, 1) }),
] as const;

export const WEIGHTS = LAYOUT.layers.map(({ groups, n, m }) => ({
  rows: groups * n,
  cols: m,
  data: new Float64Array(groups * n * m).fill(0.5),
}));
export const EMPTY = emptyFactors(LAYOUT, 'f00d', WEIGHTS);

export const factors: fc.Arbitrary<Factors> = fc
  .record({
    count: fc.nat(1000),
    logLikelihood: entry,
    rows: fc.nat(10000),
    layers: fc.tuple(...SUMS),
  })
  .map((sums) => ({ ...EMPTY, ...sums, datasetSize: sums.count }));

/** Every number in the sums. */
export const numbersIn = ({ count, datasetSize, logLikelihood, rows, layers }: Factors): number[] => [
  count,
  datasetSize,
  logLikelihood,
  rows,
  ...layers.flatMap((sums) => Object.values(matricesOf(sums)).flatMap(({ data }) => Array.from(data))),
];
