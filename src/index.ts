/**
 * Kronecker-factored Laplace approximation for TensorFlow.js. This file lists by hand every name for users. `extend.ts` lists
 * further names, for authors of plugins and extensions.
 */

// Errors and shared shapes.

export { type DecodeIssue, isLaplaceError, LaplaceError, type LaplaceErrorKind } from './errors.js';
export { orThrow } from './orThrow.js';
export type { Matrix, OnProgress, Progress } from './types.js';

// The DSL: plain tagged values, and recipes of them.

export type { LayerSelection } from './codec/layers.js';
export type { JsonSchema, SchemaObject } from './codec/schema.js';
export {
  type Curvature,
  diagonal,
  ekfac,
  full,
  kfac,
  kfra,
  lowRank,
} from './curvature/codec.js';
export { type CustomFisherOptions, customFisher } from './curvature/fisher/custom.js';
export { empirical } from './curvature/fisher/empirical.js';
export { exact } from './curvature/fisher/exact.js';
export type { Fisher } from './curvature/fisher/index.js';
export { type MonteCarloOptions, monteCarlo } from './curvature/fisher/monteCarlo.js';
export { type TruncatedOptions, truncated } from './curvature/fisher/truncated.js';
export { bernoulli } from './likelihood/bernoulli.js';
export { categorical } from './likelihood/categorical.js';
export type { ClassOptions } from './likelihood/classOptions.js';
export { type CustomLikelihoodOptions, customLikelihood } from './likelihood/custom.js';
export { type GaussianOptions, gaussian } from './likelihood/gaussian.js';
export { heteroscedastic } from './likelihood/heteroscedastic.js';
export type {
  Likelihood,
  LikelihoodOf,
  OutputLikelihood,
  PerOutput,
  StepLikelihood,
} from './likelihood/index.js';
export { perOutput } from './likelihood/perOutput.js';
export { type PerStepOptions, perStep } from './likelihood/perStep.js';
export { poisson } from './likelihood/poisson.js';
export { type Damping, exactDamping, factoredDamping } from './posterior/damping.js';
export { isotropic, type Prior, perLayer } from './posterior/priors.js';
export {
  activationSampling,
  functionSampling,
  linearised,
  type Predictive,
  weightSampling,
} from './predictive/codec.js';
export type { PartialRecipe, Recipe, RecipeInput } from './recipe/codec.js';
export { composeRecipe } from './recipe/composeRecipe.js';
export { recipeMonoid } from './recipe/monoid.js';
export type { OutputChoices, OutputInput } from './recipe/output.js';
export { presets } from './recipe/presets.js';
export { decodeRecipe, encodeRecipe, isRecipe, type RecipeData, recipe } from './recipe/recipe.js';
export type { ReportChoices, ReportInput } from './recipe/report.js';
export { recipeSchema } from './recipe/schema.js';
export { type EpochSelection, epochsWhere, everyEpoch, finalEpochs } from './stream/codec.js';

// Streams: training batches to factors to a posterior to predictions and sampled networks.

export { type AccumulateOptions, accumulateFactors } from './stream/accumulateFactors.js';
export { batches, inputBatches, type TensorData } from './stream/batches.js';
export type { Checkpoint } from './stream/checkpoint.js';
export { type ExpectedTime, type ExpectedTimeOptions, expectedTime } from './stream/expectedTime.js';
export { type FeaturesOptions, features } from './stream/features.js';
export { type DatasetLike, fromDataset } from './stream/fromDataset.js';
export { fromIterable } from './stream/fromIterable.js';
export type { InputSource } from './stream/inputSource.js';
export { crossCovariance, type JointOptions, type JointOutputs, jointDistribution } from './stream/jointDistribution.js';
export { type LeaveOneOut, type LeaveOneOutForm, type LeaveOneOutOptions, leaveOneOut } from './stream/leaveOneOut.js';
export { type MatchConfidenceOptions, matchConfidence } from './stream/matchConfidence.js';
export { type ObserveOptions, observe } from './stream/observe.js';
export type { BatchSource, ObservedBatch, OwnedBatch } from './stream/observed.js';
export { type OutputOptions, type Outputs, outputDistribution } from './stream/outputDistribution.js';
export { type PredictOptions, predict } from './stream/predict.js';
export { predictRunning, type RunningPrediction } from './stream/predictRunning.js';
export { type SampledFunctions, type SampleFunctionsOptions, sampleFunctions } from './stream/sampleFunctions.js';
export { mapSamples, type SampleOptions, sampleModels } from './stream/sampleModels.js';
export { type Shard, type ShardOptions, shardsOf } from './stream/shards.js';
export type { NotFiniteOptions, Skipped } from './stream/skips.js';
export { type ToPosteriorOptions, toPosterior } from './stream/toPosterior.js';
export { type Tried, type TuneOptions, type Tuning, type TuningChoice, tune } from './stream/tune.js';

export type { Dimension, TuningChoices, TuningInput, TuningRule } from './tuning/codec.js';
export type { Criterion, CriterionName, HeldOutPredictions, OwnCriterion } from './tuning/criterion.js';

// Values and the pure functions between them.

