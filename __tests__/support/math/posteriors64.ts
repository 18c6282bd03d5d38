/** Factors of chosen matrices, and a posterior's covariance written out: what tests of the posterior start from and end with. */
import fc from 'fast-check';
import { categorical, exactDamping, type Factors, type Matrix, orThrow, type Posterior, variances } from 'tfjs-laplace';
import { identity, kron, product, type Rows, transposed } from './dense64.js';
import { normalSource, take } from './monteCarlo.js';
import { inRows } from './numbers.js';

export const matrixOf = (rows: Rows): Matrix => ({
  rows: rows.length,
  cols: rows[0]?.length ?? 0,
  data: Float64Array.from(rows.flat()),
});

export const rowsOf = ({ cols, data }: Matrix): number[][] => inRows(data, cols);

export interface LayerSpec {
  readonly name: string;
  readonly A: Rows;
  readonly G: Rows;
}

/** A mean of outer products of `rank` random vectors: positive semi-definite [d, d], of trace about d. */
export function secondMoment(d: number, seed: number, rank = 2 * d): number[][] {
  const rows = inRows(take(rank * d, normalSource(seed)), d);
  return product(transposed(rows), rows).map((row) => row.map((v) => v / rank));
}

/** Random sizes n, m, k and ranks of two layers, and a seed for their factors. */
export const TWO_LAYERS = {
  sizes: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 })),
  ranks: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })),
  seed: fc.nat(1000),
};

/** Two layers of these sizes. The factors of the lower one may lack full rank. */
export const twoLayers = (
  [n, m, k]: readonly [number, number, number],
  [ra, rg]: readonly [number, number],
  seed: number,
): LayerSpec[] => [
  { name: 'low', A: secondMoment(n, seed, ra), G: secondMoment(m, seed + 1, rg) },
  { name: 'top', A: secondMoment(m, seed + 2), G: secondMoment(k, seed + 3) },
];

/** Factors of N examples with these means, and weights that depend on the layers' sizes alone. */
export function factorsWith(layers: ReadonlyArray<LayerSpec>, N: number, logLikelihood = -1.5 * N): Factors {
  const times = (a: Rows): Matrix => matrixOf(a.map((row) => row.map((v) => N * v)));
  return {
    _tag: 'Factors',
    layout: {
      estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
      likelihood: categorical(),
      layers: layers.map(({ name, A, G }) => ({
        name,
        structure: 'kronecker',
        members: [name],
        groups: 1,
        n: A.length,
        m: G.length,
        bias: true,
      })),
      covered: layers.map((l) => l.name),
      outputs: layers.at(-1)?.G.length ?? 0,
    },
    fingerprint: 'f00d',
    weights: layers.map(({ A, G }) => matrixOf(inRows(take(A.length * G.length, normalSource(A.length)), G.length))),
    count: N,
    datasetSize: N,
    logLikelihood,
    rows: N,
    layers: layers.map(({ A, G }) => ({ structure: 'kronecker', parts: { input: times(A), gradient: times(G) } })),
  };
}

/** (U_A ⊗ U_G) diag(S²) (U_A ⊗ U_G)ᵀ of layer l, in each of its groups: the covariance of its row-major weights at T = 1. */
export function covarianceOf(posterior: Posterior, l: number): number[][] {
  const layer = posterior.layers[l] as Posterior['layers'][number];
  const { groups: P, n, m } = layer;
  const size = n * m;
  const spread = orThrow(variances(posterior, layer)).data;
  const { inputVectors, gradientVectors }: { inputVectors?: Matrix; gradientVectors?: Matrix } = layer.parts;
  const side = (vectors: Matrix | undefined, p: number, d: number): number[][] =>
    vectors === undefined ? identity(d) : rowsOf({ rows: d, cols: d, data: vectors.data.subarray(p * d * d, (p + 1) * d * d) });
  const whole = Array.from({ length: P * size }, () => new Array<number>(P * size).fill(0));
  for (let p = 0; p < P; p++) {
    const basis = kron(side(inputVectors, p, n), side(gradientVectors, p, m));
    const own = product(
      basis,
      transposed(basis).map((row, k) => row.map((v) => v * (spread[p * size + k] as number))),
    );
    own.forEach((row, i) => (whole[p * size + i] as number[]).splice(p * size, size, ...row));
  }
  return whole;
}

/** A posterior of one layer of any size, without a decomposition: the basis of each side is the identity, written out. */
export function posteriorOfSize(name: string, n: number, m: number): Posterior {
  const vectors = (d: number): Matrix => {
    const data = new Float64Array(d * d);
    for (let i = 0; i < d; i++) data[i * d + i] = 1;
    return { rows: d, cols: d, data };
  };
  const values = (d: number): Matrix => ({ rows: d, cols: 1, data: Float64Array.from({ length: d }, (_, i) => 1 / (1 + i)) });
  const parts = {
    inputValues: values(n),
    inputVectors: vectors(n),
    gradientValues: values(m),
    gradientVectors: vectors(m),
  };
  const mean: Matrix = { rows: n, cols: m, data: new Float64Array(n * m) };
  const layer = {
    name,
    members: [name],
    structure: 'kronecker',
    parts,
    groups: 1,
    n,
    m,
    bias: true,
    mean,
    priorPrecision: 1,
  } as const;
  return {
    _tag: 'Posterior',
    layers: [layer],
    damping: exactDamping(),
    likelihood: categorical(),
    estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
    outputs: m,
    datasetSize: 100,
    fingerprint: 'f00d',
    logLikelihood: -1,
  };
}
