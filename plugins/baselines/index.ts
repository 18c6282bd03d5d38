/**
 * Other ways to uncertainty, to compare a Laplace approximation with: the trained network (with a calibration), Monte Carlo dropout, deep
 * ensembles, SWAG, and the Laplace predictives themselves. `compareBaselines` scores them all on the same data, with what each costs.
 */
export type { Baseline, BaselinePrediction, PreparedBaseline } from './baseline.js';
export { baselineTable } from './baselineTable.js';
export { calibrated, type HeldOutClasses } from './calibrated.js';
export { type CompareBaselinesOptions, type ComparedBaseline, compareBaselines } from './compareBaselines.js';
export { deepEnsemble, type GivenMembers, type TrainedMembers } from './deepEnsemble.js';
export { type McDropoutOptions, mcDropout } from './mcDropout.js';
export { posteriorPredictive } from './posteriorPredictive.js';
export { type SwagOptions, snapshotOf, swag } from './swag.js';
export type { Snapshot } from './swagWeights.js';
export { trainedNetwork } from './trained.js';
