/** `checkFactors`: it lets through what passes make, of every structure and of many networks, and finds what cannot be. */
import * as tf from '@tensorflow/tfjs';
import {
  bernoulli,
  categorical,
  checkFactors,
  type ExpectedFactors,
  type Factors,
  gaussian,
  kfac,
  type Likelihood,
  type Matrix,
  poisson,
  truncated,
} from 'tfjs-laplace';
import { largestHessianTrace } from '../../src/likelihood/largestHessianTrace.js';
import { KEPT, type Kept, keptOf, LARGE } from '../support/kept.js';
import { dataFor, factorsOf, right } from '../support/math/laplace.js';
import { chain } from '../support/math/networks.js';
import { ZOO, zooInputs } from '../support/zoo.js';

const kept = new Map<string, Kept>();
const CASES = Object.keys({ ...KEPT, ...LARGE });
beforeAll(async () => {
  for (const name of CASES) kept.set(name, await keptOf(name));
});
const own = (name: string): Factors => (kept.get(name) as Kept).factors;

describe('lets through', () => {
  it.each(CASES)('%s', (name) => {
    const { fingerprint, layout } = own(name);
    expect(right(checkFactors(own(name), { fingerprint, layout }))).toBe(own(name));
  });

  it.each(ZOO.map((zoo) => [zoo.name, zoo] as const))('%s', async (_, zoo) => {
    const model = zoo.build();
    const [, ...sizes] = (model.outputs[0] as tf.SymbolicTensor).shape as number[];
    const C = sizes.reduce((a, b) => a * b);
    const factors = await factorsOf(model, gaussian(), { x: zooInputs(zoo, model, 4, 3), y: tf.zeros([4, C]) }, kfac(), 2);
    expect(right(checkFactors(factors)).count).toBe(4);
  });

  it('sums over the outputs that are as large as they can be', async () => {
    for (const likelihood of [categorical(), bernoulli(), gaussian({ noiseVariance: [0.1, 2, 3] })] as Likelihood[]) {
      const model = chain([3]);
      const data = dataFor(model, likelihood, 5);
      // Logits of 0 have the largest Hessian.
      model.setWeights(model.getWeights().map((w) => tf.zerosLike(w)));
      for (const curvature of [kfac(), kfac({ fisher: truncated({ tolerance: 0.1 }) })]) {
        const factors = await factorsOf(model, likelihood, data, curvature, 2);
        const outputLayer = factors.layout.layers[0]?.name as string;
        expect(right(checkFactors(factors, { outputLayer })).count).toBe(5);
      }
    }
  });
});

/** The trace of the Hessian at random outputs, by its definition. */
it('no Hessian has a larger trace', () => {
  const logits = [-30, -2, -0.5, 0, 0.5, 2, 30];
  const soft = (f: number[]): number[] => {
    const e = f.map(Math.exp);
    const sum = e.reduce((a, b) => a + b);
    return e.map((v) => v / sum);
  };
  for (const a of logits)
    for (const b of logits) {
      const trace = soft([a, b, 0]).reduce((sum, p) => sum + p * (1 - p), 0);
      expect(trace).toBeLessThanOrEqual(largestHessianTrace(categorical(), 3) + 1e-12);
      const two = [a, b].map((f) => 1 / (1 + Math.exp(-f))).reduce((sum, p) => sum + p * (1 - p), 0);
      expect(two).toBeLessThanOrEqual(largestHessianTrace(bernoulli(), 2) + 1e-12);
    }
  expect(largestHessianTrace(gaussian({ noiseVariance: 0.5 }), 3)).toBe(6);
  expect(largestHessianTrace(poisson(), 3)).toBe(Number.POSITIVE_INFINITY);
});

