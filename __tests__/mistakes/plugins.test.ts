/** Natural mistakes with plugins. The callback and the wrapper are in `__tests__/plugins`. */
import * as tf from '@tensorflow/tfjs';
import { orThrow, precisionRecall, riskCoverage, rocCurve } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import {
  baselineTable,
  calibrated,
  compareBaselines,
  deepEnsemble,
  mcDropout,
  posteriorPredictive,
  swag,
  trainedNetwork,
} from 'tfjs-laplace/plugins/baselines';
import { decodeIdx, decodeNpy, readData } from 'tfjs-laplace/plugins/data-files';
import {
  curves,
  evidenceCurves,
  gallery,
  histograms,
  pitHistograms,
  pngOf,
  powerLaws,
  precisionRecallCurves,
  predictionBands,
  reliabilityDiagram,
  riskCoverageCurves,
  rocCurves,
  setSizes,
  tuningCurve,
  writePicture,
} from 'tfjs-laplace/plugins/plots';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
import { readBytes } from 'tfjs-laplace/plugins/storage';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import { itSaysWhatToDo, type Mistake, wrong } from '../support/mistakes.js';

const ENGINES: ReadonlyArray<Mistake> = [
  ['workerEngine(4)', () => workerEngine(wrong(4)), 'InvalidOption', 'workerEngine', 'found 4'],
  ['workerEngine({ workers: 0 })', () => workerEngine({ workers: 0 }), 'InvalidOption', 'workers', 'an integer >= 1'],
  ["workerEngine({ workers: '2' })", () => workerEngine({ workers: wrong('2') }), 'InvalidOption', 'workers', '"2"'],
  ['workerEngine({ threads: 2 })', () => workerEngine(wrong({ threads: 2 })), 'InvalidOption', 'no such key', 'workers'],
  ["workerEngine({ float: 'f32' })", () => workerEngine({ float: wrong('f32') }), 'InvalidOption', 'float', "'float32'"],
  ["useBackend('wasm')", () => useBackend(wrong('wasm')), 'InvalidOption', 'useBackend', '"wasm"'],
  [
    "useBackend({ prefer: 'webgl' })",
    () => useBackend({ prefer: wrong('webgl') }),
    'InvalidOption',
    'prefer',
    "'node', 'wasm' or 'cpu'",
  ],
  ["useBackend({ prefers: 'wasm' })", () => useBackend(wrong({ prefers: 'wasm' })), 'InvalidOption', "did you mean 'prefer'?"],
];

const PROGRESS: ReadonlyArray<Mistake> = [
  ["terminalProgress('quiet')", () => terminalProgress(wrong('quiet')), 'InvalidOption', 'terminalProgress', '"quiet"'],
  [
    "terminalProgress({ loudness: 'loud' })",
    () => terminalProgress({ loudness: wrong('loud') }),
    'InvalidOption',
    'loudness',
    "'verbose'",
  ],
  [
    'terminalProgress({ output: console.log })',
    () => terminalProgress({ output: wrong(console.log) }),
    'InvalidOption',
    'output',
    'write',
  ],
  [
    'terminalProgress({ verbose: true })',
    () => terminalProgress(wrong({ verbose: true })),
    'InvalidOption',
    'verbose',
    'no such key',
  ],
];

