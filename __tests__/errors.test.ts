/**
 * The rule of errors (src/errors.ts), for every public name: a wrong option throws at the call, a failure that depends on values is a
 * Left, the error of a stream or a rejection. A new name has to say here how it fails.
 */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom, type Observable, type OperatorFunction, of } from 'rxjs';
import * as lib from 'tfjs-laplace';
import * as extend from 'tfjs-laplace/extend';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import * as baselines from 'tfjs-laplace/plugins/baselines';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import { javascriptEngine } from '../src/linalg/javascript.js';
import { pass } from './support/factors.js';
import { right } from './support/math/laplace.js';
import { chain, dataOf, pair } from './support/networks.js';
import { CLASSIFICATION, REGRESSION } from './support/predictions.js';

const classes = pair('classes, softmax inside');
const model = chain(classes);
const data = dataOf(classes, 6);
const gone = chain(classes);
gone.dispose();

const OPTIONS = { prior: lib.isotropic(1), damping: lib.exactDamping(), layers: 'all' } as const;
let factors: lib.Factors;
let posterior: lib.Posterior;
let network: extend.Network;
beforeAll(async () => {
  factors = await pass(model, classes.likelihood, data);
  posterior = right(lib.posteriorOf(factors, OPTIONS, javascriptEngine));
  network = right(extend.readNetwork(model, classes.likelihood));
});

const foreign = (): lib.Posterior => ({ ...posterior, fingerprint: 'f00d' });
const noExample = (): lib.Factors => ({ ...factors, count: 0 });
const through = <A, B>(value: A, operator: OperatorFunction<A, B>): Observable<B> => of(value).pipe(operator);
const GAUSSIANS = { targets: [[1]], mean: [[0]], variance: [[1]] };
const NO_VARIANCE = { ...GAUSSIANS, variance: [[0]] };
const EMPTY: lib.ByteReader = { size: 0, read: async () => new Uint8Array(0) };
const SETS = right(lib.conformalSets([[0.5, 0.5]], [0], { level: 0.5 }));
const CALIBRATOR = right(lib.fitCalibrator([[0.5, 0.5]], [0], 'vector'));
const ABSTENTION = right(lib.abstainForCoverage([1], 0.5));
const DETECTOR = right(lib.fitDetector({ features: [[1], [2]] }, lib.nearestNeighbours({ neighbours: 1 })));
const SEEN = { inside: { prediction: CLASSIFICATION }, outside: { prediction: CLASSIFICATION } };
const INTERVALS = right(lib.conformalIntervals(GAUSSIANS, [[0]], { level: 0.5 }));

/** What is wrong whatever the data are. TypeScript refuses most of it. */
const wrong = (value: unknown): never => value as never;

interface Failures {
  /** Calls with a wrong option: each throws. */
  readonly throws?: ReadonlyArray<() => unknown>;
  /** Calls with values that do not fit: each returns a Left, the error of a stream, or a rejection. */
  readonly left?: ReadonlyArray<() => unknown>;
  readonly stream?: ReadonlyArray<() => Observable<unknown>>;
  readonly rejects?: ReadonlyArray<() => Promise<unknown>>;
}

/** Names that cannot fail: predicates, values, and functions that every argument of their type suits. */
const TOTAL: Failures = {};

