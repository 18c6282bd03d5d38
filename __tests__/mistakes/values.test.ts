/** Natural mistakes with values: factors, posteriors, coverages, and the promises about a model. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { lastValueFrom, of } from 'rxjs';
import * as lib from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { pass } from '../support/factors.js';
import { itSaysWhatToDo, type Mistake, wrong } from '../support/mistakes.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
const { likelihood } = classes;
const model = chain(classes);
const data = dataOf(classes, 6);
const curvature = lib.kfac();
const OPTIONS = { prior: lib.isotropic(1), damping: lib.exactDamping(), layers: 'all' } as const;
let factors: lib.Factors;
let posterior: lib.Posterior;
beforeAll(async () => {
  factors = await pass(model, likelihood, data);
  posterior = await lastValueFrom(of(factors).pipe(lib.toPosterior()));
});

const OF_FACTORS: ReadonlyArray<Mistake> = [
  [
    'merge([a, b])',
    () => lib.merge(wrong([factors, factors])),
    'InvalidInput',
    'merge',
    'an array of length 2',
    'concatAll(factorsMonoid(first))',
  ],
  ['merge(Either, b)', () => lib.merge(wrong(E.right(factors)), factors), 'InvalidInput', 'an Either', 'orThrow'],
  ['merge(a, posterior)', () => lib.merge(factors, wrong(posterior)), 'InvalidInput', "tagged 'Posterior'", 'keep the factors'],
  ['merge(a, a)', () => lib.merge(factors, factors), 'Mismatch', 'the same sums twice'],
  ['merge()', () => lib.merge(wrong(undefined)), 'InvalidInput', 'factors', 'nothing'],
  ['mergeEpochs([a, b])', () => lib.mergeEpochs(wrong([factors])), 'InvalidInput', 'mergeEpochs', 'one by one'],
  [
    'mergeEpochs(promise, b)',
    () => lib.mergeEpochs(wrong(Promise.resolve(factors)), factors),
    'InvalidInput',
    'Promise',
    'await',
  ],
  ['moments(posterior)', () => lib.moments(wrong(posterior)), 'InvalidInput', 'moments', "tagged 'Posterior'"],
  ['moments()', () => lib.moments(wrong(undefined)), 'InvalidInput', 'factors'],
  ['emptyFactors(factors)', () => lib.emptyFactors(wrong(factors), 'f', []), 'InvalidInput', 'a layout', 'Its field layout'],
  ['factorsMonoid([a, b])', () => lib.factorsMonoid(wrong([factors])), 'InvalidInput', 'factors', 'one by one'],
  ['factorsMonoid(factors.layout)', () => lib.factorsMonoid(wrong(factors.layout)), 'InvalidInput', 'factors'],
  ['orThrow(value)', () => lib.orThrow(wrong(posterior)), 'InvalidInput', 'an Either', 'Use the value as it is'],
  ['orThrow(withPrior(5))', () => lib.orThrow(wrong(lib.withPrior(5))), 'InvalidInput', 'a function', 'Call it with its data'],
];

const OF_POSTERIORS: ReadonlyArray<Mistake> = [
  [
    'posteriorOf(factors)',
    () => lib.posteriorOf(factors, wrong(undefined), javascriptEngine),
    'InvalidOption',
    'posteriorOf',
    'nothing',
  ],
  [
    'posteriorOf(…, { priorPrecision })',
    () => lib.posteriorOf(factors, wrong({ ...OPTIONS, priorPrecision: 1 }), javascriptEngine),
    'InvalidOption',
    'priorPrecision',
    'no such key',
  ],
  ['posteriorOf(…, without an engine)', () => lib.posteriorOf(factors, OPTIONS, wrong(undefined)), 'InvalidOption', 'engine'],
  ["posteriorOf(…, 'wasm')", () => lib.posteriorOf(factors, OPTIONS, wrong('wasm')), 'InvalidOption', 'engine', '"wasm"'],
  [
    'posteriorOf(posterior, …)',
    () => lib.posteriorOf(wrong(posterior), OPTIONS, javascriptEngine),
    'InvalidInput',
    "tagged 'Posterior'",
  ],
  ["withPrior(p, '5')", () => lib.withPrior(posterior, wrong('5')), 'InvalidOption', 'prior', '"5"'],
  ['withPrior(p, 0)', () => lib.withPrior(posterior, 0), 'InvalidOption', 'prior', 'found 0'],
  ['withPrior(p, { none: 1 })', () => lib.withPrior(posterior, { none: 1 }), 'InvalidOption', 'none'],
  ['withPrior(Either, 5)', () => lib.withPrior(wrong(E.right(posterior)), 5), 'InvalidInput', 'orThrow'],
  ['withPrior(p)', () => lib.withPrior(wrong(posterior)), 'InvalidOption', 'prior', '"Posterior"'],
  ["withDamping(p, 'none')", () => lib.withDamping(posterior, wrong('none')), 'InvalidOption', 'damping', '"none"'],
  ["withDamping(factors, 'exact')", () => lib.withDamping(wrong(factors), 'exact'), 'InvalidInput', 'a posterior', 'toPosterior'],
  ['evidence(factors)', () => lib.evidence(wrong(factors)), 'InvalidInput', 'evidence', 'a posterior', 'toPosterior'],
  ['evidence(Either)', () => lib.evidence(wrong(E.right(posterior))), 'InvalidInput', 'orThrow'],
  ['maximiseEvidence(Either)', () => lib.maximiseEvidence(wrong(E.right(posterior))), 'InvalidInput', 'orThrow'],
  ['maximiseEvidence(factors)', () => lib.maximiseEvidence(wrong(factors)), 'InvalidInput', 'toPosterior'],
  [
    "maximiseEvidence(p, { per: 'weight' })",
    () => lib.maximiseEvidence(posterior, { per: wrong('weight') }),
    'InvalidOption',
    'per',
    "'all' or 'layer'",
  ],
  ["maximiseEvidence(p, 'layer')", () => lib.maximiseEvidence(posterior, wrong('layer')), 'InvalidOption', 'found "layer"'],
  [
    'maximiseEvidence(p, { perLayer })',
    () => lib.maximiseEvidence(posterior, wrong({ perLayer: true })),
    'InvalidOption',
    'no such key',
    'per',
  ],
  [
    "variances(p, 'dense')",
    () => lib.variances(posterior, wrong('dense')),
    'InvalidInput',
    'a layer of a posterior',
    'posterior.layers.find',
  ],
  ['variances(p, 0)', () => lib.variances(posterior, wrong(0)), 'InvalidInput', 'posterior.layers[i]'],
  ['variances(factors, layer)', () => lib.variances(wrong(factors), posterior.layers[0] as never), 'InvalidInput', 'a posterior'],
  ['keptTrace(posterior)', () => lib.keptTrace(wrong(posterior)), 'InvalidInput', 'a layer of a posterior', 'Its field layers'],
];

const OF_MODELS: ReadonlyArray<Mistake> = [
  ['coverage(model)', () => lib.coverage(wrong(model)), 'InvalidOption', 'coverage', 'likelihood'],
  ['coverage(model, kfac())', () => lib.coverage(model, wrong(curvature)), 'InvalidOption', 'likelihood'],
  [
    'coverage(graph model, …)',
    () => lib.coverage(wrong({ executeAsync: () => {} }), { likelihood, curvature }),
    'InvalidModel',
    'a tf.GraphModel',
  ],
  [
    "coverage(model, { curvature: 'kfacc' })",
    () => lib.coverage(model, { likelihood, curvature: wrong('kfacc') }),
    'InvalidOption',
    "did you mean 'kfac'?",
  ],
  [
    'coverageTable(Either)',
    () => lib.coverageTable(wrong(lib.coverage(model, { likelihood, curvature }))),
    'InvalidInput',
    'an Either',
    'orThrow',
  ],
  ['coverageTable(model)', () => lib.coverageTable(wrong(model)), 'InvalidInput', 'a coverage', 'coverage(model, options)'],
  ['expectedTime(model)', () => lib.expectedTime(model, wrong(undefined)), 'InvalidOption', 'expectedTime', 'nothing'],
  [
    'expectedTime without examples',
    () => lib.expectedTime(model, wrong({ likelihood, curvature })),
    'InvalidOption',
    'examples',
    'nothing',
  ],
  [
    "expectedTime({ batch: '32' })",
    () => lib.expectedTime(model, { likelihood, curvature, examples: 1, batch: wrong('32') }),
    'InvalidOption',
    'batch',
    '"32"',
  ],
  [
    'expectedTime({ batchSize })',
    () => lib.expectedTime(model, wrong({ likelihood, curvature, examples: 1, batchSize: 3 })),
    'InvalidOption',
    'batchSize',
    'batch',
  ],
  ['fingerprint(posterior)', () => lib.fingerprint(wrong(posterior)), 'InvalidModel', 'a tf.LayersModel'],
  ['fingerprint()', () => lib.fingerprint(wrong(undefined)), 'InvalidModel', 'a tf.LayersModel'],
  [
    'outputDistribution(model, Either, x)',
    () => lib.outputDistribution(model, wrong(E.right(posterior)), data.x),
    'InvalidInput',
    'orThrow',
  ],
  [
    'outputDistribution(…, { temprature })',
    () => lib.outputDistribution(model, posterior, data.x, wrong({ temprature: 1 })),
    'InvalidOption',
    "did you mean 'temperature'?",
  ],
  [
    'outputDistribution(model, posterior)',
    () => lib.outputDistribution(model, posterior, wrong(undefined)),
    'InvalidInput',
    'x',
    'nothing',
  ],
  [
    'jointDistribution(model, factors, x)',
    () => lib.jointDistribution(model, wrong(factors), data.x),
    'InvalidInput',
    'toPosterior',
  ],
  ['jointDistribution(…, 2)', () => lib.jointDistribution(model, posterior, data.x, wrong(2)), 'InvalidOption', 'found 2'],
  [
    'crossCovariance(model, posterior, x)',
    () => lib.crossCovariance(model, posterior, data.x, wrong(undefined)),
    'InvalidInput',
    'x',
    'nothing',
  ],
  ['wasmEngine({ float: 32 })', () => lib.wasmEngine({ float: wrong(32) }), 'InvalidOption', 'float', "'float32'"],
  ["wasmEngine('float32')", () => lib.wasmEngine(wrong('float32')), 'InvalidOption', 'wasmEngine', '"float32"'],
];

afterAll(() => tf.dispose([data.x, data.y]));

describe('factors', () => itSaysWhatToDo(OF_FACTORS));
describe('posteriors', () => itSaysWhatToDo(OF_POSTERIORS));
describe('models', () => itSaysWhatToDo(OF_MODELS));
