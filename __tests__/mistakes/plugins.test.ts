/** Natural mistakes with plugins. The callback and the wrapper are in `__tests__/plugins`. */
import * as tf from '@tensorflow/tfjs';
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
import { curves, gallery, histograms, pngOf, powerLaws, reliabilityDiagram, writePicture } from 'tfjs-laplace/plugins/plots';
import { terminalProgress } from 'tfjs-laplace/plugins/progress';
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

describe('baselines', () => itSaysWhatToDo(BASELINES));
describe('engines and backends', () => itSaysWhatToDo(ENGINES));
describe('progress', () => itSaysWhatToDo(PROGRESS));
describe('pictures', () => itSaysWhatToDo(PLOTS));
