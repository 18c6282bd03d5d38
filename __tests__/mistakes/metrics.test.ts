/** Natural mistakes with metrics. */
import * as tf from '@tensorflow/tfjs';
import * as lib from 'tfjs-laplace';
import { itSaysWhatToDo, type Mistake, wrong } from '../support/mistakes.js';
import { CLASSIFICATION, REGRESSION } from '../support/predictions.js';

const rows = [
  [0.25, 0.75],
  [0.5, 0.5],
];
const labels = [0, 1];
const tensor = tf.tensor2d(rows);
afterAll(() => void tensor.dispose());

const CLASSES = {
  accuracy: lib.accuracy,
  correctness: lib.correctness,
  nll: lib.nll,
  brierScore: lib.brierScore,
  calibration: lib.calibration,
  classwiseCalibration: lib.classwiseCalibration,
  smoothCalibration: lib.smoothCalibration,
  brierDecomposition: lib.brierDecomposition,
  classLosses: lib.classLosses,
};

const OF_CLASSES: ReadonlyArray<Mistake> = Object.entries(CLASSES).flatMap(
  ([name, metric]): ReadonlyArray<Mistake> => [
    [
      `${name}()`,
      () => metric(wrong(undefined), wrong(undefined)),
      'InvalidInput',
      'probabilities',
      'nothing',
      'rows of numbers',
    ],
    [
      `${name}(prediction, labels)`,
      () => metric(wrong(CLASSIFICATION), labels),
      'InvalidInput',
      'probabilities',
      'Its field probabilities',
    ],
    [`${name}(tensor, labels)`, () => metric(wrong(tensor), labels), 'InvalidInput', 'a tensor [2, 2]', 'await tensor.array()'],
    [`${name}(a flat list, labels)`, () => metric(wrong([0.1, 0.9]), labels), 'InvalidInput', 'probabilities[0]', 'found 0.1'],
    [
      `${name}(a typed array, labels)`,
      () => metric(wrong(Float32Array.of(0.1, 0.9)), labels),
      'InvalidInput',
      'Float32Array',
      'binaryRows',
    ],
    [`${name}(rows, tensor)`, () => metric(rows, wrong(tensor)), 'InvalidInput', 'labels', 'await tensor.array()'],
    [
      `${name}(rows, one-hot rows)`,
      () =>
        metric(
          rows,
          wrong([
            [1, 0],
            [0, 1],
          ]),
        ),
      'InvalidLabels',
      'labels[0]',
      'an integer from 0 to 1',
      'predictedClasses',
    ],
    [`${name}(rows, words)`, () => metric(rows, wrong(['cat', 'dog'])), 'InvalidLabels', 'labels[0]', 'cat'],
    [`${name}(rows, labels from 1)`, () => metric(rows, [1, 2]), 'InvalidLabels', 'labels[1]', 'found 2'],
    [`${name}(rows, too few)`, () => metric(rows, [1]), 'InvalidInput', 'labels', '1 of them', 'expected 2'],
    [
      `${name}(logits, labels)`,
      () =>
        metric(
          [
            [3, -1],
            [0, 2],
          ],
          labels,
        ),
      'InvalidInput',
      'probabilities[0][1]',
      'found -1',
    ],
  ],
);

