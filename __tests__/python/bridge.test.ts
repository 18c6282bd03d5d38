/** The bridge to laplace-torch, without it: its numbers are made here from factors, with those covariances left out that it cannot hold. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  categorical,
  decodePosterior,
  diagonal,
  encodePosterior,
  evidence,
  type Factors,
  factoredDamping,
  gaussian,
  kfac,
  type Likelihood,
  linearised,
  type Matrix,
  type Posterior,
} from 'tfjs-laplace';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { FLOAT32, FLOAT64, relativeError } from '../support/math/numbers.js';
import { folder, withPython, work } from './process.js';

const PRIOR = 0.3;
const N = 8;

/** Factors of a layer, as this library has them for a network of dense layers. */
interface Sums {
  readonly input: Matrix;
  readonly gradient: Matrix;
}

/** The same factors without the covariances of weights and biases. */
function parted(factors: Factors): Factors {
  const without = ({ rows: n, cols, data }: Matrix): Matrix => ({
    rows: n,
    cols,
    data: data.map((v, i) => ((Math.floor(i / n) === n - 1) !== (i % n === n - 1) ? 0 : v)),
  });
  const layers = factors.layers.map((layer, l) =>
    factors.layout.layers[l]?.bias ? { ...layer, parts: { ...layer.parts, input: without((layer.parts as Sums).input) } } : layer,
  );
  return { ...factors, layers } as Factors;
}

/** The first rows and columns of a matrix, made symmetric, as rows. */
const rowsOf = ({ rows, cols, data }: Matrix, factor: number, size = rows): number[][] =>
  Array.from({ length: size }, (_, r) =>
    Array.from({ length: size }, (_, c) => (factor / 2) * ((data[r * cols + c] as number) + (data[c * cols + r] as number))),
  );

/** What laplace-torch would hold for these factors, which are those of a noise variance: weights [out, in], G a sum and A a mean. */
function stateOf({ layers, layout, weights, logLikelihood }: Factors, variance: number, T: number) {
  const isRegression = layout.likelihood._tag === 'gaussian';
  const split = isRegression ? 2 : 1;
  const C = layout.outputs;
  return {
    cls_name: 'KronLaplace',
    likelihood: isRegression ? 'regression' : 'classification',
    n_data: N,
    n_outputs: C,
    temperature: T,
    sigma_noise: Math.sqrt(variance),
    prior_mean: 0,
    prior_precision: [PRIOR],
    loss: -variance * (logLikelihood + (isRegression ? (N * C * Math.log(2 * Math.PI * variance)) / 2 : 0)),
    mean: weights.flatMap(({ rows, cols, data }, l) => {
      const inputs = layout.layers[l]?.bias ? rows - 1 : rows;
      const column = (j: number) => Array.from({ length: inputs }, (_, i) => data[i * cols + j] as number);
      return [...Array.from({ length: cols }, (_, j) => column(j)).flat(), ...data.slice(inputs * cols)];
    }),
    H: layers.flatMap(({ parts }, l) => {
      const { input, gradient } = parts as Sums;
      const bias = layout.layers[l]?.bias;
      const A = rowsOf(input, 1 / (N * Math.sqrt(split)), bias ? input.rows - 1 : input.rows);
      const block = [rowsOf(gradient, variance * Math.sqrt(split)), A];
      return bias ? [block, [rowsOf(gradient, variance)]] : [block];
    }),
  };
}

const posteriorFile = (path: string): Posterior => right(decodePosterior(readFileSync(join(path, 'posterior'))));