export { checkFactors, type ExpectedFactors } from './curvature/checkFactors.js';
export { type Coverage, type CoverageOptions, coverage, type LayerCoverage } from './curvature/coverage/coverage.js';
export { coverageTable } from './curvature/coverage/coverageTable.js';
export {
  emptyFactors,
  type Factors,
  type LayerSums,
  merge,
  mergeEpochs,
  type OutputShare,
} from './curvature/factors.js';
export { factorsMonoid, factorsSemigroup } from './curvature/factorsMonoid.js';
export { forget } from './curvature/forget.js';
export type { LayerLayout, Layout, Rotation } from './curvature/layout.js';
export type { LayerMoments } from './curvature/means.js';
export { moments } from './curvature/moments.js';
export type { Part } from './curvature/parts.js';
export type { Structure } from './curvature/structure/index.js';
export type { Sketch } from './curvature/structure/sketch.js';
export {
  type ByteReader,
  type DecodeFactorsOptions,
  type DecodeOptions,
  decodeFactors,
  decodePosterior,
  type EncodeFactorsOptions,
  type EncodeOptions,
  encodeFactors,
  encodePosterior,
  type FactorsFacts,
  type FactorsLayer,
  type Layered,
  type OpenedFactors,
  type OpenedPosterior,
  type OpenFactorsOptions,
  type OpenOptions,
  openFactors,
  openPosterior,
  type Pieces,
  type PosteriorLayerFacts,
  piecesOfFactors,
  piecesOfPosterior,
} from './files/index.js';
export { type Evidence, evidence } from './posterior/evidence.js';
export { type EvidenceCurveOptions, type EvidencePoint, evidenceCurve } from './posterior/evidenceCurve.js';
export { type EvidenceGradient, evidenceGradient } from './posterior/evidenceGradient.js';
export { keptTrace } from './posterior/keptTrace.js';
export { type EvidenceMaximum, type MaximiseEvidenceOptions, maximiseEvidence } from './posterior/maximiseEvidence.js';
export type { Posterior, PosteriorLayer } from './posterior/posterior.js';
export { type PosteriorOptions, posteriorOf } from './posterior/posteriorOf.js';
export { variances } from './posterior/variances.js';
export { withNoiseVariance } from './posterior/withNoiseVariance.js';
export { withDamping, withPrior } from './posterior/withPrior.js';
export { type CustomLinkOptions, customLink, type LinkedMoments } from './predictive/links/customLink.js';
export type { OutputCovariance } from './predictive/links/outputCovariance.js';
export type {
  Classification,
  OutputPrediction,
  Prediction,
  PredictionOf,
  Regression,
  Rows,
  Sampled,
  Several,
} from './predictive/prediction.js';
export { type CredibleIntervals, type CredibleOptions, credibleIntervals } from './predictive/report/credibleIntervals.js';
export { type TopClasses, topK } from './predictive/report/topK.js';

export type { Design } from './random/noise.js';

// Metrics.

export { accuracy, correctness } from './metrics/accuracy.js';
export { auroc } from './metrics/auroc.js';
export type { Binning, CalibrationOptions } from './metrics/bins.js';
export { type BootstrapEstimate, type BootstrapOptions, bootstrap, type Statistic } from './metrics/bootstrap.js';
export type { Bounded } from './metrics/bounded.js';
export { brierScore } from './metrics/brier.js';
export { type BrierDecomposition, brierDecomposition } from './metrics/brierDecomposition.js';
export {
  type ClassBatch,
  type ClassMetrics,
  type ClassSummaryOptions,
  type ClassSums,
  classSummary,
} from './metrics/classSummary.js';
export { type ClasswiseCalibration, classwiseCalibration } from './metrics/classwise.js';
export { gaussianCrps, type SampleCrpsOptions, type SampledPredictions, sampleCrps } from './metrics/crps.js';
export {
  aupr,
  type FprOptions,
  fprAtTpr,
  type PrecisionRecallCurve,
  precisionRecall,
  type RocCurve,
  rocCurve,
} from './metrics/detection.js';
export { calibration } from './metrics/ece.js';
export { entropy } from './metrics/entropy.js';
export { type Estimate, meanWithError, pairedDifference } from './metrics/estimate.js';
export { type EvaluatedMetric, type EvaluateOptions, type Evaluation, evaluate } from './metrics/evaluate.js';
export type { Evaluated, EvaluatedClassification, EvaluatedRegression } from './metrics/evaluated.js';
export type { GaussianPredictions } from './metrics/gaussian.js';
export { type GaussianMetrics, type GaussianSums, gaussianSummary } from './metrics/gaussianSummary.js';
export {
  type IntervalCalibration,
  type IntervalCalibrationOptions,
  intervalCalibration,
  sharpness,
} from './metrics/intervals.js';
export { type ClassLosses, classLosses, type GaussianLosses, gaussianLosses } from './metrics/losses.js';
export { type MeanSums, meanSummary } from './metrics/meanSummary.js';
export { nll } from './metrics/nll.js';
export { pinballLoss } from './metrics/pinball.js';
export { pitValues, type QuantileCalibration, type QuantileCalibrationOptions, quantileCalibration } from './metrics/pit.js';
export { type PitCounts, pitSummary } from './metrics/pitSummary.js';
export { gaussianNll, type IntervalOptions, intervalCoverage, mae, rmse } from './metrics/regression.js';
export type { Calibration, ReliabilityBin } from './metrics/reliability.js';
export type { RiskMetrics } from './metrics/riskBounds.js';
export {
  type RiskBatch,
  type RiskCoverageSummaryOptions,
  type RiskSums,
  riskCoverageSummary,
} from './metrics/riskCoverageSummary.js';
export { binaryRows, type NumberRows, predictedClasses } from './metrics/rows.js';
export type { ScoreMetrics } from './metrics/scoreBounds.js';
export { type ScoreCounts, type ScoreSummaryOptions, scoreSummary } from './metrics/scoreSummary.js';
export { type RiskCoverage, retainedAccuracy, riskCoverage } from './metrics/selective.js';
export {
  type SmoothCalibration,
  type SmoothCalibrationOptions,
  type SmoothPoint,
  smoothCalibration,
} from './metrics/smoothCalibration.js';
export type { SmoothSums } from './metrics/smoothing.js';
export type { Summary } from './metrics/summary.js';
export type { ScoredGroups } from './metrics/thresholds.js';

