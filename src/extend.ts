/**
 * The names that you need to extend the library, beside the names of `index.ts`. They serve plugins, and layers, likelihoods,
 * Fisher matrices, links and linear algebra engines of your own. See docs/extending.md.
 */

// Errors.

export { type ErrorParts, laplaceError } from './errors.js';
export { optionalPackage } from './optionalPackage.js';
export { textTable } from './textTable.js';
export { LIBRARY_VERSION } from './version.js';

// Arguments of functions, decoded: an object of known keys refuses all others, and every value is checked.

export {
  accepted,
  anything,
  argument,
  array,
  boolean,
  type Choice,
  type Codec,
  choiceOf,
  defaulted,
  dictionary,
  finite,
  func,
  type InputOf,
  isArrayLike,
  isRecord,
  literals,
  nonNegative,
  nonNegativeInteger,
  optional,
  optionsOf,
  positive,
  positiveInteger,
  refined,
  seed,
  struct,
  text,
} from './codec/index.js';

// Networks: a model as operations, the blocks that are covered, and what a training step shows of them.

export { coveredBy } from './curvature/choice.js';
export { takesTrainingRows } from './curvature/codec.js';
export { partText } from './curvature/parts.js';
export { architectureOf } from './network/architecture.js';
export { cloneModel } from './network/clone.js';
export { deviceError, fromDevice, onDeviceLost } from './network/device.js';
export { forward, type Tape } from './network/forward.js';
export { kernelMap } from './network/linear/dense.js';
export type { LinearLayer, LinearMap, MapWeights, ValueShape } from './network/linear/map.js';
export { type LossMatch, matchLoss } from './network/loss.js';
export { type Block, type Head, type Network, readNetwork, withBlocks } from './network/network.js';
export type { Layer, LayerUse } from './network/ops.js';
export { atAllUses } from './network/positions.js';
export { type BlockRows, rowsOfUse, showsRows } from './network/uses.js';
export { blockWeights } from './network/weights.js';
export { firstPass } from './stream/accumulateFactors.js';
export { checkModel, type MadeOf } from './stream/bound.js';

// Likelihoods, as the library works with them.

export type { HessianOps } from './likelihood/hessian.js';
export type { LikelihoodFrom, LikelihoodInput, Part } from './likelihood/index.js';
export type { LikelihoodOps, LossRule, ModelLikelihoodOps } from './likelihood/likelihood.js';

// Inputs and labels as tensors, checked against a network.

export { ownBatch, ownInputs } from './stream/inputSource.js';
export { inputsOfBatches, readLabels } from './stream/labels.js';

// Predictions of networks that are averaged.

export { networkMoments, ofHeads } from './predictive/report/heads.js';
export { type Mixture, mixture } from './predictive/report/mixture.js';

// How a number or a count is judged, given the moments of its prediction.

export { countNll, numberNll } from './tuning/densities.js';
export type { Truth } from './tuning/losses.js';

// Seeded random numbers: a key for each thing that is drawn.

export { foldIn, type Key, key, normals, uniforms } from './random/index.js';

// Accumulation.

export { CheckpointCodec } from './stream/checkpoint.js';
export { createEpochAccumulator, type EpochAccumulator, type EpochAccumulatorOptions } from './stream/epochAccumulator.js';
export { type BatchTensors, transientBatch } from './stream/observed.js';
export { NOT_FINITE, type NotFiniteOptions, type Skips, skipsOf } from './stream/skips.js';
export {
  type KeptEpochs,
  keptEpochs,
  type TrainingCheckpoint,
  TrainingCheckpointCodec,
} from './stream/trainingCheckpoint.js';

// Files that are written and read a layer at a time.

export { openFactorsFile } from './files/factorsOfFile.js';
export { type FactorsSource, type LayeredFactors, type MergeAllOptions, mergeAll, piecesOfFile } from './files/mergeAll.js';
export { DecodeFactorsOptionsCodec, DecodeOptionsCodec } from './files/options.js';
export { joined, type PlacedPieces } from './files/pieces.js';

// Linear algebra.

export { EngineChoiceCodec } from './linalg/choice.js';
export type {
  AsyncLinalgOperations,
  LinalgOperations,
  LinalgSession,
  SymmetricEigen,
  TriangularOptions,
} from './linalg/engine.js';
export { remoteEngine, type WasmRunner } from './linalg/remote.js';
export { defaultEngine, engineNamed } from './linalg/select.js';
export type { WasmCall, WasmReply } from './linalg/wasm/call.js';
export { prepareWasm } from './linalg/wasm/runtime.js';
export type { WasmModule } from './linalg/wasm/webassembly.js';

// Codecs of the DSL (io-ts), and what may be written where they read.

export { CurvatureCodec, type CurvatureInput } from './curvature/codec.js';
export { OwnLikelihoodsCodec } from './files/options.js';
export { LikelihoodCodec } from './likelihood/index.js';
export { noiseVarianceOf } from './likelihood/noiseVariance.js';
export { PriorCodec } from './posterior/codec.js';
export { DampingCodec, type DampingInput } from './posterior/damping.js';
export { PredictiveCodec, type PredictiveInput } from './predictive/codec.js';
export { RecipeCodec } from './recipe/codec.js';
export { EpochSelectionCodec, type EpochSelectionInput } from './stream/codec.js';
export { TuningCodec } from './tuning/codec.js';