const heading = { title: 'A title' };
const curve = { name: 'a', points: [{ x: 0, y: 1 }] };
const scores = { positives: [0.9, 0.4], negatives: [0.1, 0.4] };
const roc = orThrow(rocCurve(scores));
const own = { precision: 1, scale: 1, criterion: 0.3, difference: { value: 0, standardError: 0 } };
const tuning = {
  candidates: [own],
  network: { plain: own, fitted: own },
  choices: { best: own, widest: own, evidence: own },
  chosen: own,
};
const rows = [Float32Array.of(1), Float32Array.of(2)];
const prediction = {
  _tag: 'regression',
  support: 'real',
  mean: rows,
  epistemicVariance: rows,
  noiseVariance: rows,
  totalVariance: rows,
} as const;
const bands = { ...heading, xAxis: 'x', yAxis: 'y', x: [0, 1], prediction };
const PLOTS: ReadonlyArray<Mistake> = [
  ['curves([…])', () => curves(wrong([curve])), 'InvalidOption', 'curves', 'an array of length 1'],
  ['curves without axes', () => curves(wrong({ ...heading, curves: [curve] })), 'InvalidOption', 'xAxis', 'nothing'],
  [
    'curves with NaN',
    () => curves({ ...heading, xAxis: 'x', yAxis: 'y', curves: [{ name: 'a', points: [{ x: 0, y: Number.NaN }] }] }),
    'InvalidOption',
    'curves[0].points[0].y',
    'NaN',
  ],
  [
    'curves of no curve',
    () => curves({ ...heading, xAxis: 'x', yAxis: 'y', curves: [] }),
    'InvalidOption',
    'curves',
    'an empty array',
  ],
  [
    'histograms with their ends the wrong way round',
    () =>
      histograms({
        ...heading,
        axis: 'x',
        of: 'digits',
        range: [1, 0],
        panels: [{ title: 'a', groups: [{ name: 'b', values: [1] }] }],
      }),
    'InvalidOption',
    'range',
    'low < high',
  ],
  [
    'reliabilityDiagram of a calibration',
    () => reliabilityDiagram(wrong({ ece: 0.1, bins: [] })),
    'InvalidOption',
    'series',
    'ece',
  ],
  [
    'reliabilityDiagram of two series of one name',
    () => {
      const series = { name: 'MAP', bins: [{ lower: 0, upper: 1, count: 1, confidence: 0.5, accuracy: 1 }] };
      return reliabilityDiagram({ ...heading, series: [series, series] });
    },
    'InvalidOption',
    'series[1].name',
    '"MAP"',
  ],
  [
    'rocCurves of an Either',
    () => rocCurves({ ...heading, series: [{ name: 'a', curve: wrong(rocCurve(scores)) }] }),
    'InvalidOption',
    'series[0].curve',
    'Either',
    'rocCurve',
  ],
  [
    'rocCurves of scores',
    () => rocCurves({ ...heading, series: [{ name: 'a', curve: wrong(scores) }] }),
    'InvalidOption',
    'series[0].curve',
    'falsePositiveRate and truePositiveRate',
  ],
  [
    'rocCurves of rates that differ in length',
    () => rocCurves({ ...heading, series: [{ name: 'a', curve: { ...roc, truePositiveRate: [0, 1] } }] }),
    'InvalidOption',
    'series[0].curve',
    'of one length',
  ],
  [
    'precisionRecallCurves of a curve of rates',
    () => precisionRecallCurves({ ...heading, series: [{ name: 'a', curve: wrong(roc) }] }),
    'InvalidOption',
    'series[0].curve',
    'precision and recall',
  ],
  [
    'precisionRecallCurves of two series of one name',
    () => {
      const series = { name: 'a', curve: orThrow(precisionRecall(scores)) };
      return precisionRecallCurves({ ...heading, series: [series, series] });
    },
    'InvalidOption',
    'series[1].name',
  ],
  [
    'riskCoverageCurves with an area for an oracle',
    () => {
      const curve = orThrow(riskCoverage([0.1, 0.2], [0, 1]));
      return riskCoverageCurves({ ...heading, series: [{ name: 'a', curve, oracle: wrong(curve.excessArea) }] });
    },
    'InvalidOption',
    'series[0].oracle',
    'riskCoverage',
  ],
  [
    'pitHistograms of one list',
    () => pitHistograms({ ...heading, series: [{ name: 'a', values: wrong([0.1, 0.2]) }] }),
    'InvalidOption',
    'series[0].values',
    'rows of numbers in [0, 1]',
  ],
  [
    'pitHistograms of standardised errors',
    () => pitHistograms({ ...heading, series: [{ name: 'a', values: [[0.1, -2]] }] }),
    'InvalidOption',
    'series[0].values',
    'pitValues',
  ],
  [
    'setSizes of sizes',
    () => setSizes({ ...heading, series: [{ name: 'a', sets: wrong([1, 2]), coverage: 0.9 }] }),
    'InvalidOption',
    'series[0].sets',
    'predictionSets',
  ],
  [
    'setSizes with a coverage in per cent',
    () => setSizes({ ...heading, series: [{ name: 'a', sets: [[0]], coverage: 90 }] }),
    'InvalidOption',
    'series[0].coverage',
    'a number in [0, 1]',
  ],
  [
    'evidenceCurves at precision 0',
    () => evidenceCurves({ ...heading, series: [{ name: 'a', points: [{ precision: 0, logMarginalLikelihood: -1 }] }] }),
    'InvalidOption',
    'series[0].points[0].precision',
    'found 0',
  ],
  [
    'evidenceCurves with parts that are not there',
    () => {
      const points = [{ precision: 1, logMarginalLikelihood: -1 }];
      return evidenceCurves({ ...heading, parts: true, series: [{ name: 'a', points }] });
    },
    'InvalidOption',
    'series[0].points[0].logLikelihood',
    'nothing',
  ],
  [
    'tuningCurve of a promise',
    () => tuningCurve({ ...heading, criterion: 'NLL', tuning: wrong(Promise.resolve(tuning)) }),
    'InvalidOption',
    'tuning',
    'Promise',
    'what tune resolves with',
  ],
  ['tuningCurve without a criterion', () => tuningCurve(wrong({ ...heading, tuning })), 'InvalidOption', 'criterion', 'a string'],
  [
    'tuningCurve of candidates that all lose',
    () => {
      const lost = [{ ...own, criterion: Number.POSITIVE_INFINITY }];
      return tuningCurve({ ...heading, criterion: 'NLL', tuning: { ...tuning, candidates: lost } });
    },
    'InvalidOption',
    'tuning',
    'a candidate whose criterion is finite',
  ],
  [
    'predictionBands of a classification',
    () => predictionBands({ ...bands, prediction: wrong({ _tag: 'classification', probabilities: rows }) }),
    'InvalidOption',
    'prediction',
    'regression',
  ],
  [
    'predictionBands for too few x',
    () => predictionBands({ ...bands, x: [0] }),
    'InvalidOption',
    'prediction.mean',
    '2 rows',
    '1',
  ],
  [
    'predictionBands of a missing output',
    () => predictionBands({ ...bands, output: 1 }),
    'InvalidOption',
    'prediction.mean[0]',
    '1',
  ],
  ['predictionBands at 95', () => predictionBands({ ...bands, levels: [95] }), 'InvalidOption', 'levels[0]', '95'],
  [
    'predictionBands with infinite intervals',
    () => predictionBands({ ...bands, intervals: [{ name: 'a', lower: rows, upper: [[Number.POSITIVE_INFINITY], [1]] }] }),
    'InvalidOption',
    'intervals[0].upper',
    'finite',
  ],
  ['powerLaws()', () => powerLaws(wrong(undefined)), 'InvalidOption', 'powerLaws', 'nothing'],
  ['gallery without a side', () => gallery(wrong({ ...heading, items: [] })), 'InvalidOption', 'side', 'an integer >= 1'],
  ['pngOf(promise)', () => pngOf(wrong(Promise.resolve('<svg/>'))), 'InvalidOption', 'svg', 'SVG text', 'Promise'],
  ['writePicture(svg)', () => writePicture('<svg/>', wrong(undefined), wrong(undefined)), 'InvalidOption', 'name', 'nothing'],
];

