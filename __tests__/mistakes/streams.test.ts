/** Natural mistakes with streams: from data to factors, posteriors, predictions and networks. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom, type OperatorFunction, of } from 'rxjs';
import * as lib from 'tfjs-laplace';
import { pass } from '../support/factors.js';
import { right } from '../support/math/laplace.js';
import { itSaysWhatToDo, type Mistake, wrong } from '../support/mistakes.js';
import { chain, dataOf, pair } from '../support/networks.js';

const { accumulateFactors, batches, kfac, observe, predict, sampleModels, toPosterior } = lib;

const classes = pair('classes, softmax inside');
const { likelihood } = classes;
const model = chain(classes);
const data = dataOf(classes, 6);
const [wide, single] = [tf.zeros([2, 9]), tf.zeros([4])];
const graphModel = { executeAsync: () => {}, modelSignature: {} };
let factors: lib.Factors;
let posterior: lib.Posterior;
beforeAll(async () => {
  factors = await pass(model, likelihood, data);
  posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
});

const through = <A, B>(value: unknown, operator: OperatorFunction<A, B>) => of(value as A).pipe(operator);
const observed = (source: unknown, own: unknown = likelihood) =>
  from([source as never]).pipe(observe(model, own as never), accumulateFactors());

const DATA: ReadonlyArray<Mistake> = [
  ['batches()', () => batches(wrong(undefined), 2), 'InvalidOption', 'batches', 'data { x, y }', 'nothing'],
  ['batches(x, y, 2)', () => batches(wrong(data.x), wrong(data.y)), 'InvalidOption', 'batches', 'a tensor', 'data { x, y }'],
  ['batches({ x, y })', () => batches(data, wrong(undefined)), 'InvalidOption', 'size', 'an integer >= 1'],
  ["batches({ x, y }, '2')", () => batches(data, wrong('2')), 'InvalidOption', 'size', 'found "2"'],
  ['batches({ x, y }, { batchSize })', () => batches(data, wrong({ batchSize: 2 })), 'InvalidOption', 'size', 'batchSize'],
  ['batches({ xs, ys }, 2)', () => batches(wrong({ xs: data.x, ys: data.y }), 2), 'InvalidOption', 'xs', 'x, y, weights'],
  ['batches({ x, labels }, 2)', () => batches(wrong({ x: data.x, labels: data.y }), 2), 'InvalidOption', 'labels', 'no such key'],
  [
    'batches({ x }, 2)',
    () => from(batches(wrong({ x: data.x }), 2)).pipe(observe(model, likelihood), accumulateFactors()),
    'InvalidLabels',
    'y',
    'nothing',
  ],
  [
    'batches of text labels',
    () =>
      from(batches({ x: data.x, y: ['a', 'b', 'c', 'a', 'b', 'c'] }, 2)).pipe(observe(model, likelihood), accumulateFactors()),
    'InvalidLabels',
    'Number the classes',
  ],
  ['inputBatches(x)', () => lib.inputBatches(data.x, wrong(undefined)), 'InvalidOption', 'size'],
  [
    'inputBatches({ x }, 2)',
    () => from(lib.inputBatches(wrong({ x: 'text' }), 2)).pipe(predict(model, posterior)),
    'InvalidInput',
    'x',
  ],
  ['fromDataset(array)', () => lib.fromDataset(wrong([data])), 'InvalidInput', 'a tf.data.Dataset', 'from(array)'],
  ['fromDataset({ x, y })', () => lib.fromDataset(wrong(data)), 'InvalidInput', 'from(batches('],
  ['fromDataset(generator)', () => lib.fromDataset(wrong((function* () {})())), 'InvalidInput', 'fromIterable'],
  ['fromDataset()', () => lib.fromDataset(wrong(undefined)), 'InvalidInput', 'a tf.data.Dataset', 'nothing'],
  ['fromIterable(dataset)', () => lib.fromIterable(wrong({ iterator: () => {} })), 'InvalidInput', 'fromDataset'],
  [
    'fromIterable(function* () {})',
    () => lib.fromIterable(wrong(function* () {})),
    'InvalidInput',
    'Call the generator function',
  ],
  ['fromIterable(5)', () => lib.fromIterable(wrong(5)), 'InvalidInput', 'an iterable of batches', 'found 5'],
];

const OBSERVING: ReadonlyArray<Mistake> = [
  ['observe()', () => observe(wrong(undefined), wrong(undefined)), 'InvalidOption', 'observe', 'likelihood', 'nothing'],
  ['observe(model)', () => observe(model, wrong(undefined)), 'InvalidOption', 'likelihood', 'nothing'],
  ["observe(model, 'catagorical')", () => observe(model, wrong('catagorical')), 'InvalidOption', "did you mean 'categorical'?"],
  ["observe(model, 'meanSquaredError')", () => observe(model, wrong('meanSquaredError')), 'InvalidOption', "'gaussian'"],
  ['observe(model, categorical)', () => observe(model, wrong(lib.categorical)), 'InvalidOption', 'likelihood', 'a function'],
  ['observe(model, { likelyhood })', () => observe(model, wrong({ likelyhood: likelihood })), 'InvalidOption', 'likelihood'],
  ['observe(likelihood, model)', () => through(data, observe(wrong(likelihood), wrong(model))), 'InvalidOption', 'likelihood'],
  ['observe(graph model)', () => through(data, observe(wrong(graphModel), likelihood)), 'InvalidModel', 'tfjs_layers_model'],
  [
    'observe(promise of a model)',
    () => through(data, observe(wrong(Promise.resolve(model)), likelihood)),
    'InvalidModel',
    'await tf.loadLayersModel',
  ],
  ['observe(layer)', () => through(data, observe(wrong(model.layers[0]), likelihood)), 'InvalidModel', 'a layer, Dense'],
  ['x alone', () => observed(data.x), 'InvalidInput', 'x', 'nothing'],
  ['[x, y]', () => observed([data.x, data.y]), 'InvalidInput', 'x', 'nothing'],
  ['x of another width', () => observed({ x: wide, y: [0, 1] }), 'InvalidInput', '[2, 9]', '[B, 4]'],
  ['no example', () => observed({ x: [], y: [] }), 'InvalidInput', 'B >= 1'],
  ['labels in place of one-hot rows', () => observed({ x: data.x, y: [0.5, 1, 2, 0, 1, 2] }), 'InvalidLabels', 'out of range'],
  ['weights of another length', () => observed({ ...data, weights: [1, 2] }), 'InvalidInput', 'weights', '[6]'],
  ['a number', () => observed(5), 'InvalidInput', 'x'],
  ['nothing', () => observed(undefined), 'InvalidInput', 'x', 'nothing'],
];

const ACCUMULATING: ReadonlyArray<Mistake> = [
  ["accumulateFactors('kfacc')", () => accumulateFactors(wrong('kfacc')), 'InvalidOption', 'curvature', "did you mean 'kfac'?"],
  ['accumulateFactors(kfac)', () => accumulateFactors(wrong(kfac)), 'InvalidOption', 'curvature', 'a function'],
  ['accumulateFactors({ onProgress })', () => accumulateFactors(wrong({ onProgress: () => {} })), 'InvalidOption', 'curvature'],
  [
    'accumulateFactors(kfac(), { onProgres })',
    () => accumulateFactors(kfac(), wrong({ onProgres: () => {} })),
    'InvalidOption',
    "did you mean 'onProgress'?",
  ],
  [
    "accumulateFactors(kfac(), { total: 'all' })",
    () => accumulateFactors(kfac(), { total: wrong('all') }),
    'InvalidOption',
    'total',
    '"all"',
  ],
  [
    'accumulateFactors(ekfac(), { basis: factors })',
    () => accumulateFactors(lib.ekfac(), { basis: wrong(factors) }),
    'InvalidOption',
    'basis',
    'a posterior',
    "tagged 'Factors'",
  ],
  [
    "accumulateFactors(ekfac(), { engine: 'lapack' })",
    () => accumulateFactors(lib.ekfac(), { engine: wrong('lapack') }),
    'InvalidOption',
    'engine',
    "'wasm'",
  ],
  ['without observe', () => through(data, accumulateFactors() as never), 'InvalidInput', 'observe(model, likelihood)'],
  ['of an empty stream', () => from([]).pipe(accumulateFactors()), 'Empty', 'at least one observed batch'],
];

const POSTERIORS: ReadonlyArray<Mistake> = [
  ['toPosterior(10)', () => toPosterior(wrong(10)), 'InvalidOption', 'toPosterior', 'found 10', 'options'],
  [
    'toPosterior({ prioPrecision })',
    () => toPosterior(wrong({ prioPrecision: 1000 })),
    'InvalidOption',
    "did you mean 'priorPrecision'?",
  ],
  ['toPosterior({ tau })', () => toPosterior(wrong({ tau: 1 })), 'InvalidOption', 'no such key', 'priorPrecision'],
  [
    "toPosterior({ priorPrecision: '1' })",
    () => toPosterior({ priorPrecision: wrong('1') }),
    'InvalidOption',
    'priorPrecision',
    '"1"',
  ],
  [
    'toPosterior({ priorPrecision: -1 })',
    () => toPosterior({ priorPrecision: -1 }),
    'InvalidOption',
    'priorPrecision',
    'found -1',
  ],
  [
    'toPosterior({ priorPrecision: { a: 0 } })',
    () => toPosterior({ priorPrecision: { a: 0 } }),
    'InvalidOption',
    'priorPrecision.a',
    'found 0',
  ],
  ["toPosterior({ prior: 'flat' })", () => toPosterior({ prior: wrong('flat') }), 'InvalidOption', 'prior', '"flat"'],
  [
    "toPosterior({ damping: 'exakt' })",
    () => toPosterior({ damping: wrong('exakt') }),
    'InvalidOption',
    'damping',
    "did you mean 'exact'?",
  ],
  ['toPosterior({ layers: /dense/ })', () => toPosterior({ layers: wrong(/dense/) }), 'InvalidOption', 'layers', 'RegExp'],
  ['toPosterior({ datasetSize: 0 })', () => toPosterior({ datasetSize: 0 }), 'InvalidOption', 'datasetSize', 'found 0'],
  ["toPosterior({ engine: 'wsam' })", () => toPosterior({ engine: wrong('wsam') }), 'InvalidOption', 'engine'],
  [
    'toPosterior({ engine: wasmEngine() })',
    () => toPosterior({ engine: wrong(lib.wasmEngine()) }),
    'InvalidOption',
    'engine',
    'an Either',
  ],
  [
    'toPosterior({ onProgress: true })',
    () => toPosterior({ onProgress: wrong(true) }),
    'InvalidOption',
    'onProgress',
    'a function',
  ],
  ['of a posterior', () => through(posterior, toPosterior()), 'InvalidInput', 'toPosterior', "tagged 'Posterior'", 'factors'],
  ['of an Either', () => through(E.right(factors), toPosterior()), 'InvalidInput', 'an Either', 'orThrow'],
  ['of layers that are not there', () => through(factors, toPosterior({ layers: ['none'] })), 'NoBayesianLayer', 'none'],
  [
    'of precisions of other layers',
    () => through(factors, toPosterior({ priorPrecision: { none: 1 } })),
    'InvalidOption',
    'none',
  ],
];

const EVIDENCE = () => right(lib.maximiseEvidence(posterior));
const predicting = (own: unknown, predictive?: unknown, options?: unknown) =>
  through(data.x, predict(model, own as never, predictive as never, options as never));

const PREDICTING: ReadonlyArray<Mistake> = [
  ['predict(model, Either)', () => predicting(E.right(posterior)), 'InvalidInput', 'an Either', 'a posterior', 'orThrow'],
  ['predict(model, maximum)', () => predicting(EVIDENCE()), 'InvalidInput', 'a posterior', 'its field posterior'],
  ['predict(model, factors)', () => predicting(factors), 'InvalidInput', "tagged 'Factors'", 'toPosterior'],
  ['predict(model, promise)', () => predicting(Promise.resolve(posterior)), 'InvalidInput', 'Promise', 'await'],
  ['predict(model, stream)', () => predicting(of(posterior)), 'InvalidInput', 'an Observable', 'lastValueFrom'],
  ['predict(model)', () => predicting(undefined), 'InvalidInput', 'a posterior', 'nothing'],
  [
    'predict(posterior, model)',
    () => through(data.x, predict(wrong(posterior), wrong(model))),
    'InvalidInput',
    'a posterior',
    'a tfjs Sequential',
  ],
  ['predict(…, { samples: 20 })', () => predicting(posterior, { samples: 20 }), 'InvalidOption', 'predictive', "'linearised'"],
  ["predict(…, 'sampling')", () => predicting(posterior, 'sampling'), 'InvalidOption', 'predictive', '"sampling"'],
  ['predict(…, weightSampling)', () => predicting(posterior, lib.weightSampling), 'InvalidOption', 'predictive', 'a function'],
  ['predict(…, 20)', () => predicting(posterior, 20), 'InvalidOption', 'predictive', 'found 20'],
  [
    'predict(…, { memoryBudget })',
    () => predicting(posterior, undefined, { memoryBudget: '1GB' }),
    'InvalidOption',
    'memoryBudget',
    '"1GB"',
  ],
  [
    'predict(…, { onprogress })',
    () => predicting(posterior, undefined, { onprogress: () => {} }),
    'InvalidOption',
    "did you mean 'onProgress'?",
  ],
  ['x of another width', () => through(wide, predict(model, posterior)), 'InvalidInput', '[2, 9]'],
  ['one example without a batch', () => through(single, predict(model, posterior)), 'InvalidInput', 'expandDims(0)'],
  ['{ x, y } in place of x', () => through(data, predict(model, posterior) as never), 'InvalidInput', 'x'],
  ['text', () => through('cat', predict(model, posterior)), 'InvalidInput', 'x'],
  ['running: an Either', () => through(data.x, lib.predictRunning(model, wrong(E.right(posterior)))), 'InvalidInput', 'orThrow'],
  ['sampleModels({ n: 3 })', () => sampleModels(model, wrong({ n: 3 })), 'InvalidOption', 'no such key', 'samples'],
  ['sampleModels(model, 3)', () => sampleModels(model, wrong(3)), 'InvalidOption', 'found 3', 'options'],
  ['sampleModels({ samples: 0 })', () => sampleModels(model, { samples: 0 }), 'InvalidOption', 'samples', 'Infinity'],
  [
    "sampleModels({ design: 'sobol' })",
    () => sampleModels(model, { design: wrong('sobol') }),
    'InvalidOption',
    'design',
    "'quasiRandom'",
  ],
  ['sampleModels of an Either', () => through(E.right(posterior), sampleModels(model)), 'InvalidInput', 'orThrow'],
  ['sampleModels(model, posterior)', () => sampleModels(model, wrong(posterior)), 'InvalidOption', 'sampleModels'],
  [
    'mapSamples(model, project)',
    () =>
      through(
        posterior,
        lib.mapSamples(
          model,
          wrong(() => 1),
          wrong(undefined),
        ),
      ),
    'InvalidOption',
    'mapSamples',
    'a function',
  ],
  [
    'mapSamples(model, {})',
    () => through(posterior, lib.mapSamples(model, {}, wrong(undefined))),
    'InvalidOption',
    'project',
    'a function',
  ],
  [
    'sampleFunctions({ samples: Infinity })',
    () => lib.sampleFunctions(model, posterior, { samples: Infinity }),
    'InvalidOption',
    'samples',
    'Infinity',
  ],
  [
    'sampleFunctions(model, factors)',
    () => through(data.x, lib.sampleFunctions(model, wrong(factors))),
    'InvalidInput',
    'toPosterior',
  ],
];

describe('data', () => itSaysWhatToDo(DATA));
describe('observing', () => itSaysWhatToDo(OBSERVING));
describe('accumulating', () => itSaysWhatToDo(ACCUMULATING));
describe('posteriors', () => itSaysWhatToDo(POSTERIORS));
describe('predicting', () => itSaysWhatToDo(PREDICTING));