const INDEX: Readonly<Record<keyof typeof lib, Failures>> = {
  // Errors.
  LaplaceError: TOTAL,
  isLaplaceError: TOTAL,
  orThrow: { throws: [() => lib.orThrow(E.left(extend.laplaceError('InvalidOption', { what: 'a Left' })))] },
  // The DSL.
  kfac: { throws: [() => lib.kfac({ fisher: wrong('exakt') })] },
  kfra: { throws: [() => lib.kfra({ layers: [] })] },
  ekfac: { throws: [() => lib.ekfac({ weightSharing: wrong('none') })] },
  diagonal: { throws: [() => lib.diagonal({ unsupported: wrong('no') })] },
  full: { throws: [() => lib.full({ layers: wrong('first') })] },
  lowRank: { throws: [() => lib.lowRank({ rank: 0 })] },
  exact: TOTAL,
  empirical: TOTAL,
  truncated: { throws: [() => lib.truncated({ tolerance: 1 })] },
  monteCarlo: { throws: [() => lib.monteCarlo({ samples: 0 })] },
  categorical: { throws: [() => lib.categorical({ labelSmoothing: 1 })] },
  bernoulli: { throws: [() => lib.bernoulli({ labelSmoothing: -1 })] },
  gaussian: { throws: [() => lib.gaussian({ noiseVariance: 0 })] },
  heteroscedastic: TOTAL,
  poisson: TOTAL,
  customLikelihood: { throws: [() => lib.customLikelihood(wrong({ name: 'x' }))] },
  customFisher: { throws: [() => lib.customFisher(wrong({ name: 'x' }))] },
  customLink: { throws: [() => lib.customLink(wrong({ name: 'x' }))] },
  perOutput: { throws: [() => lib.perOutput({})] },
  perStep: { throws: [() => lib.perStep(lib.poisson(), { ignoreLabel: Number.NaN })] },
  isotropic: { throws: [() => lib.isotropic(0)] },
  perLayer: { throws: [() => lib.perLayer({ a: -1 })] },
  exactDamping: TOTAL,
  factoredDamping: TOTAL,
  linearised: { throws: [() => lib.linearised({ samples: 3 })] },
  activationSampling: { throws: [() => lib.activationSampling({ samples: 0 })] },
  weightSampling: { throws: [() => lib.weightSampling({ temperature: -1 })] },
  functionSampling: { throws: [() => lib.functionSampling({ design: wrong('sobol') })] },
  finalEpochs: { throws: [() => lib.finalEpochs(0)] },
  everyEpoch: TOTAL,
  epochsWhere: { throws: [() => lib.epochsWhere(wrong(3))] },
  // `recipe` and `composeRecipe` throw InvalidRecipe: see their own tests.
  recipe: TOTAL,
  composeRecipe: TOTAL,
  presets: TOTAL,
  recipeMonoid: TOTAL,
  isRecipe: TOTAL,
  recipeSchema: TOTAL,
  decodeRecipe: { left: [() => lib.decodeRecipe({ likelihood: 'none' })] },
  encodeRecipe: { left: [() => lib.encodeRecipe(lib.recipe({ likelihood: 'poisson', epochs: lib.epochsWhere(() => true) }))] },
  // Files.
  encodePosterior: {
    throws: [() => lib.encodePosterior(posterior, { dtype: wrong('F8') })],
    left: [() => lib.encodePosterior(wrong({}))],
  },
  decodePosterior: { throws: [() => lib.decodePosterior(wrong('bytes'))], left: [() => lib.decodePosterior(new Uint8Array(9))] },
  encodeFactors: {
    throws: [() => lib.encodeFactors(factors, { dtype: wrong('F8') })],
    left: [() => lib.encodeFactors(wrong({}))],
  },
  decodeFactors: { throws: [() => lib.decodeFactors(wrong('bytes'))], left: [() => lib.decodeFactors(new Uint8Array(9))] },
  piecesOfPosterior: {
    throws: [() => lib.piecesOfPosterior(posterior, { dtype: wrong('F8') })],
    left: [() => lib.piecesOfPosterior(wrong({}))],
  },
  piecesOfFactors: {
    throws: [() => lib.piecesOfFactors(factors, { common: wrong('none') })],
    left: [() => lib.piecesOfFactors(wrong({}))],
  },
  openPosterior: {
    throws: [() => lib.openPosterior(wrong('bytes')), () => lib.openPosterior(EMPTY, wrong({ check: true }))],
    rejects: [() => lib.openPosterior(EMPTY)],
  },
  openFactors: {
    throws: [() => lib.openFactors({ ...EMPTY, size: -1 }), () => lib.openFactors(EMPTY, { verify: wrong('no') })],
    rejects: [() => lib.openFactors(EMPTY)],
  },
  // Streams.
  batches: {
    throws: [() => lib.batches(data, 0)],
    stream: [
      () =>
        from(lib.batches({ ...data, y: tf.zeros([5]) }, 2)).pipe(
          lib.observe(model, classes.likelihood),
          lib.accumulateFactors(lib.kfac()),
        ),
    ],
  },
  inputBatches: {
    throws: [() => lib.inputBatches(data.x, 1.5)],
    stream: [() => from(lib.inputBatches([data.x, tf.zeros([5, 1])], 2)).pipe(lib.predict(model, posterior))],
  },
  fromDataset: TOTAL,
  fromIterable: TOTAL,
  observe: { stream: [() => through(data, lib.observe(gone, classes.likelihood))] },
  accumulateFactors: { stream: [() => from([]).pipe(lib.accumulateFactors(lib.kfac()))] },
  toPosterior: {
    throws: [
      () => lib.toPosterior({ priorPrecision: 0 }),
      () => lib.toPosterior({ prior: { _tag: 'isotropic', precision: -1 } }),
      () => lib.toPosterior({ datasetSize: -1 }),
      () => lib.toPosterior({ layers: [] }),
      () => lib.toPosterior({ damping: wrong({ _tag: 'none' }) }),
      () => lib.toPosterior({ engine: wrong('lapack') }),
    ],
    stream: [() => through(noExample(), lib.toPosterior())],
  },
  predict: {
    throws: [() => lib.predict(model, posterior, lib.linearised(), { memoryBudget: 0 })],
    stream: [() => through(data.x, lib.predict(model, foreign()))],
  },
  predictRunning: {
    throws: [() => lib.predictRunning(model, posterior, lib.linearised(), { memoryBudget: Number.NaN })],
    stream: [() => through(data.x, lib.predictRunning(model, foreign()))],
  },
  sampleModels: {
    throws: [
      () => lib.sampleModels(model, { samples: 0 }),
      () => lib.sampleModels(model, { temperature: -1 }),
      () => lib.sampleModels(model, { seed: -1 }),
      () => lib.sampleModels(model, { design: wrong('sobol') }),
    ],
    stream: [() => through(foreign(), lib.sampleModels(model))],
  },
  mapSamples: {
    throws: [() => lib.mapSamples(model, { samples: 0 }, () => 1)],
    stream: [
      () =>
        through(
          foreign(),
          lib.mapSamples(model, {}, () => 1),
        ),
    ],
  },
  sampleFunctions: {
    throws: [
      () => lib.sampleFunctions(model, posterior, { samples: Infinity }),
      () => lib.sampleFunctions(model, posterior, { memoryBudget: -1 }),
      () => lib.sampleFunctions(model, posterior, { seed: 0.5 }),
    ],
    stream: [() => through(data.x, lib.sampleFunctions(model, foreign()))],
  },
  features: {
    throws: [() => lib.features(model, { layer: '' }), () => lib.features(model, wrong('last'))],
    stream: [() => through(data.x, lib.features(model, { layer: 'none' })), () => through(data.x, lib.features(gone))],
  },
  // Promises reject, whatever is wrong.
  outputDistribution: {
    rejects: [
      () => lib.outputDistribution(model, posterior, data.x, { temperature: -1 }),
      () => lib.outputDistribution(model, foreign(), data.x),
    ],
  },
  jointDistribution: {
    rejects: [
      () => lib.jointDistribution(model, posterior, data.x, { memoryBudget: 0 }),
      () => lib.jointDistribution(model, foreign(), data.x),
    ],
  },
  crossCovariance: {
    rejects: [
      () => lib.crossCovariance(model, posterior, data.x, data.x, { temperature: Number.NaN }),
      () => lib.crossCovariance(model, foreign(), data.x, data.x),
    ],
  },
  tune: {
    rejects: [
      () => lib.tune(model, posterior, lib.batches(data, 4), { rule: wrong('narrowest') }),
      () => lib.tune(model, foreign(), lib.batches(data, 4)),
    ],
  },
  matchConfidence: {
    rejects: [
      () => lib.matchConfidence(model, posterior, [data.x], lib.linearised(), { memoryBudget: 0 }),
      () => lib.matchConfidence(model, foreign(), [data.x]),
    ],
  },
  leaveOneOut: {
    rejects: [
      () => lib.leaveOneOut(model, posterior, lib.batches(data, 4), { form: wrong('exact') }),
      () => lib.leaveOneOut(model, foreign(), lib.batches(data, 4)),
    ],
  },
  expectedTime: {
    rejects: [() => lib.expectedTime(model, { likelihood: classes.likelihood, curvature: lib.kfac(), examples: 0 })],
  },
  fingerprint: { rejects: [() => lib.fingerprint(gone)] },
  // Values.
  emptyFactors: TOTAL,
  factorsMonoid: {
    left: [() => lib.factorsMonoid(factors).concat(E.right({ ...factors, fingerprint: 'f00d' }), E.right(factors))],
  },
  factorsSemigroup: { left: [() => lib.factorsSemigroup.concat(E.right(factors), E.right(factors))] },
  checkFactors: {
    throws: [() => lib.checkFactors(factors, wrong({ layers: 1 }))],
    left: [() => lib.checkFactors({ ...factors, count: -1 }), () => lib.checkFactors(wrong({}))],
  },
  shardsOf: { throws: [() => lib.shardsOf(0, { size: 1, batchSize: 1 }), () => lib.shardsOf(3, { size: 1.5, batchSize: 1 })] },
  forget: { throws: [() => lib.forget(factors, 0), () => lib.forget(2)], left: [() => lib.forget(wrong({}), 0.5)] },
  merge: { left: [() => lib.merge(factors, factors), () => lib.merge(factors)(factors)] },
  mergeEpochs: { left: [() => lib.mergeEpochs(factors, { ...factors, layout: { ...factors.layout, covered: [] } })] },
  moments: { left: [() => lib.moments(noExample())] },
  coverage: { left: [() => lib.coverage(gone, { likelihood: classes.likelihood, curvature: lib.kfac() })] },
  coverageTable: TOTAL,
  posteriorOf: {
    throws: [
      () => lib.posteriorOf(factors, { ...OPTIONS, datasetSize: 0 }, javascriptEngine),
      () => lib.posteriorOf({ ...OPTIONS, layers: [] }, javascriptEngine),
    ],
    left: [() => lib.posteriorOf(noExample(), OPTIONS, javascriptEngine)],
  },
  withPrior: {
    throws: [
      () => lib.withPrior(posterior, { _tag: 'isotropic', precision: 0 }),
      () => lib.withPrior({ _tag: 'isotropic', precision: 0 }),
    ],
    left: [() => lib.withPrior(posterior, lib.perLayer({ other: 1 }))],
  },
  withDamping: { throws: [() => lib.withDamping(posterior, wrong({ _tag: 'none' })), () => lib.withDamping(wrong('none'))] },
  evidence: TOTAL,
  evidenceGradient: TOTAL,
  evidenceCurve: {
    throws: [() => lib.evidenceCurve(posterior, { precisions: [0] }), () => lib.evidenceCurve({ steps: 0.5 })],
    left: [() => lib.evidenceCurve(wrong({ ...posterior, layers: [] }))],
  },
  withNoiseVariance: {
    throws: [() => lib.withNoiseVariance(posterior, 0), () => lib.withNoiseVariance([1, -1])],
    left: [() => lib.withNoiseVariance(posterior, 2)],
  },
  keptTrace: TOTAL,
  variances: {
    left: [
      async () => {
        const m = 12;
        const own = tf.sequential({ layers: [tf.layers.dense({ units: m, inputShape: [2] })] });
        const y = tf.range(0, m).toInt();
        const sums = await pass(
          own,
          lib.categorical(),
          { x: tf.randomNormal([m, 2], 0, 1, 'float32', 1), y },
          lib.lowRank({ rank: 1 }),
        );
        const low = right(lib.posteriorOf(sums, OPTIONS, javascriptEngine));
        return lib.variances(low, low.layers[0] as lib.PosteriorLayer);
      },
    ],
  },
  maximiseEvidence: {
    throws: [
      () => lib.maximiseEvidence(posterior, { per: wrong('weight') }),
      () => lib.maximiseEvidence({ per: wrong('weight') }),
    ],
    left: [
      () => {
        const zero = ({ mean, ...layer }: lib.PosteriorLayer) => ({ ...layer, mean: { ...mean, data: mean.data.map(() => 0) } });
        return lib.maximiseEvidence({ ...posterior, layers: posterior.layers.map(zero) as lib.PosteriorLayer[] });
      },
    ],
  },
  topK: { throws: [() => lib.topK(CLASSIFICATION, 0), () => lib.topK(0.5)], left: [() => lib.topK(CLASSIFICATION, 3)] },
  credibleIntervals: {
    throws: [() => lib.credibleIntervals(REGRESSION, { level: 1 }), () => lib.credibleIntervals({ of: wrong('rate') })],
  },
  // Metrics.
  accuracy: { left: [() => lib.accuracy([[1, 0]], [2])] },
  auroc: { left: [() => lib.auroc({ positives: [], negatives: [1] })] },
  binaryRows: { left: [() => lib.binaryRows([2])] },
  brierScore: { left: [() => lib.brierScore([[2, 0]], [0])] },
  calibration: { throws: [() => lib.calibration([[1, 0]], [0], { bins: 0 })], left: [() => lib.calibration([[1, 0]], [])] },
  correctness: { left: [() => lib.correctness([], [])] },
  entropy: { left: [() => lib.entropy([[1, Number.NaN]])] },
  gaussianNll: { left: [() => lib.gaussianNll(NO_VARIANCE)] },
  intervalCoverage: {
    throws: [() => lib.intervalCoverage(GAUSSIANS, { level: 0 }), () => lib.intervalCoverage({ level: 2 })],
    left: [() => lib.intervalCoverage(NO_VARIANCE)],
  },
  nll: { left: [() => lib.nll([[1, 0]], [0.5])] },
  predictedClasses: TOTAL,
  retainedAccuracy: {
    throws: [() => lib.retainedAccuracy([1], [1], [0])],
    left: [() => lib.retainedAccuracy([1], [0.5], [1])],
  },
  riskCoverage: { left: [() => lib.riskCoverage([1], [1, 2])] },
  rmse: { left: [() => lib.rmse([[1]], [[1, 2]])] },
  mae: { left: [() => lib.mae([[1]], [[1, 2]])] },
  classwiseCalibration: {
    throws: [() => lib.classwiseCalibration([[1, 0]], [0], { binning: wrong('equal') })],
    left: [() => lib.classwiseCalibration([[1, 0]], [])],
  },
  smoothCalibration: {
    throws: [() => lib.smoothCalibration([[1, 0]], [0], { points: 1 })],
    left: [() => lib.smoothCalibration([[1, 0]], []), () => lib.smoothCalibration([[1, 0]], [0], { class: 2 })],
  },
  brierDecomposition: {
    throws: [() => lib.brierDecomposition([[1, 0]], [0], { bins: 0.5 })],
    left: [() => lib.brierDecomposition([[1, 0]], [])],
  },
  aupr: { left: [() => lib.aupr({ positives: [], negatives: [1] })] },
  rocCurve: { left: [() => lib.rocCurve({ positives: [1], negatives: [] })] },
  precisionRecall: { left: [() => lib.precisionRecall({ positives: [Number.NaN], negatives: [1] })] },
  fprAtTpr: {
    throws: [() => lib.fprAtTpr({ positives: [1], negatives: [1] }, { rate: 95 })],
    left: [() => lib.fprAtTpr({ positives: [], negatives: [1] })],
  },
  gaussianCrps: { left: [() => lib.gaussianCrps(NO_VARIANCE)] },
  sampleCrps: {
    throws: [() => lib.sampleCrps({ targets: [[1]], samples: [[[1]], [[2]]] }, { fair: wrong('yes') })],
    left: [() => lib.sampleCrps({ targets: [[1]], samples: [[[1]]] })],
  },
  pinballLoss: { throws: [() => lib.pinballLoss([[1]], [[1]], 1)], left: [() => lib.pinballLoss([[1]], [[1, 2]], 0.5)] },
  intervalCalibration: {
    throws: [() => lib.intervalCalibration(GAUSSIANS, { levels: 1 })],
    left: [() => lib.intervalCalibration(NO_VARIANCE)],
  },
  pitValues: { left: [() => lib.pitValues(NO_VARIANCE)] },
  sharpness: { left: [() => lib.sharpness(NO_VARIANCE)] },
  classLosses: { left: [() => lib.classLosses([[1, 0]], [2])] },
  gaussianLosses: { left: [() => lib.gaussianLosses(NO_VARIANCE)] },
  evaluate: {
    throws: [() => lib.evaluate(CLASSIFICATION, [1], { resamples: 1 })],
    left: [() => lib.evaluate(CLASSIFICATION, [2]), () => lib.evaluate(CLASSIFICATION, [1], { baseline: REGRESSION })],
  },
  classSummary: {
    throws: [() => lib.classSummary({ classes: 0 }), () => lib.classSummary(wrong(undefined))],
    left: [
      () => lib.classSummary({ classes: 2 }).value(lib.classSummary({ classes: 2 }).empty),
      () => lib.classSummary({ classes: 2 }).value(lib.classSummary({ classes: 3 }).empty),
      () => lib.classSummary({ classes: 3 }).add(lib.classSummary({ classes: 3 }).empty, [[1, 0]], [0]),
    ],
  },
  meanSummary: { left: [() => lib.meanSummary().value(lib.meanSummary().empty)] },
  gaussianSummary: {
    throws: [() => lib.gaussianSummary({ levels: 1 })],
    left: [() => lib.gaussianSummary().add(lib.gaussianSummary().empty, NO_VARIANCE)],
  },
  scoreSummary: {
    throws: [() => lib.scoreSummary({ bins: 0 }), () => lib.scoreSummary({ upper: 0 })],
    left: [() => lib.scoreSummary().add(wrong({}), { positives: [1], negatives: [1] })],
  },
  riskCoverageSummary: {
    throws: [() => lib.riskCoverageSummary({ bins: 0 }), () => lib.riskCoverageSummary({ upperLoss: 0 })],
    left: [() => lib.riskCoverageSummary().add(lib.riskCoverageSummary().empty, [1], [1, 2])],
  },
  quantileCalibration: {
    throws: [() => lib.quantileCalibration([[1]], { levels: 1 })],
    left: [() => lib.quantileCalibration([[2]])],
  },
  pitSummary: {
    throws: [() => lib.pitSummary({ levels: 1 })],
    left: [() => lib.pitSummary().add(lib.pitSummary().empty, [[-1]]), () => lib.pitSummary().value(lib.pitSummary().empty)],
  },
  meanWithError: { left: [() => lib.meanWithError([])] },
  pairedDifference: { left: [() => lib.pairedDifference([1], [1, 2])] },
  bootstrap: {
    throws: [() => lib.bootstrap(0, () => E.right(1)), () => lib.bootstrap(3, () => E.right(1), { resamples: 1 })],
    left: [() => lib.bootstrap(3, () => E.right(Number.NaN)), () => lib.bootstrap(3, () => lib.accuracy([], []))],
  },
  // Abstaining.
  abstainForRisk: {
    throws: [() => lib.abstainForRisk([1], [1], { risk: 1 })],
    left: [() => lib.abstainForRisk([1], [2], { risk: 0.1 }), () => lib.abstainForRisk([1], [], { risk: 0.1 })],
  },
  abstainForCoverage: {
    throws: [() => lib.abstainForCoverage([1], 0)],
    left: [() => lib.abstainForCoverage([Number.NaN], 1)],
  },
  abstain: { throws: [() => lib.abstain(wrong(SETS))], left: [() => lib.abstain([], ABSTENTION)] },
  decodeAbstention: { left: [() => lib.decodeAbstention({ ...ABSTENTION, bound: 2 })] },
  // Calibration after the fact.
  temperatureScaling: TOTAL,
  isotonicRegression: TOTAL,
  vectorScaling: { throws: [() => lib.vectorScaling({ penalty: 0 })] },
  matrixScaling: { throws: [() => lib.matrixScaling({ penalty: Infinity })] },
  histogramBinning: { throws: [() => lib.histogramBinning({ bins: 0 })] },
  fitCalibrator: {
    throws: [() => lib.fitCalibrator([[1, 0]], [0], wrong('platt'))],
    left: [() => lib.fitCalibrator([[1, 0]], [2])],
  },
  calibrate: {
    throws: [() => lib.calibrate([[1, 0]], wrong(SETS)), () => lib.calibrate(wrong({ ...CALIBRATOR, classes: 1 }))],
    left: [() => lib.calibrate([[1, 0, 0]], CALIBRATOR), () => lib.calibrate([[1, 0, 0]], { ...CALIBRATOR, classes: 3 })],
  },
  decodeCalibrator: { left: [() => lib.decodeCalibrator({ ...CALIBRATOR, map: 'none' })] },
  // Out of distribution.
  energy: { throws: [() => lib.energy({ temperature: 0 })] },
  mahalanobis: { throws: [() => lib.mahalanobis({ shrinkage: 1 })] },
  nearestNeighbours: { throws: [() => lib.nearestNeighbours({ neighbours: 0 })] },
  fitDetector: {
    throws: [() => lib.fitDetector({ features: [[1]] }, wrong('lof'))],
    left: [() => lib.fitDetector({ features: [[1]] }, 'mahalanobis'), () => lib.fitDetector(wrong([[1]]), 'nearestNeighbours')],
  },
  decodeDetector: { left: [() => lib.decodeDetector({ ...DETECTOR, features: 0 })] },
  detectionScore: {
    throws: [() => lib.detectionScore(wrong('novelty')), () => lib.detectionScore({}, wrong({ ...DETECTOR, map: 'none' }))],
    left: [() => lib.detectionScore({}, 'entropy'), () => lib.detectionScore({ features: [[1, 2]] }, DETECTOR)],
  },
  evaluateDetection: {
    throws: [
      () => lib.evaluateDetection(SEEN, { scores: [] }),
      () => lib.evaluateDetection(SEEN, { scores: ['entropy', 'entropy'] }),
      () => lib.evaluateDetection(SEEN, { resamples: 1 }),
    ],
    left: [() => lib.evaluateDetection(SEEN, { scores: ['energy'] }), () => lib.evaluateDetection(wrong({ inside: {} }))],
  },
  // Conformal prediction.
  lac: TOTAL,
  aps: { throws: [() => lib.aps({ seed: -1 })] },
  raps: { throws: [() => lib.raps({ penalty: -1 })] },
  absoluteError: TOTAL,
  normalisedError: TOTAL,
  cqr: TOTAL,
  conformalSets: {
    throws: [
      () => lib.conformalSets([[1, 0]], [0], { level: 1 }),
      () => lib.conformalSets([[1, 0]], [0], { by: wrong('group') }),
    ],
    left: [() => lib.conformalSets([[1, 0]], [2]), () => lib.conformalSets([[1, 0]], [0], { by: ['a', 'b'] })],
  },
  predictionSets: {
    throws: [() => lib.predictionSets([[1, 0]], wrong({ _tag: 'conformalSets' })), () => lib.predictionSets(SETS, { seed: -1 })],
    left: [() => lib.predictionSets([[1, 0, 0]], SETS), () => lib.predictionSets([[1, 0]], SETS, { groups: ['a'] })],
  },
  conformalIntervals: {
    throws: [() => lib.conformalIntervals({ mean: [[0]] }, [[0]], { score: wrong('relative') })],
    left: [() => lib.conformalIntervals({ mean: [[0]] }, [[0]]), () => lib.conformalIntervals(GAUSSIANS, [[0, 1]])],
  },
  predictionIntervals: {
    throws: [() => lib.predictionIntervals(GAUSSIANS, wrong(SETS)), () => lib.predictionIntervals(INTERVALS, wrong({ seed: 1 }))],
    left: [() => lib.predictionIntervals(NO_VARIANCE, INTERVALS)],
  },
  decodeConformal: { left: [() => lib.decodeConformal({ ...SETS, classes: 1 })] },
  setCoverage: { left: [() => lib.setCoverage([[0]], [0, 1])] },
  meanSetSize: { left: [() => lib.meanSetSize([])] },
  boundsCoverage: { left: [() => lib.boundsCoverage({ lower: [[0]], upper: [[1]] }, [[Number.NaN]])] },
  // Linear algebra.
  wasmEngine: { throws: [() => lib.wasmEngine({ float: wrong('float16') })] },
};