withPython('the bridge to laplace-torch', () => {
  it.each<[string, Likelihood, number, boolean]>([
    ['regression', gaussian({ noiseVariance: 0.25 }), 0.25, true],
    ['regression without biases', gaussian({ noiseVariance: 0.25 }), 0.25, false],
    ['classification', categorical(), 1, true],
    ['classification without biases', categorical(), 1, false],
  ])('imports exactly, and exports what it imported: %s', async (_name, likelihood, variance, useBias) => {
    const model = chain([4, 3], { useBias });
    const x = inputsFor(model, 5, 21)[0] as ReturnType<typeof inputsFor>[number];
    const factors = parted(await factorsOf(model, likelihood, dataFor(model, likelihood, N)));
    const path = folder();
    const layers = factors.layout.layers.map(({ name, bias }) => ({ name, bias }));
    writeFileSync(join(path, 'state.json'), JSON.stringify({ layers, state: stateOf(factors, variance, 1) }));
    const { distance, warnings } = work<{ distance: number; warnings: string[] }>('imported', path);
    // G of a softmax has an eigenvalue of 0, which rounding to float32 may take below 0. It comes back as 0.
    expect(distance).toBeLessThan(likelihood._tag === 'categorical' ? FLOAT32 : FLOAT64);
    expect(warnings).toEqual([]);
    const expected = await posteriorFrom(factors, { priorPrecision: PRIOR });
    const found = posteriorFile(path);
    // The bridge does not know what the layers of a tfjs model are wired to.
    const { architecture, ...known } = expected;
    expect([architecture, found.architecture]).toEqual([expect.any(String), undefined]);
    expect({ ...found, layers: [], logLikelihood: 0 }).toEqual({ ...known, layers: [], logLikelihood: 0 });
    expect(evidence(found).logMarginalLikelihood).toBeCloseTo(evidence(expected).logMarginalLikelihood, 8);
    const [own, theirs] = [await predictOne(model, found, linearised(), x), await predictOne(model, expected, linearised(), x)];
    for (const [field, numbers] of Object.entries(theirs)) {
      if (typeof numbers === 'string') expect(own).toHaveProperty(field, numbers);
      else expect(relativeError(own[field as 'mean' & keyof typeof own], numbers)).toBeLessThan(1e-5);
    }
  });

  it('makes the temperature of the likelihood a part of the curvature', async () => {
    const model = chain([4, 3]);
    const factors = parted(await factorsOf(model, categorical(), dataFor(model, categorical(), N)));
    const path = folder();
    const layers = factors.layout.layers.map(({ name, bias }) => ({ name, bias }));
    writeFileSync(join(path, 'state.json'), JSON.stringify({ layers, state: stateOf(factors, 1, 4) }));
    work('imported', path);
    const [found, whole] = [posteriorFile(path), await posteriorFrom(factors, { priorPrecision: PRIOR })];
    found.layers.forEach(({ parts }, l) => {
      const values = (own: unknown) => (own as { gradientValues: Matrix }).gradientValues.data;
      expect(
        relativeError(
          values(parts),
          values(whole.layers[l]?.parts).map((v) => v / 4),
        ),
      ).toBeLessThan(FLOAT64);
    });
  });

  it('takes factors of which one is larger and the other smaller, as other backends may make them', async () => {
    const model = chain([4, 3]);
    const factors = parted(await factorsOf(model, categorical(), dataFor(model, categorical(), N)));
    const state = stateOf(factors, 1, 1);
    const H = state.H.map((block) =>
      block.length === 1 ? block : block.map((own, i) => own.map((row) => row.map((v) => (i ? v / 3 : v * 3)))),
    );
    const path = folder();
    const layers = factors.layout.layers.map(({ name, bias }) => ({ name, bias }));
    writeFileSync(join(path, 'state.json'), JSON.stringify({ layers, state: { ...state, H } }));
    work('imported', path);
    const [found, expected] = [posteriorFile(path), await posteriorFrom(factors, { priorPrecision: PRIOR })];
    found.layers.forEach(({ parts }, l) => {
      for (const part of ['inputValues', 'gradientValues'] as const) {
        const values = (own: unknown) => (own as Record<typeof part, Matrix>)[part];
        expect(relativeError(values(parts), values(expected.layers[l]?.parts))).toBeLessThan(FLOAT32);
      }
    });
  });

  it('says which layers lose the covariance of weights and bias, and loses nothing else', async () => {
    const likelihood = gaussian({ noiseVariance: 0.25 });
    for (const useBias of [true, false]) {
      const model = chain([4, 3], { useBias });
      const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, N)), {
        priorPrecision: PRIOR,
      });
      const path = folder();
      writeFileSync(join(path, 'posterior.in'), right(encodePosterior(posterior)));
      const found = work<{ distance: number; warnings: string[]; manifests: [string, string] }>('exported', path);
      // The bridge does not know what the layers of a tfjs model are wired to.
      const known = found.manifests.map((manifest) => manifest.replace(/"architecture":"[0-9a-f]{16}",/, ''));
      expect(known[0]).toBe(known[1]);
      if (useBias) {
        const [first, second] = posterior.layers.map(({ name }) => name);
        expect(found.warnings).toEqual([expect.stringContaining(`the weights and the bias of ${first}, ${second}`)]);
        expect(found.distance).toBeGreaterThan(0.01);
      } else {
        expect(found.warnings).toEqual([]);
        expect(found.distance).toBeLessThan(FLOAT64);
      }
    }
  });

  it('refuses what laplace-torch cannot hold, and says why', async () => {
    const model = chain([3, 2]);
    const likelihood = gaussian();
    const data = dataFor(model, likelihood, N);
    const factors = await factorsOf(model, likelihood, data);
    const refused = (posterior: Posterior): string | undefined => {
      const path = folder();
      writeFileSync(join(path, 'posterior.in'), right(encodePosterior(posterior)));
      return work<{ refused?: string }>('exported', path).refused;
    };
    expect(refused(await posteriorFrom(factors, { priorPrecision: 1, damping: factoredDamping() }))).toContain('damping');
    expect(refused(await posteriorFrom(await factorsOf(model, likelihood, data, diagonal()), { priorPrecision: 1 }))).toContain(
      'kfac()',
    );
    const noises = gaussian({ noiseVariance: [1, 2] });
    expect(refused(await posteriorFrom(await factorsOf(model, noises, data, kfac()), { priorPrecision: 1 }))).toContain(
      'one noise variance',
    );
  });
});