const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
const point = tf.zeros([1, 4]);
const map = trainedNetwork(model, 'categorical');
const BASELINES: ReadonlyArray<Mistake> = [
  ["trainedNetwork(model, 'softmax')", () => trainedNetwork(model, wrong('softmax')), 'InvalidOption', 'likelihood', '"softmax"'],
  [
    'trainedNetwork(promise)',
    () => trainedNetwork(wrong(Promise.resolve(model)), 'categorical').prepare(),
    'InvalidModel',
    'await',
  ],
  ['mcDropout with samples', () => mcDropout(model, 'categorical', wrong({ samples: 3 })), 'InvalidOption', 'samples', 'passes'],
  [
    "mcDropout({ masks: 'same' })",
    () => mcDropout(model, 'categorical', { masks: wrong('same') }),
    'InvalidOption',
    'masks',
    "'shared'",
  ],
  [
    'mcDropout without dropout',
    () => mcDropout(model, 'categorical').prepare(),
    'UnsupportedLayer',
    'no dropout layer',
    'tf.layers.dropout',
  ],
  ['deepEnsemble of a list', () => deepEnsemble('categorical', wrong([model])), 'InvalidOption', 'members', 'train'],
  ['deepEnsemble of no models', () => deepEnsemble('categorical', { models: [] }), 'InvalidOption', 'models', 'an empty array'],
  ['swag without snapshots', () => swag(model, 'categorical', wrong(undefined)), 'InvalidOption', 'snapshots', 'nothing'],
  ['swag of a snapshot', () => swag(model, 'categorical', [], { samples: 0 }), 'InvalidOption', 'snapshots', 'an empty array'],
  [
    'posteriorPredictive without a name',
    () => posteriorPredictive(wrong(model), model, wrong({})),
    'InvalidOption',
    'name',
    'a string',
  ],
  ['calibrated(model)', () => calibrated(wrong(model), { inputs: [point], labels: [0] }), 'InvalidOption', 'trainedNetwork'],
  ['calibrated without labels', () => calibrated(map, wrong({ inputs: [point] })), 'InvalidOption', 'labels', 'nothing'],
  ['compareBaselines(baseline)', () => compareBaselines(wrong(map), [point], [0]), 'InvalidOption', 'baselines'],
  ['compareBaselines of a tensor', () => compareBaselines([map], wrong(point), [0]), 'InvalidOption', 'inputs', 'inputBatches'],
  ['baselineTable of a metric', () => baselineTable([], wrong('nll')), 'InvalidOption', 'metrics', '"nll"'],
];