const EXTEND: Readonly<Record<keyof typeof extend, Failures>> = {
  laplaceError: TOTAL,
  argument: { throws: [() => extend.argument('f', 'n', extend.positive, 0)] },
  choiceOf: { throws: [() => extend.choiceOf('f', 'prior', extend.PriorCodec, 0)] },
  optionsOf: { throws: [() => extend.optionsOf('f', extend.struct('options', { n: extend.positive }), { m: 1 })] },
  array: TOTAL,
  boolean: TOTAL,
  defaulted: TOTAL,
  dictionary: TOTAL,
  finite: TOTAL,
  func: TOTAL,
  literals: TOTAL,
  nonNegative: TOTAL,
  noiseVarianceOf: TOTAL,
  blockWeights: TOTAL,
  optional: TOTAL,
  positive: TOTAL,
  positiveInteger: TOTAL,
  refined: TOTAL,
  seed: TOTAL,
  struct: TOTAL,
  text: TOTAL,
  atAllUses: TOTAL,
  optionalPackage: {
    rejects: [() => extend.optionalPackage('This test', 'none', () => Promise.reject(new Error("Cannot find package 'none'")))],
  },
  coveredBy: { left: [() => extend.coveredBy(network, lib.kfac({ layers: ['none'] }))] },
  takesTrainingRows: TOTAL,
  deviceError: TOTAL,
  fromDevice: TOTAL,
  onDeviceLost: TOTAL,
  kernelMap: TOTAL,
  matchLoss: {
    left: [
      () => {
        const notCompiled = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
        return extend.matchLoss(right(extend.readNetwork(notCompiled, lib.gaussian())));
      },
    ],
  },
  readNetwork: { left: [() => extend.readNetwork(gone, classes.likelihood)] },
  withBlocks: { left: [() => extend.withBlocks(network, ['none'])] },
  ownInputs: { left: [() => extend.ownInputs(network, tf.zeros([1, 99]))] },
  ownBatch: { left: [() => extend.ownBatch(network, tf.zeros([1, 99]), tf.zeros([1, 1]))] },
  cloneModel: { rejects: [() => extend.cloneModel(unregistered())] },
  mixture: TOTAL,
  countNll: TOTAL,
  numberNll: TOTAL,
  networkMoments: TOTAL,
  ofHeads: TOTAL,
  foldIn: { throws: [() => extend.foldIn(extend.key(1), -1)] },
  key: { throws: [() => extend.key(0.5)] },
  normals: { throws: [() => extend.normals(extend.key(1), -1)] },
  uniforms: { throws: [() => extend.uniforms(extend.key(1), -1)] },
  rowsOfUse: TOTAL,
  showsRows: TOTAL,
  forward: TOTAL,
  accepted: { throws: [() => extend.accepted('f', extend.struct('an object', { a: extend.boolean }), { b: true })] },
  isArrayLike: TOTAL,
  isRecord: TOTAL,
  textTable: TOTAL,
  partText: TOTAL,
  firstPass: TOTAL,
  architectureOf: TOTAL,
  anything: TOTAL,
  LIBRARY_VERSION: TOTAL,
  createEpochAccumulator: {
    rejects: [
      () =>
        extend
          .createEpochAccumulator({
            curvature: lib.kfac(),
            epochs: lib.everyEpoch(),
            announced: 1,
            empty: () => ({ what: 'none' }),
          })
          .end(),
    ],
  },
  transientBatch: TOTAL,
  NOT_FINITE: TOTAL,
  skipsOf: TOTAL,
  remoteEngine: { throws: [() => extend.remoteEngine(() => wrong(undefined), { float: wrong('float16') })] },
  defaultEngine: TOTAL,
  engineNamed: { throws: [() => extend.engineNamed(wrong('lapack'))] },
  prepareWasm: TOTAL,
  CurvatureCodec: TOTAL,
  CheckpointCodec: TOTAL,
  TrainingCheckpointCodec: TOTAL,
  nonNegativeInteger: TOTAL,
  keptEpochs: {
    rejects: [
      () =>
        extend.keptEpochs({ load: async () => wrong({ epoch: 0, window: [3] }), save: async () => {}, clear: async () => {} }),
    ],
  },
  EngineChoiceCodec: TOTAL,
  LikelihoodCodec: TOTAL,
  PriorCodec: TOTAL,
  DampingCodec: TOTAL,
  PredictiveCodec: TOTAL,
  RecipeCodec: TOTAL,
  EpochSelectionCodec: TOTAL,
  inputsOfBatches: TOTAL,
  readLabels: { rejects: [() => extend.readLabels(network, [], 'test')] },
  checkModel: { rejects: [() => extend.checkModel(model, { fingerprint: 'other', likelihood: classes.likelihood })] },
  OwnLikelihoodsCodec: TOTAL,
  DecodeOptionsCodec: TOTAL,
  DecodeFactorsOptionsCodec: TOTAL,
  openFactorsFile: { throws: [() => extend.openFactorsFile(wrong('bytes'))], rejects: [() => extend.openFactorsFile(EMPTY)] },
  mergeAll: { rejects: [() => extend.mergeAll([])] },
  // Pieces fail with their layers: see the tests of files.
  piecesOfFile: TOTAL,
  joined: TOTAL,
  TuningCodec: TOTAL,
};