describe('refuses', () => {
  /** Factors with one number of one sum changed. */
  const changed = (part: string, at: number, by: (v: number) => number, l = 0): Factors => {
    const factors = own('kronecker');
    const layers = factors.layers.map((layer, i) => {
      if (i !== l) return layer;
      const parts = layer.parts as unknown as Readonly<Record<string, Matrix>>;
      const { data, ...shape } = parts[part] as Matrix;
      const copy = data.slice();
      copy[at] = by(copy[at] as number);
      return { ...layer, parts: { ...parts, [part]: { ...shape, data: copy } } };
    });
    return { ...factors, layers } as unknown as Factors;
  };
  const first = (): string => own('kronecker').layout.layers[0]?.name as string;
  type Case = readonly [string, () => Factors, ExpectedFactors, object];
  const whole = (): Factors => own('kronecker');
  const cases: ReadonlyArray<Case> = [
    ['other weights', whole, { fingerprint: 'other' }, { kind: 'Mismatch', field: 'fingerprint' }],
    ['other examples', whole, { parts: [{ dataset: 'a', first: 0, end: 2 }] }, { kind: 'Mismatch', field: 'parts' }],
    ['NaN', () => changed('input', 1, () => Number.NaN), {}, { kind: 'NotFinite', field: 'input' }],
    ['an infinite count', () => ({ ...whole(), count: Number.POSITIVE_INFINITY }), {}, { kind: 'NotFinite', field: 'count' }],
    ['a negative number of rows', () => ({ ...whole(), rows: -1 }), {}, { kind: 'InvalidInput', field: 'rows' }],
    ['N above the count', () => ({ ...whole(), datasetSize: 99 }), {}, { kind: 'InvalidInput', field: 'count' }],
    ['no symmetry', () => changed('input', 1, (v) => v + 1), {}, { kind: 'InvalidInput', field: 'input', found: 'at (1, 0)' }],
    ['a negative eigenvalue', () => changed('gradient', 0, (v) => -v), {}, { field: 'gradient', found: 'negative eigenvalue' }],
    ['another count', () => ({ ...whole(), count: 1.9, datasetSize: 1.9 }), {}, { field: 'input', found: 'a bias that counts' }],
    ['no such layer', whole, { outputLayer: 'none' }, { field: 'outputLayer' }],
  ];

  it.each(cases)('%s', (_, factors, expected, { found = '', ...error }: { found?: string }) => {
    expect(checkFactors(factors(), expected)).toMatchObject({ left: { ...error, message: expect.stringContaining(found) } });
  });

  it('another layout, sums of another shape, and a layer by its name', () => {
    const { layout } = own('diagonal');
    expect(checkFactors(own('kronecker'), { layout })).toMatchObject({ left: { kind: 'Mismatch' } });
    const weights = own('kronecker').weights.map(({ data }) => ({ rows: 1, cols: data.length, data }));
    expect(checkFactors({ ...own('kronecker'), weights })).toMatchObject({
      left: { kind: 'InvalidInput', layer: first(), field: 'weights' },
    });
    const other = { ...own('kronecker'), layers: own('diagonal').layers };
    expect(checkFactors(other)).toMatchObject({ left: { kind: 'InvalidInput', layer: first(), field: 'structure' } });
  });

  it('a negative sum of squares', () => {
    const factors = own('diagonal');
    const layers = factors.layers.map((layer) => {
      const { squares } = layer.parts as unknown as { squares: Matrix };
      return { ...layer, parts: { squares: { ...squares, data: squares.data.map((v) => -v) } } };
    });
    const negative = { ...factors, layers } as unknown as Factors;
    expect(checkFactors(negative)).toMatchObject({ left: { kind: 'InvalidInput', field: 'squares' } });
  });

  it('outputs whose curvature no example can have', () => {
    const factors = own('kronecker');
    const name = factors.layout.layers.at(-1)?.name as string;
    const last = factors.layers.length - 1;
    const more = changed('gradient', 0, (v) => 1.5 * v, last);
    expect(right(checkFactors(factors, { outputLayer: name }))).toBe(factors);
    expect(right(checkFactors(more))).toBe(more);
    expect(checkFactors(more, { outputLayer: name })).toMatchObject({ left: { field: 'gradient', layer: name } });
  });
});
