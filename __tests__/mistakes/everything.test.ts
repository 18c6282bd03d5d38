/**
 * Every public function with the wrong kind of everything: one argument at a time is replaced. The call must end in a `LaplaceError`.
 * It may succeed only where `FINE` says that such a value is right there.
 */
import * as tf from '@tensorflow/tfjs';
import { either as E, option as O } from 'fp-ts';
import { from, lastValueFrom, map, type Observable, type OperatorFunction, of } from 'rxjs';
import * as lib from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { pass } from '../support/factors.js';
import { right } from '../support/math/laplace.js';
import { chain, dataOf, pair } from '../support/networks.js';
import { outcomeOf } from '../support/outcome.js';
import { CLASSIFICATION, REGRESSION } from '../support/predictions.js';

const classes = pair('classes, softmax inside');
const { likelihood } = classes;
const model = chain(classes);
const data = dataOf(classes, 6);
const curvature = lib.kfac();
const OPTIONS = { prior: lib.isotropic(1), damping: lib.exactDamping(), layers: 'all' } as const;
const GAUSSIANS = { targets: [[1]], mean: [[0]], variance: [[1]] };
const CLASSES = [[0.5, 0.5]];
const SETS = right(lib.conformalSets(CLASSES, [0], { level: 0.5 }));
const CALIBRATOR = right(lib.fitCalibrator(CLASSES, [0]));
const ABSTENTION = right(lib.abstainForCoverage([1], 0.5));
const DETECTOR = right(lib.fitDetector({ features: [[1], [2]] }, lib.nearestNeighbours({ neighbours: 1 })));
const SEEN = { inside: { prediction: CLASSIFICATION }, outside: { prediction: CLASSIFICATION } };
const INTERVALS = right(lib.conformalIntervals(GAUSSIANS, [[0]], { level: 0.5 }));
let factors: lib.Factors;
let others: lib.Factors;
let posterior: lib.Posterior;
let coverage: lib.Coverage;
let regression: lib.Posterior;
beforeAll(async () => {
  factors = await pass(model, likelihood, data);
  others = await pass(model, likelihood, data);
  posterior = await lastValueFrom(of(factors).pipe(lib.toPosterior()));
  regression = { ...posterior, likelihood: lib.gaussian() };
  coverage = right(lib.coverage(model, { likelihood, curvature }));
});

/** Values of every kind that a program has at hand. */
const KINDS: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  'a number': () => -3.5,
  NaN: () => Number.NaN,
  'a string': () => 'none',
  true: () => true,
  'a symbol': () => Symbol('s'),
  'a bigint': () => 3n,
  'an empty object': () => ({}),
  'an unknown option': () => ({ unknown: 1 }),
  'an empty list': () => [],
  'a list of strings': () => ['a'],
  'a function': () => () => undefined,
  'a date': () => new Date(0),
  'a map': () => new Map([['a', 1]]),
  'a regular expression': () => /x/,
  'a promise': () => Promise.resolve(1),
  'a stream': () => of(1),
  'an Either': () => E.right(posterior),
  'an Option': () => O.some(1),
  'an error': () => new Error('own'),
  'a tensor': () => data.x,
  'a model': () => model,
  'a layer': () => model.layers[0],
  factors: () => factors,
  'a posterior': () => posterior,
  'a prediction': () => CLASSIFICATION,
  'a curvature': () => curvature,
  'a likelihood': () => likelihood,
};

interface Use {
  /** Arguments of a call that succeeds. */
  readonly args: () => ReadonlyArray<unknown>;
  /** What is done with the result of the call; by default nothing. */
  readonly after?: (result: never) => unknown;
  /** For each argument, the kinds that are right there. */
  readonly fine?: ReadonlyArray<ReadonlyArray<string>>;
}

const readerOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: async (at: number, length: number) => bytes.subarray(at, at + length),
});
const through = (value: () => unknown) => (operator: OperatorFunction<never, unknown>) => of(value()).pipe(operator as never);
const intoFactors = (observed: never) => of(data).pipe(observed, lib.accumulateFactors());
const intoPosterior = through(() => factors);
/** Uses each batch of a source, as it waits for that. */
const used = (source: Observable<() => unknown>) => source.pipe(map((batch) => (batch() as Partial<lib.OwnedBatch>).dispose?.()));
const NOTHING = ['nothing'];
const OPTIONAL = ['nothing', 'an empty object'];

