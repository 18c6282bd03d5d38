/** One prediction of each kind, of one example, for tests of the functions that take predictions. */
import type { Classification, Regression } from 'tfjs-laplace';

const rows = (v: number) => [Float32Array.of(v)];

export const REGRESSION: Regression = {
  _tag: 'regression',
  support: 'real',
  mean: rows(1),
  epistemicVariance: rows(1),
  noiseVariance: rows(3),
  totalVariance: rows(4),
};

export const CLASSIFICATION: Classification = {
  _tag: 'classification',
  probabilities: [Float32Array.of(0.25, 0.75)],
  standardDeviations: [Float32Array.of(0.5, 0.5)],
  entropy: Float32Array.of(0),
  expectedEntropy: Float32Array.of(0),
  mutualInformation: Float32Array.of(0),
};
