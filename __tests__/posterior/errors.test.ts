/** What cannot become a posterior is an error value that names layer and field. */
import { either as E } from 'fp-ts';
import {
  exactDamping,
  type Factors,
  isotropic,
  type LaplaceErrorKind,
  type LayerSums,
  type Matrix,
  moments,
  type Prior,
  perLayer,
  withPrior,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { type PosteriorOptions, posteriorOf } from '../../src/posterior/posteriorOf.js';
import { expectRefusal } from '../support/errors.js';
import { matricesOf } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { kindOf, right } from '../support/math/laplace.js';
import { factorsWith, matrixOf, secondMoment } from '../support/math/posteriors64.js';

const LAYERS = [
  { name: 'low', A: secondMoment(3, 1), G: secondMoment(2, 2) },
  { name: 'top', A: secondMoment(2, 3), G: secondMoment(2, 4) },
];
const FACTORS = factorsWith(LAYERS, 10);
const OPTIONS: PosteriorOptions = { prior: isotropic(1), damping: exactDamping(), layers: 'all' };

const build = (factors: Factors, options: Partial<PosteriorOptions> = {}) =>
  posteriorOf(factors, { ...OPTIONS, ...options }, javascriptEngine);

/** FACTORS with another matrix in one place. */
const replaced = (layer: number, part: 'input' | 'gradient', matrix: Matrix): Factors => ({
  ...FACTORS,
  layers: FACTORS.layers.map((sums, l) =>
    l === layer ? ({ ...sums, parts: { ...sums.parts, [part]: matrix } } as LayerSums) : sums,
  ),
});

/** FACTORS with one entry of one sum replaced. */
function damaged(layer: number, part: 'input' | 'gradient', index: number, value: number): Factors {
  const own = kronecker(FACTORS.layers[layer])[part];
  const data = Float64Array.from(own.data);
  data[index] = value;
  return replaced(layer, part, { ...own, data });
}

it('is a posterior for comparison', () => {
  expect(E.isRight(build(FACTORS))).toBe(true);
});

describe('factors', () => {
  it.each<[string, Factors, LaplaceErrorKind, Record<string, unknown>]>([
    ['count no example', { ...FACTORS, count: 0 }, 'Empty', { field: 'count' }],
    ['count NaN', { ...FACTORS, count: Number.NaN }, 'Empty', { field: 'count' }],
    ['NaN in an input sum', damaged(1, 'input', 0, Number.NaN), 'NotFinite', { layer: 'top', field: 'input' }],
    [
      'infinity in a gradient sum',
      damaged(0, 'gradient', 3, Number.POSITIVE_INFINITY),
      'NotFinite',
      { layer: 'low', field: 'gradient' },
    ],
    ['a negative second moment', damaged(0, 'gradient', 0, -5), 'InvalidInput', { layer: 'low', field: 'gradient' }],
    ['a covariance beyond the variances', damaged(1, 'input', 1, 1000), 'InvalidInput', { layer: 'top', field: 'input' }],
  ])('%s', (_, factors, kind, about) => {
    expect(build(factors)).toMatchObject({ left: { kind, ...about } });
  });

  it('of no example have no moments either', () => {
    expect(kindOf(moments({ ...FACTORS, count: 0 }))).toBe('Empty');
  });

  it('may have eigenvalues below zero by rounding: they become 0', () => {
    const withGradient = (last: number, first = 10) =>
      replaced(
        0,
        'gradient',
        matrixOf([
          [first, 0],
          [0, last],
        ]),
      );
    // diag(1, −1e−6) of 10 examples: float32 sums of a thousand rows leave as much.
    const posterior = right(build(withGradient(-1e-5)));
    expect(Array.from(matricesOf(posterior.layers[0]).gradientValues?.data ?? [])).toEqual([0, 1]);
    // Numbers near the smallest one of float32 have few digits, or none.
    expect(E.isRight(build(withGradient(-2e-38, 3e-36)))).toBe(true);
    // A thousand times that is no rounding.
    expect(kindOf(build(withGradient(-1e-4)))).toBe('InvalidInput');
  });
});

describe('options', () => {
  it.each<[string, Partial<PosteriorOptions>, string]>([
    ['no data', { datasetSize: 0 }, 'datasetSize'],
    ['negative data', { datasetSize: -5 }, 'datasetSize'],
    ['NaN data', { datasetSize: Number.NaN }, 'datasetSize'],
    ['endless data', { datasetSize: Number.POSITIVE_INFINITY }, 'datasetSize'],
    ['no layer', { layers: [] }, 'layers'],
    ['an unknown damping', { damping: { _tag: 'other' as 'exact' } }, 'damping._tag'],
  ])('%s', (_, options, field) => {
    expectRefusal(() => build(FACTORS, options), field);
    expectRefusal(() => posteriorOf({ ...OPTIONS, ...options }, javascriptEngine), field);
  });

  it('a layer that the factors do not cover', () => {
    const found = build(FACTORS, { layers: ['low', 'other'] });
    expect(found).toMatchObject({ left: { kind: 'NoBayesianLayer', field: 'layers', found: 'other' } });
  });
});

describe('priors', () => {
  // As a JavaScript user writes them; the constructors refuse most of these themselves.
  const isotropicOf = (precision: number): Prior => ({ _tag: 'isotropic', precision });
  const perLayerOf = (precisions: Record<string, number>): Prior => ({ _tag: 'perLayer', precisions });
  it.each<[string, Prior, string]>([
    ['τ = 0', isotropicOf(0), 'prior.precision'],
    ['τ < 0', isotropicOf(-1), 'prior.precision'],
    ['τ = NaN', isotropicOf(Number.NaN), 'prior.precision'],
    ['τ = ∞', isotropicOf(Number.POSITIVE_INFINITY), 'prior.precision'],
    ['a layer with τ < 0', perLayerOf({ low: 1, top: -1 }), 'prior.precisions.top'],
  ])('%s, whatever the factors', (_, prior, field) => {
    expectRefusal(() => build(FACTORS, { prior }), field);
    expectRefusal(() => withPrior(right(build(FACTORS)), prior), field);
    expectRefusal(() => withPrior(prior), field);
  });

  it.each<[string, Prior]>([
    ['a layer without τ', perLayerOf({ low: 1 })],
    ['a layer that does not exist', perLayerOf({ low: 1, top: 1, middle: 1 })],
  ])('%s', (_, prior) => {
    const refused = { left: { kind: 'InvalidOption', field: 'prior.precisions' } };
    expect(build(FACTORS, { prior })).toMatchObject(refused);
    expect(withPrior(right(build(FACTORS)), prior)).toMatchObject(refused);
  });

  it('are checked before anything is decomposed', () => {
    const symmetricEigen = jest.fn(javascriptEngine.symmetricEigen);
    const found = posteriorOf(FACTORS, { ...OPTIONS, prior: perLayer({ low: 1 }) }, { ...javascriptEngine, symmetricEigen });
    expect(kindOf(found)).toBe('InvalidOption');
    expect(symmetricEigen).not.toHaveBeenCalled();
  });

  it('name the covered layers alone', () => {
    const posterior = right(build(FACTORS, { layers: ['top'], prior: perLayer({ top: 4 }) }));
    expect(posterior.layers.map((l) => [l.name, l.priorPrecision])).toEqual([['top', 4]]);
    expect(kindOf(withPrior(posterior, perLayer({ low: 1, top: 4 })))).toBe('InvalidOption');
  });
});

it("passes an engine's failure on", () => {
  const failing = { ...javascriptEngine, symmetricEigen: () => javascriptEngine.symmetricEigen(matrixOf([])) };
  expect(kindOf(posteriorOf(FACTORS, OPTIONS, failing))).toBe('InvalidInput');
});

it('reports the beginning, and every layer once it is decomposed', () => {
  const onLayer = jest.fn();
  right(posteriorOf(FACTORS, OPTIONS, javascriptEngine, onLayer));
  expect(onLayer.mock.calls).toEqual([
    [0, 2],
    [1, 2, 'low'],
    [2, 2, 'top'],
  ]);
});