const USES: Partial<Record<keyof typeof lib, Use>> = {
  kfac: { args: () => [{}], fine: [[...OPTIONAL, 'a curvature']] },
  kfra: { args: () => [{}], fine: [OPTIONAL] },
  ekfac: { args: () => [{}], fine: [OPTIONAL] },
  diagonal: { args: () => [{}], fine: [OPTIONAL] },
  full: { args: () => [{}], fine: [OPTIONAL] },
  lowRank: { args: () => [{}], fine: [OPTIONAL] },
  truncated: { args: () => [{}], fine: [OPTIONAL] },
  monteCarlo: { args: () => [{}], fine: [OPTIONAL] },
  categorical: { args: () => [{}], fine: [[...OPTIONAL, 'a likelihood']] },
  bernoulli: { args: () => [{}], fine: [OPTIONAL] },
  gaussian: { args: () => [{}], fine: [OPTIONAL] },
  customLikelihood: { args: () => [{ name: 'own', nll: () => 0, hessianRoot: () => 0, mean: () => 0 }] },
  customFisher: { args: () => [{ name: 'own', columns: () => 0 }] },
  customLink: { args: () => [{ name: 'own', classes: () => 0 }] },
  perOutput: { args: () => [{ a: lib.categorical() }] },
  perStep: { args: () => [lib.categorical(), {}], fine: [['a likelihood'], OPTIONAL] },
  isotropic: { args: () => [1], fine: [NOTHING] },
  perLayer: { args: () => [{ a: 1 }], fine: [['an unknown option']] },
  linearised: { args: () => [{}], fine: [OPTIONAL] },
  activationSampling: { args: () => [{}], fine: [OPTIONAL] },
  weightSampling: { args: () => [{}], fine: [OPTIONAL] },
  functionSampling: { args: () => [{}], fine: [OPTIONAL] },
  finalEpochs: { args: () => [1, {}], fine: [NOTHING, OPTIONAL] },
  epochsWhere: { args: () => [() => true], fine: [['a function']] },
  recipe: { args: () => [{ likelihood: 'categorical' }] },
  composeRecipe: { args: () => [{ likelihood: 'categorical' }, { prior: 3 }], fine: [[], ['an empty object']] },
  decodeRecipe: { args: () => [{ likelihood: 'categorical' }] },
  encodeRecipe: { args: () => [lib.recipe({ likelihood: 'categorical' })] },
  orThrow: { args: () => [E.right(1)], fine: [['an Either']] },
  batches: { args: () => [data, 2], after: (made) => from(made).pipe(lib.observe(model, likelihood), lib.accumulateFactors()) },
  inputBatches: {
    args: () => [data.x, 2],
    after: (made) => from(made).pipe(lib.predict(model, posterior)),
    fine: [['a tensor', 'an empty list']],
  },
  fromDataset: { args: () => [tf.data.array([{ xs: [1], ys: [1] }])], after: used },
  fromIterable: { args: () => [[data]], after: used, fine: [['an empty list', 'a list of strings', 'a string', 'a map']] },
  observe: { args: () => [model, likelihood, {}], after: intoFactors, fine: [['a model'], ['a likelihood'], OPTIONAL] },
  accumulateFactors: {
    args: () => [curvature, {}],
    after: (operator: OperatorFunction<lib.ObservedBatch, lib.Factors>) =>
      of(data).pipe(lib.observe(model, likelihood), operator),
    fine: [['nothing', 'a curvature'], OPTIONAL],
  },
  toPosterior: { args: () => [{}], after: intoPosterior, fine: [OPTIONAL] },
  predict: {
    args: () => [model, posterior, lib.linearised(), {}],
    after: through(() => data.x),
    fine: [['a model'], ['a posterior'], NOTHING, OPTIONAL],
  },
  predictRunning: {
    args: () => [model, posterior, lib.linearised(), {}],
    after: through(() => data.x),
    fine: [['a model'], ['a posterior'], NOTHING, OPTIONAL],
  },
  sampleModels: {
    args: () => [model, { samples: 1 }],
    after: (operator: OperatorFunction<lib.Posterior, tf.LayersModel>) =>
      of(posterior).pipe(
        operator,
        map((own) => void own.dispose()),
      ),
    fine: [['a model'], OPTIONAL],
  },
  mapSamples: {
    args: () => [model, {}, () => 1],
    after: through(() => posterior),
    fine: [['a model'], OPTIONAL, ['a function']],
  },
  sampleFunctions: {
    args: () => [model, posterior, {}],
    after: through(() => data.x),
    fine: [['a model'], ['a posterior'], OPTIONAL],
  },
  outputDistribution: {
    args: () => [model, posterior, data.x, {}],
    fine: [['a model'], ['a posterior'], ['a tensor'], OPTIONAL],
  },
  jointDistribution: {
    args: () => [model, posterior, data.x, {}],
    fine: [['a model'], ['a posterior'], ['a tensor'], OPTIONAL],
  },
  crossCovariance: {
    args: () => [model, posterior, data.x, data.x, {}],
    fine: [['a model'], ['a posterior'], ['a tensor'], ['a tensor'], OPTIONAL],
  },
  tune: {
    args: () => [model, posterior, lib.batches(data, 3), {}],
    fine: [['a model'], ['a posterior'], [], OPTIONAL],
  },
  matchConfidence: {
    args: () => [model, posterior, [data.x], lib.linearised(), {}],
    fine: [['a model'], ['a posterior'], [], OPTIONAL, OPTIONAL],
  },
  leaveOneOut: {
    args: () => [model, posterior, lib.batches(data, 3), {}],
    fine: [['a model'], ['a posterior'], [], OPTIONAL],
  },
  expectedTime: {
    args: () => [model, { likelihood, curvature, examples: 1, batch: 1, engine: 'javascript' }],
    fine: [['a model']],
  },
  fingerprint: { args: () => [model], fine: [['a model']] },
  emptyFactors: { args: () => [factors.layout, 'f', factors.weights], fine: [[], ['a string'], ['an empty list']] },
  factorsMonoid: { args: () => [factors], fine: [['factors']] },
  merge: { args: () => [factors, others], fine: [['factors'], []] },
  mergeEpochs: { args: () => [factors, others], fine: [['factors'], ['factors']] },
  moments: { args: () => [factors], fine: [['factors']] },
  coverage: { args: () => [model, { likelihood, curvature }], fine: [['a model']] },
  coverageTable: { args: () => [coverage] },
  posteriorOf: {
    args: () => [factors, OPTIONS, javascriptEngine, () => {}],
    fine: [['factors'], [], [], ['nothing', 'a function']],
  },
  withPrior: { args: () => [posterior, 1], fine: [['a posterior'], []] },
  withDamping: { args: () => [posterior, 'exact'], fine: [['a posterior']] },
  evidence: { args: () => [posterior], fine: [['a posterior']] },
  evidenceGradient: { args: () => [posterior], fine: [['a posterior']] },
  evidenceCurve: { args: () => [posterior, {}], fine: [['a posterior'], OPTIONAL] },
  withNoiseVariance: { args: () => [regression, 1], fine: [[], []] },
  keptTrace: { args: () => [posterior.layers[0]] },
  variances: { args: () => [posterior, posterior.layers[0]], fine: [['a posterior']] },
  maximiseEvidence: { args: () => [posterior, {}], fine: [['a posterior'], OPTIONAL] },
  topK: { args: () => [CLASSIFICATION, 1], fine: [['a prediction']] },
  credibleIntervals: { args: () => [REGRESSION, {}], fine: [[], OPTIONAL] },
  accuracy: { args: () => [[[1, 0]], [0]] },
  correctness: { args: () => [[[1, 0]], [0]] },
  auroc: { args: () => [{ positives: [1], negatives: [0] }] },
  binaryRows: { args: () => [[0.5]], fine: [['an empty list']] },
  brierScore: { args: () => [[[1, 0]], [0]] },
  calibration: { args: () => [[[1, 0]], [0], {}], fine: [[], [], OPTIONAL] },
  entropy: { args: () => [[[1, 0]]] },
  gaussianNll: { args: () => [GAUSSIANS] },
  intervalCoverage: { args: () => [GAUSSIANS, {}], fine: [[], OPTIONAL] },
  nll: { args: () => [[[1, 0]], [0]] },
  retainedAccuracy: { args: () => [[1], [1], [0.5]] },
  riskCoverage: { args: () => [[1], [1]] },
  rmse: { args: () => [[[1]], [[1]]] },
  mae: { args: () => [[[1]], [[1]]] },
  classwiseCalibration: { args: () => [[[1, 0]], [0], {}], fine: [[], [], OPTIONAL] },
  smoothCalibration: { args: () => [[[1, 0]], [0], {}], fine: [[], [], OPTIONAL] },
  brierDecomposition: { args: () => [[[1, 0]], [0], {}], fine: [[], [], OPTIONAL] },
  aupr: { args: () => [{ positives: [1], negatives: [0] }] },
  rocCurve: { args: () => [{ positives: [1], negatives: [0] }] },
  precisionRecall: { args: () => [{ positives: [1], negatives: [0] }] },
  fprAtTpr: { args: () => [{ positives: [1], negatives: [0] }, {}], fine: [[], OPTIONAL] },
  gaussianCrps: { args: () => [GAUSSIANS] },
  sampleCrps: { args: () => [{ targets: [[1]], samples: [[[1]], [[2]]] }, {}], fine: [[], OPTIONAL] },
  pinballLoss: { args: () => [[[1]], [[1]], 0.5] },
  intervalCalibration: { args: () => [GAUSSIANS, {}], fine: [[], OPTIONAL] },
  pitValues: { args: () => [GAUSSIANS] },
  sharpness: { args: () => [GAUSSIANS] },
  classLosses: { args: () => [[[1, 0]], [0]] },
  gaussianLosses: { args: () => [GAUSSIANS] },
  evaluate: { args: () => [CLASSIFICATION, [1], { resamples: 2 }], fine: [['a prediction'], [], OPTIONAL] },
  classSummary: { args: () => [{ classes: 2 }] },
  gaussianSummary: { args: () => [{}], fine: [OPTIONAL] },
  scoreSummary: { args: () => [{}], fine: [OPTIONAL] },
  riskCoverageSummary: { args: () => [{}], fine: [OPTIONAL] },
  quantileCalibration: { args: () => [[[0.5]], {}], fine: [[], OPTIONAL] },
  pitSummary: { args: () => [{}], fine: [OPTIONAL] },
  meanWithError: { args: () => [[1]] },
  pairedDifference: { args: () => [[1], [1]] },
  bootstrap: { args: () => [2, () => E.right(1), { resamples: 2 }], fine: [[], [], OPTIONAL] },
  abstainForRisk: { args: () => [[1], [1], { risk: 0.1 }] },
  abstainForCoverage: { args: () => [[1], 0.5] },
  abstain: { args: () => [[1], ABSTENTION] },
  decodeAbstention: { args: () => [ABSTENTION] },
  vectorScaling: { args: () => [{}], fine: [OPTIONAL] },
  matrixScaling: { args: () => [{}], fine: [OPTIONAL] },
  histogramBinning: { args: () => [{}], fine: [OPTIONAL] },
  fitCalibrator: { args: () => [CLASSES, [0], 'isotonic'], fine: [['a prediction'], [], NOTHING] },
  calibrate: { args: () => [CLASSES, CALIBRATOR], fine: [['a prediction']] },
  decodeCalibrator: { args: () => [CALIBRATOR] },
  aps: { args: () => [{}], fine: [OPTIONAL] },
  raps: { args: () => [{}], fine: [OPTIONAL] },
  conformalSets: { args: () => [CLASSES, [0], {}], fine: [['a prediction'], [], OPTIONAL] },
  predictionSets: { args: () => [CLASSES, SETS, {}], fine: [['a prediction'], [], OPTIONAL] },
  conformalIntervals: { args: () => [GAUSSIANS, [[1]], {}], fine: [[], [], OPTIONAL] },
  predictionIntervals: { args: () => [GAUSSIANS, INTERVALS, {}], fine: [[], [], OPTIONAL] },
  decodeConformal: { args: () => [SETS] },
  setCoverage: { args: () => [[[0]], [0]] },
  meanSetSize: { args: () => [[[0]]] },
  boundsCoverage: { args: () => [{ lower: [[0]], upper: [[1]] }, [[1]]] },
  features: { args: () => [model, {}], after: through(() => data.x), fine: [['a model'], OPTIONAL] },
  energy: { args: () => [{}], fine: [OPTIONAL] },
  mahalanobis: { args: () => [{}], fine: [OPTIONAL] },
  nearestNeighbours: { args: () => [{}], fine: [OPTIONAL] },
  fitDetector: { args: () => [{ features: [[1], [2]] }, lib.nearestNeighbours({ neighbours: 1 })] },
  decodeDetector: { args: () => [DETECTOR] },
  encodePosterior: { args: () => [posterior, { dtype: 'F32' }], fine: [['a posterior'], OPTIONAL] },
  decodePosterior: { args: () => [right(lib.encodePosterior(posterior)), { likelihoods: [] }], fine: [[], OPTIONAL] },
  encodeFactors: { args: () => [factors, { dtype: 'F32' }], fine: [['factors'], OPTIONAL] },
  decodeFactors: { args: () => [right(lib.encodeFactors(factors)), { likelihoods: [] }], fine: [[], OPTIONAL] },
  piecesOfPosterior: { args: () => [posterior, { dtype: 'F32' }], fine: [['a posterior'], OPTIONAL] },
  piecesOfFactors: { args: () => [factors, { dtype: 'F32' }], fine: [['factors'], OPTIONAL] },
  openPosterior: { args: () => [readerOf(right(lib.encodePosterior(posterior))), { verify: false }], fine: [[], OPTIONAL] },
  openFactors: { args: () => [readerOf(right(lib.encodeFactors(factors))), { verify: false }], fine: [[], OPTIONAL] },
  forget: { args: () => [factors, 0.5], fine: [['factors']] },
  checkFactors: { args: () => [factors, {}, javascriptEngine], fine: [['factors'], OPTIONAL, ['nothing']] },
  shardsOf: { args: () => [6, { size: 3, batchSize: 2 }] },
  detectionScore: { args: () => [{ features: [[1]] }, DETECTOR] },
  evaluateDetection: { args: () => [SEEN, { resamples: 2 }], fine: [[], OPTIONAL] },
  wasmEngine: { args: () => [{}], fine: [OPTIONAL] },
};