/** A model with a layer that tfjs cannot load. */
function unregistered(): tf.LayersModel {
  class Unknown extends tf.layers.Layer {
    static readonly className = 'Unknown';
  }
  return tf.sequential({ layers: [new Unknown({ inputShape: [2] })] });
}

const PLUGINS: Readonly<Record<string, Failures>> = {
  laplaceCallback: { throws: [() => laplaceCallback(wrong({ likelihood: 'none' }))] },
  workerEngine: { throws: [() => workerEngine({ workers: 0 }), () => workerEngine({ float: wrong('float16') })] },
  trainedNetwork: {
    throws: [() => baselines.trainedNetwork(model, wrong('none'))],
    rejects: [() => baselines.trainedNetwork(gone, classes.likelihood).prepare()],
  },
  calibrated: { throws: [() => baselines.calibrated(wrong(model), { inputs: [data.x], labels: [0] })] },
  mcDropout: {
    throws: [() => baselines.mcDropout(model, classes.likelihood, { passes: 0 })],
    rejects: [() => baselines.mcDropout(model, classes.likelihood).prepare()],
  },
  deepEnsemble: {
    throws: [() => baselines.deepEnsemble(classes.likelihood, wrong({}))],
    rejects: [() => baselines.deepEnsemble(classes.likelihood, { models: [gone] }).prepare()],
  },
  swag: {
    throws: [() => baselines.swag(model, classes.likelihood, [], {})],
    rejects: [() => baselines.swag(model, classes.likelihood, [[]]).prepare()],
  },
  posteriorPredictive: { throws: [() => baselines.posteriorPredictive('own', model, posterior, wrong('none'))] },
  compareBaselines: { rejects: [() => baselines.compareBaselines(wrong(undefined), [data.x], [0])] },
  baselineTable: { throws: [() => baselines.baselineTable([], wrong('nll'))] },
  terminalProgress: { throws: [() => terminalProgress({ loudness: wrong('loud') })] },
  useBackend: { rejects: [() => useBackend({ prefer: wrong('cuda') })] },
  laplaceApproximation: {
    throws: [
      () => laplaceApproximation(model, { likelihood: classes.likelihood, posterior: { priorPrecision: -1 } }),
      () => laplaceApproximation(model, wrong({ likelihood: classes.likelihood, priorPrecision: 1 })),
    ],
    rejects: [
      () => laplaceApproximation(model, { likelihood: classes.likelihood }).predict(data.x),
      () => laplaceApproximation(model, { likelihood: classes.likelihood }).computePosterior(data, { batchSize: 0 }),
      () => laplaceApproximation(model, { likelihood: classes.likelihood }).sampleModels(0),
      () => laplaceApproximation(model, { likelihood: classes.likelihood, tuning: {} }).computePosterior(data),
    ],
  },
};

