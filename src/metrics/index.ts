/** How good predictions and their uncertainties are: pure functions of host arrays. They throw a `LaplaceError` for bad input. */
export { accuracy, correctness } from './accuracy.js';
export { auroc, type ScoredGroups } from './auroc.js';
export { brierScore } from './brier.js';
export { type Calibration, type CalibrationOptions, calibration, type ReliabilityBin } from './ece.js';
export { entropy } from './entropy.js';
export { nll } from './nll.js';
export { type GaussianPredictions, gaussianNll, type IntervalOptions, intervalCoverage, rmse } from './regression.js';
export { binaryRows, type NumberRows, predictedClasses } from './rows.js';
export { type RiskCoverage, retainedAccuracy, riskCoverage } from './selective.js';
