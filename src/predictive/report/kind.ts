/** Predictions, told apart by what they predict. */
import { hasFields, type Kind, tagged } from '../../codec/index.js';
import type { Classification, Regression } from '../prediction.js';

const SEVERAL = {
  is: tagged('several'),
  remedy: 'prediction.outputs has the prediction of each output by its name.',
};
const RUNNING = {
  is: hasFields('prediction', 'standardError'),
  remedy: 'predictRunning gives the prediction in its field prediction.',
};

/** Predictions of classes or independent labels. */
export const CLASSIFICATION: Kind<Classification> = {
  name: 'the prediction of a classifier',
  is: tagged<Classification>('classification', 'probabilities'),
  remedies: [SEVERAL, RUNNING],
};

/** Predictions of numbers or counts. */
export const REGRESSION: Kind<Regression> = {
  name: 'the prediction of a regression',
  is: tagged<Regression>('regression', 'mean', 'totalVariance'),
  remedies: [SEVERAL, RUNNING],
};