it('says of every public name how it fails', () => {
  expect(Object.keys(INDEX).sort()).toEqual(Object.keys(lib).sort());
  expect(Object.keys(EXTEND).sort()).toEqual(Object.keys(extend).sort());
});

const CASES = Object.entries({ ...INDEX, ...EXTEND, ...PLUGINS });
const casesOf = <K extends keyof Failures>(kind: K): ReadonlyArray<readonly [string, NonNullable<Failures[K]>]> =>
  CASES.flatMap(([name, failures]) => (failures[kind] === undefined ? [] : [[name, failures[kind]] as const]));

const anyError = expect.objectContaining({ _tag: 'LaplaceError' });

it.each(casesOf('throws'))('%s throws InvalidOption for a wrong option, at the call', (_, calls) => {
  for (const call of calls) expect(call).toThrow(expect.objectContaining({ _tag: 'LaplaceError', kind: 'InvalidOption' }));
});

it.each(casesOf('left'))('%s returns a Left for values that do not fit', async (_, calls) => {
  for (const call of calls) expect(await call()).toEqual(E.left(anyError));
});

it.each(casesOf('stream'))('%s carries a failure of values as the error of the stream', async (_, calls) => {
  for (const call of calls) {
    // The call itself does not throw.
    const stream = call();
    await expect(lastValueFrom(stream)).rejects.toEqual(anyError);
  }
});

it.each(casesOf('rejects'))('%s rejects', async (_, calls) => {
  for (const call of calls) {
    const promise = call();
    await expect(promise).rejects.toEqual(anyError);
  }
});