/** Values and predicates, which take no argument or any. */
// biome-ignore format: one list
const NO_ARGUMENT = [
  'LaplaceError', 'isLaplaceError', 'isRecipe', 'exact', 'empirical', 'heteroscedastic', 'poisson', 'exactDamping', 'factoredDamping',
  'everyEpoch', 'recipeMonoid', 'presets', 'factorsSemigroup', 'predictedClasses', 'lac', 'absoluteError', 'normalisedError', 'cqr',
  'temperatureScaling', 'isotonicRegression', 'meanSummary', 'recipeSchema',
];

it('tries every public function', () => {
  expect([...Object.keys(USES), ...NO_ARGUMENT].sort()).toEqual(Object.keys(lib).sort());
});

const LIBRARY: Readonly<Record<string, unknown>> = lib;
const called = (name: keyof typeof lib, { after = (result) => result }: Use, args: ReadonlyArray<unknown>) =>
  outcomeOf(() => after((LIBRARY[name] as (...own: ReadonlyArray<unknown>) => never)(...args)));

describe.each(Object.entries(USES) as ReadonlyArray<[keyof typeof lib, Use]>)('%s', (name, use) => {
  it('succeeds with what it wants', async () => {
    expect(await called(name, use, use.args())).toMatchObject({ _tag: 'value' });
  });

  it('refuses everything else', async () => {
    const args = use.args();
    const before = tf.memory().numTensors;
    const surprises: string[] = [];
    for (const at of args.keys()) {
      for (const [kind, make] of Object.entries(KINDS)) {
        const outcome = await called(name, use, [...args.slice(0, at), make(), ...args.slice(at + 1)]);
        const said = outcome._tag === 'error' ? lib.isLaplaceError(outcome.error) : use.fine?.[at]?.includes(kind) === true;
        if (!said) surprises.push(`argument ${at}, ${kind}: ${outcome._tag === 'error' ? String(outcome.error) : 'succeeds'}`);
      }
    }
    expect(surprises).toEqual([]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
