/** Factors to posterior as an operator: its options, its progress, its refusals. The mathematics is tested with `posteriorOf`. */
import { lastValueFrom, of } from 'rxjs';
import {
  emptyFactors,
  exactDamping,
  type Factors,
  factoredDamping,
  isotropic,
  type LinalgEngine,
  type Progress,
  type ToPosteriorOptions,
  toPosterior,
} from 'tfjs-laplace';
import { defaultEngine } from '../../src/linalg/select.js';
import { expectRefusal, expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');

let factors: Factors;
beforeAll(async () => {
  factors = await pass(chain(classes), classes.likelihood, dataOf(classes, 8));
});

const build = (options: ToPosteriorOptions = {}, from: Factors = factors) => lastValueFrom(of(from).pipe(toPosterior(options)));
const precisions = async (options: ToPosteriorOptions) => (await build(options)).layers.map((l) => [l.name, l.priorPrecision]);

it('covers the layers of the factors with a prior precision of 1', async () => {
  expect(await precisions({})).toEqual([
    ['hidden', 1],
    ['outputs', 1],
  ]);
  expect(await build()).toMatchObject({
    datasetSize: 8,
    damping: exactDamping(),
    fingerprint: factors.fingerprint,
    likelihood: classes.likelihood,
  });
});

it.each<[string, ToPosteriorOptions, ReadonlyArray<readonly [string, number]>]>([
  [
    'one number',
    { priorPrecision: 10 },
    [
      ['hidden', 10],
      ['outputs', 10],
    ],
  ],
  [
    'a number for each layer',
    { priorPrecision: { hidden: 2, outputs: 3 } },
    [
      ['hidden', 2],
      ['outputs', 3],
    ],
  ],
  [
    'a prior',
    { prior: isotropic(4) },
    [
      ['hidden', 4],
      ['outputs', 4],
    ],
  ],
  [
    'both: the number',
    { priorPrecision: 5, prior: isotropic(4) },
    [
      ['hidden', 5],
      ['outputs', 5],
    ],
  ],
  ['one layer', { layers: 'last', priorPrecision: { outputs: 6 } }, [['outputs', 6]]],
])('takes %s', async (_, options, expected) => {
  expect(await precisions(options)).toEqual(expected);
});

it('takes another damping, another size and another engine', async () => {
  const calls: number[] = [];
  const engine: LinalgEngine = {
    ...defaultEngine(),
    symmetricEigen: (matrix) => {
      calls.push(matrix.rows);
      return defaultEngine().symmetricEigen(matrix);
    },
  };
  expect(await build({ damping: factoredDamping(), datasetSize: 1000, engine })).toMatchObject({
    damping: factoredDamping(),
    datasetSize: 1000,
  });
  // Two matrices a layer, 4 inputs and 5 hidden units with a bias each.
  expect(calls).toEqual([5, 5, 6, 3]);
});

it('tells which engine it is that works, and reports each layer', async () => {
  const events: Progress[] = [];
  await build({ onProgress: (event) => events.push(event) });
  expect(events).toEqual([
    { phase: 'decompose', done: 0, total: 2, unit: 'layers', detail: `engine: ${defaultEngine().name}` },
    { phase: 'decompose', done: 1, total: 2, unit: 'layers', detail: 'hidden' },
    { phase: 'decompose', done: 2, total: 2, unit: 'layers', detail: 'outputs' },
  ]);
});

it.each<[string, ToPosteriorOptions, string]>([
  ['a prior precision of 0', { priorPrecision: 0 }, 'priorPrecision'],
  ['a negative one', { priorPrecision: -1 }, 'priorPrecision'],
  ['NaN', { priorPrecision: Number.NaN }, 'priorPrecision'],
  ['infinity', { priorPrecision: Infinity }, 'priorPrecision'],
  ['a negative one of a layer', { priorPrecision: { hidden: 1, outputs: -1 } }, 'priorPrecision.outputs'],
  ['a prior that no constructor made', { prior: { _tag: 'isotropic', precision: -1 } }, 'prior.precision'],
  ['a data set of no examples', { datasetSize: 0 }, 'datasetSize'],
  ['no layer', { layers: [] }, 'layers'],
  ['an unknown engine', { engine: 'lapack' as 'wasm' }, 'engine'],
])('refuses %s when the operator is made', (_, options, field) => expectRefusal(() => toPosterior(options), field));

it.each<[string, ToPosteriorOptions, Parameters<typeof expectRejection>[1]]>([
  ['a layer without one', { priorPrecision: { hidden: 1 } }, 'InvalidOption'],
  ['a layer that is not covered', { priorPrecision: { hidden: 1, outputs: 1, other: 1 } }, 'InvalidOption'],
  ['layers that do not exist', { layers: ['other'] }, 'NoBayesianLayer'],
])('refuses %s when factors come', async (_, options, kind) => {
  await expectRejection(build(options), kind);
});

it('refuses factors without an example and with a number that is not finite', async () => {
  await expectRejection(build({}, emptyFactors(factors.layout, factors.fingerprint, factors.weights)), 'Empty', {
    field: 'count',
  });
  const broken = structuredClone(factors) as Factors;
  kronecker(broken.layers[0]).input.data[0] = Number.NaN;
  await expectRejection(build({}, broken), 'NotFinite', { layer: 'hidden' });
});