const FILES: ReadonlyArray<Mistake> = [
  ['readData(path)', () => readData(wrong('x.npy')), 'InvalidOption', 'files', 'an array of paths', '"x.npy"'],
  ['readData of bytes', () => readData(wrong([Uint8Array.of(1)])), 'InvalidOption', 'files[0]'],
  ['readData with targets', () => readData(['x'], wrong({ targets: ['a'] })), 'InvalidOption', "did you mean 'target'?"],
  ['readData of a folder', () => readData(['.']), 'Storage', 'Cannot read .'],
  ['readData of a file that is not there', () => readData(['no/file.npy']), 'Storage', 'Cannot read no/file.npy', 'ENOENT'],
  ['decodeIdx(path)', () => orThrow(decodeIdx(wrong('x.idx'))), 'InvalidOption', 'bytes', '"x.idx"'],
  ['decodeNpy(promise)', () => orThrow(decodeNpy(wrong(Promise.resolve()))), 'InvalidOption', 'bytes', 'Promise'],
  ['readBytes()', () => readBytes(wrong(undefined)), 'Storage', 'undefined'],
];

describe('files of data', () => itSaysWhatToDo(FILES));
describe('baselines', () => itSaysWhatToDo(BASELINES));
describe('engines and backends', () => itSaysWhatToDo(ENGINES));
describe('progress', () => itSaysWhatToDo(PROGRESS));
describe('pictures', () => itSaysWhatToDo(PLOTS));