const OTHERS: ReadonlyArray<Mistake> = [
  ['entropy(prediction)', () => lib.entropy(wrong(CLASSIFICATION)), 'InvalidInput', 'Its field probabilities'],
  ['entropy(tensor)', () => lib.entropy(wrong(tensor)), 'InvalidInput', 'await tensor.array()'],
  ['entropy(several labels)', () => lib.entropy([[0.9, 0.8]]), 'InvalidInput', 'The sum of probabilities[0]', 'binaryRows'],
  ['binaryRows(5)', () => lib.binaryRows(wrong(5)), 'InvalidInput', 'a list of numbers'],
  ['binaryRows(logits)', () => lib.binaryRows([2.5]), 'InvalidInput', 'found 2.5', 'a number in [0, 1]'],
  ['calibration(rows, labels, 10)', () => lib.calibration(rows, labels, wrong(10)), 'InvalidOption', 'calibration', 'found 10'],
  ['calibration({ bin: 5 })', () => lib.calibration(rows, labels, wrong({ bin: 5 })), 'InvalidOption', "did you mean 'bins'?"],
  ['auroc(scores, labels)', () => lib.auroc(wrong([0.1, 0.9])), 'InvalidInput', 'positives', 'nothing'],
  ['auroc()', () => lib.auroc(wrong(undefined)), 'InvalidInput', 'positives'],
  ['auroc of an empty group', () => lib.auroc({ positives: [1], negatives: [] }), 'Empty', 'negatives'],
  [
    'rmse(list, list)',
    () => lib.rmse(wrong([1, 2]), wrong([1, 2])),
    'InvalidInput',
    'targets[0]',
    'found 1',
    'a list of numbers',
  ],
  [
    "calibration(…, { binning: 'equal' })",
    () => lib.calibration(rows, labels, wrong({ binning: 'equal' })),
    'InvalidOption',
    'binning',
    "'width' or 'mass'",
  ],
  ['aupr(scores, labels)', () => lib.aupr(wrong([0.1, 0.9])), 'InvalidInput', 'positives', 'nothing'],
  ['fprAtTpr(…, 0.95)', () => lib.fprAtTpr({ positives: [1], negatives: [0] }, wrong(0.95)), 'InvalidOption', 'found 0.95'],
  [
    'fprAtTpr(…, { rate: 95 })',
    () => lib.fprAtTpr({ positives: [1], negatives: [0] }, { rate: 95 }),
    'InvalidOption',
    'rate',
    '(0, 1]',
  ],
  ['gaussianCrps(prediction)', () => lib.gaussianCrps(wrong(REGRESSION)), 'InvalidInput', 'targets', 'nothing'],
  [
    'sampleCrps of one sample',
    () => lib.sampleCrps({ targets: [[1]], samples: [[[1]]] }),
    'InvalidInput',
    'samples',
    'at least 2',
  ],
  ['pinballLoss without a level', () => lib.pinballLoss([[1]], [[1]], wrong(undefined)), 'InvalidOption', 'level', '(0, 1)'],
  ['pinballLoss(…, 95)', () => lib.pinballLoss([[1]], [[1]], 95), 'InvalidOption', 'level', '(0, 1)'],
  ['meanWithError(rows)', () => lib.meanWithError(wrong([[1], [2]])), 'NotFinite', 'values[0]', 'a number'],
  ['pairedDifference(list)', () => lib.pairedDifference([1, 2], wrong(undefined)), 'InvalidInput', 'baseline', 'nothing'],
  ['bootstrap(list, …)', () => lib.bootstrap(wrong([1, 2]), () => wrong(1)), 'InvalidOption', 'count', 'an integer >= 1'],
  ['bootstrap of a number', () => lib.bootstrap(3, () => wrong(0.5)), 'InvalidInput', 'statistic', 'E.right(number)'],
  [
    'evaluate(rows, labels)',
    () => lib.evaluate(wrong(rows), labels),
    'InvalidInput',
    'prediction',
    'a classification or a regression',
  ],
  [
    'evaluate(several, labels)',
    () => lib.evaluate(wrong({ _tag: 'several', outputs: {} }), labels),
    'InvalidInput',
    'one by one',
  ],
  [
    'evaluate(a promise, labels)',
    () => lib.evaluate(wrong(Promise.resolve(CLASSIFICATION)), labels),
    'InvalidInput',
    'await it first',
  ],
  ['evaluate(regression, list)', () => lib.evaluate(REGRESSION, [1]), 'InvalidInput', 'targets[0]', 'a list of numbers'],
  ['evaluate(classification, one-hot rows)', () => lib.evaluate(CLASSIFICATION, [[0, 1]]), 'InvalidLabels', 'predictedClasses'],
  ['evaluate(…, prediction)', () => lib.evaluate(CLASSIFICATION, [1], wrong(CLASSIFICATION)), 'InvalidOption', 'evaluate'],
  ['evaluate of mixed batches', () => lib.evaluate([CLASSIFICATION, REGRESSION], [1]), 'InvalidInput', 'one kind'],
  [
    'evaluate against another kind',
    () => lib.evaluate(CLASSIFICATION, [1], { baseline: REGRESSION }),
    'InvalidInput',
    'baseline',
    'a classification',
  ],
  [
    'detectionScore(prediction, …)',
    () => lib.detectionScore(wrong(CLASSIFICATION), 'entropy'),
    'InvalidInput',
    "a value tagged 'classification'",
    'an object with prediction, outputs or features',
  ],
  [
    'detectionScore({ predictions }, …)',
    () => lib.detectionScore(wrong({ predictions: CLASSIFICATION }), 'entropy'),
    'InvalidInput',
    "did you mean 'prediction'?",
  ],
  [
    'detectionScore of a regression',
    () => lib.detectionScore(wrong({ prediction: REGRESSION }), 'entropy'),
    'InvalidInput',
    "the score 'outputVariance'",
  ],
  [
    'detectionScore of logits alone',
    () => lib.detectionScore(wrong({ outputs: [[1, 2]] }), 'energy'),
    'InvalidInput',
    '{ mean: logits }',
  ],
  [
    "detectionScore(…, 'energi')",
    () => lib.detectionScore({ outputs: { mean: [[1]] } }, wrong('energi')),
    'InvalidOption',
    "did you mean 'energy'?",
  ],
  [
    "detectionScore(…, 'energy') of a prediction",
    () => lib.detectionScore({ prediction: CLASSIFICATION }, 'energy'),
    'InvalidInput',
    'outputs.mean',
    'await outputDistribution(model, posterior, x)',
  ],
  [
    "fitDetector(rows, 'nearestNeighbours')",
    () => lib.fitDetector(wrong([[1]]), 'nearestNeighbours'),
    'InvalidInput',
    'an object with features',
  ],
  [
    'fitDetector of a tensor',
    () => lib.fitDetector({ features: wrong(tensor) }, 'nearestNeighbours'),
    'InvalidInput',
    'features',
    'await tensor.array()',
  ],
  [
    "fitDetector without labels, 'mahalanobis'",
    () => lib.fitDetector({ features: [[1]] }, 'mahalanobis'),
    'InvalidInput',
    'labels',
    'let all labels be 0',
  ],
  ['evaluateDetection(inside, outside)', () => lib.evaluateDetection(wrong({ features: [[1]] })), 'InvalidInput', 'inside'],
  ['rmse(rows, tensor)', () => lib.rmse(rows, wrong(tensor)), 'InvalidInput', 'mean', 'await tensor.array()'],
  ['gaussianNll(prediction)', () => lib.gaussianNll(wrong(REGRESSION)), 'InvalidInput', 'targets', 'nothing'],
  ['gaussianNll()', () => lib.gaussianNll(wrong(undefined)), 'InvalidInput', 'targets'],
  [
    'intervalCoverage(…, 0.9)',
    () => lib.intervalCoverage({ targets: [[1]], mean: [[1]], variance: [[1]] }, wrong(0.9)),
    'InvalidOption',
    'found 0.9',
  ],
  ['intervalCoverage({ levle })', () => lib.intervalCoverage(wrong({ levle: 0.9 })), 'InvalidOption', "did you mean 'level'?"],
  [
    'riskCoverage(tensor, losses)',
    () => lib.riskCoverage(wrong(tensor), [1]),
    'InvalidInput',
    'uncertainty',
    'await tensor.array()',
  ],
  ['retainedAccuracy(…, 0.5)', () => lib.retainedAccuracy([1], [1], wrong(0.5)), 'InvalidOption', 'fractions', 'found 0.5'],
  ['retainedAccuracy(…, [50])', () => lib.retainedAccuracy([1], [1], [50]), 'InvalidOption', 'fractions[0]', '(0, 1]'],
  ['retainedAccuracy(rows, …)', () => lib.retainedAccuracy([1], wrong(undefined), [0.5]), 'InvalidInput', 'correct'],
  ['topK(prediction)', () => lib.topK(wrong(CLASSIFICATION)), 'InvalidOption', 'k', 'an integer >= 1'],
  [
    'topK(regression, 1)',
    () => lib.topK(wrong(REGRESSION), 1),
    'InvalidInput',
    "tagged 'regression'",
    'the prediction of a classifier',
  ],
  ['topK(probabilities, 1)', () => lib.topK(wrong(rows), 1), 'InvalidInput', 'the prediction of a classifier'],
  ['topK(prediction, 5)', () => lib.topK(CLASSIFICATION, 5), 'InvalidInput', 'found 5', 'at most 2'],
  [
    'credibleIntervals(classification)',
    () => lib.credibleIntervals(wrong(CLASSIFICATION)),
    'InvalidInput',
    'the prediction of a regression',
  ],
  ['credibleIntervals(prediction, 0.9)', () => lib.credibleIntervals(REGRESSION, wrong(0.9)), 'InvalidOption', 'found 0.9'],
  [
    'credibleIntervals(…, { level: 95 })',
    () => lib.credibleIntervals(REGRESSION, { level: 95 }),
    'InvalidOption',
    'level',
    '(0, 1)',
  ],
  [
    "credibleIntervals(…, { of: 'labels' })",
    () => lib.credibleIntervals(REGRESSION, { of: wrong('labels') }),
    'InvalidOption',
    "'label' or 'mean'",
  ],
];

describe('of classes', () => itSaysWhatToDo(OF_CLASSES));
describe('of anything else', () => itSaysWhatToDo(OTHERS));
