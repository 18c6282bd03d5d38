/** Kronecker-factored Laplace approximation for TensorFlow.js. Everything public, listed by hand. */

// The DSL: plain tagged values.
export type { LayerSelection } from './codec/layers.js';
export { type Curvature, kfac, kfra } from './curvature/codec.js';
// Values and the pure functions between them.
export {
  emptyFactors,
  type Factors,
  type LayerLayout,
  type LayerSums,
  type Layout,
  merge,
  mergeEpochs,
} from './curvature/factors.js';
export { type LayerMoments, moments } from './curvature/moments.js';
export {
  type DecodeIssue,
  type ErrorParts,
  isLaplaceError,
  LaplaceError,
  type LaplaceErrorKind,
  laplaceError,
} from './errors.js';
export { bernoulli, categorical, gaussian, type Likelihood } from './likelihood/codec.js';
// For plugins: networks, and the accumulation behind the operators.
export type { LikelihoodOps, LossRule } from './likelihood/likelihood.js';
export type { Inputs, LabelledBatch } from './network/inputs.js';
export { type LossMatch, matchLoss } from './network/loss.js';
export { type Block, type Network, readNetwork, withBlocks } from './network/network.js';
export { fingerprint } from './network/weights.js';
export { type Damping, exactDamping, factoredDamping, isotropic, type Prior, perLayer } from './posterior/codec.js';
export { type Evidence, evidence } from './posterior/evidence.js';
export {
  type Posterior,
  type PosteriorLayer,
  type PosteriorOptions,
  posteriorOf,
  withDamping,
  withPrior,
} from './posterior/posterior.js';
export { variances } from './posterior/spectrum.js';
export { activationSampling, linearised, type Predictive, weightSampling } from './predictive/codec.js';
export type { Classification, Prediction, Regression, Rows } from './predictive/prediction.js';
// Streams: training batches to factors to a posterior to predictions and sampled networks.
export { type AccumulateOptions, accumulateFactors } from './stream/accumulateFactors.js';
export { type Accumulator, createAccumulator } from './stream/accumulator.js';
export { batches, type DatasetLike, fromDataset, inputBatches, type TensorData } from './stream/batches.js';
export { epochs, everyEpoch, finalEpochs, type Observation } from './stream/codec.js';
export { observe } from './stream/observe.js';
export type { BatchSource, BatchTensors, ObservedBatch, OwnedBatch, TrainingRows } from './stream/observed.js';
export { transientBatch } from './stream/observed.js';
export { type Outputs, outputDistribution } from './stream/outputDistribution.js';
export { type InputSource, type PredictOptions, predict } from './stream/predict.js';
export { mapSamples, type SampleOptions, sampleModels } from './stream/sampleModels.js';
export { type ToPosteriorOptions, toPosterior } from './stream/toPosterior.js';
export type { Matrix, OnProgress, Progress } from './types.js';