// Abstaining.

export {
  type Abstention,
  abstain,
  abstainForCoverage,
  abstainForRisk,
  decodeAbstention,
  type RiskOptions,
} from './abstaining/abstain.js';

// Calibration after the fact.

export {
  type MatrixOptions,
  matrixScaling,
  type VectorOptions,
  vectorScaling,
} from './calibration/affine.js';
export { type CalibrationInput, type Calibrator, calibrate, decodeCalibrator, fitCalibrator } from './calibration/calibrator.js';
export { type HistogramOptions, histogramBinning } from './calibration/histogram.js';
export { isotonicRegression } from './calibration/isotonic.js';
export type { CalibrationMap, CalibrationMethod } from './calibration/methods.js';
export { temperatureScaling } from './calibration/temperature.js';

// Conformal prediction: sets and intervals with a coverage that holds whatever the model is.

export type { ClassPredictions } from './conformal/classRows.js';
export { type Bounds, boundsCoverage, type ClassSets, meanSetSize, setCoverage } from './conformal/coverage.js';
export { decodeConformal } from './conformal/decode.js';
export type { Groups } from './conformal/groups.js';
export { absoluteError } from './conformal/intervals/absolute.js';
export type { IntervalPredictions, MeanPredictions, QuantilePredictions } from './conformal/intervals/band.js';
export {
  type ConformalIntervals,
  type ConformalIntervalsOptions,
  conformalIntervals,
  type PredictionIntervals,
  type PredictionIntervalsOptions,
  predictionIntervals,
} from './conformal/intervals/conformalIntervals.js';
export { cqr } from './conformal/intervals/cqr.js';
export { normalisedError } from './conformal/intervals/normalised.js';
export type { IntervalScore } from './conformal/intervals/scores.js';
export type { Threshold } from './conformal/quantile.js';
export { type ApsOptions, aps } from './conformal/sets/aps.js';
export {
  type ConformalSets,
  type ConformalSetsOptions,
  conformalSets,
  type PredictionSetsOptions,
  predictionSets,
} from './conformal/sets/conformalSets.js';
export { lac } from './conformal/sets/lac.js';
export { type RapsOptions, raps } from './conformal/sets/raps.js';
export type { ClassScore } from './conformal/sets/scores.js';

// Out of distribution: scores of inputs, and how well they tell.

export { detectionScore } from './detection/detectionScore.js';
export {
  type DetectionMethodInput,
  type Detector,
  type DetectorData,
  decodeDetector,
  fitDetector,
} from './detection/detector.js';
export {
  type DetectionEstimate,
  type DetectionEvaluation,
  type DetectionLine,
  type DetectionScores,
  type EvaluateDetectionOptions,
  evaluateDetection,
} from './detection/evaluateDetection.js';
export { type MahalanobisOptions, mahalanobis } from './detection/features/mahalanobis.js';
export type { DetectionMap, DetectionMethod } from './detection/features/methods.js';
export { type NeighboursOptions, nearestNeighbours } from './detection/features/nearestNeighbours.js';
export type { DetectionGroups } from './detection/groups.js';
export type { DetectionInputs, DetectionOutputs, DetectionPrediction } from './detection/inputs.js';
export { type EnergyOptions, energy } from './detection/scores/energy.js';
export type { DetectionScore, DetectionScoreInput } from './detection/scores.js';

// Linear algebra engines for `toPosterior`, types of inputs and labels, and the fingerprint of weights.

export type { EngineChoice } from './linalg/choice.js';
export type { AsyncLinalgEngine, EngineName, LinalgEngine } from './linalg/engine.js';
export type { WasmOptions } from './linalg/wasm/call.js';
export { wasmEngine } from './linalg/wasm.js';
export type { Numbers } from './network/arrays.js';
export type { Inputs, LabelledBatch, Labels } from './network/inputs.js';
export { fingerprint } from './network/weights.js';
