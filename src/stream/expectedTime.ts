/**
 * Predicts how long curvature will take. It times a few batches of the model's own operations (`rehearsal.ts`), and a small
 * eigendecomposition, which gives the speed of the decompositions for a posterior.
 *
 *   pass = N / B · seconds of a batch + seconds of reading the sums      (twice for `ekfac`, which takes two passes)
 *   decompositions = Σ 9 (n³ + m³) · seconds of an operation
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { anyOf, defaulted, isRecord, optional, optionsOf, positive, positiveInteger, refined, struct } from '../codec/index.js';
import { type Curvature, CurvatureCodec, type CurvatureInput } from '../curvature/codec.js';
import { coverage } from '../curvature/coverage/coverage.js';
import { prepare } from '../curvature/estimator.js';
import type { EigenBasis, Rotation } from '../curvature/layout.js';
import { structureNamed } from '../curvature/structure/index.js';
import { type Likelihood, LikelihoodCodec, type LikelihoodInput } from '../likelihood/index.js';
import { type EngineChoice, EngineChoiceCodec } from '../linalg/choice.js';
import type { AsyncLinalgEngine, LinalgEngine } from '../linalg/engine.js';
import { chosenEngine } from '../linalg/select.js';
import { deviceError } from '../network/device.js';
import { inputTensors, type LabelledBatch, partsOf } from '../network/inputs.js';
import { type Block, type Network, readNetwork } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';
import { firstPass } from './accumulateFactors.js';
import { type Accumulator, createAccumulator } from './accumulator.js';
import { rotatesInputs } from './basis.js';
import { observedBatch } from './observed.js';
import { blankBatch, rehearse, seconds } from './rehearsal.js';

/** Expected times in seconds. */
export interface ExpectedTime {
  /** The pass over the examples. For `ekfac` it is both passes. */
  readonly pass: number;
  /** All eigendecompositions that a posterior takes, one after another. */
  readonly decompositions: number;
}

/** Options of `expectedTime`. */
export interface ExpectedTimeOptions {
  readonly likelihood: Likelihood | LikelihoodInput;
  readonly curvature: Curvature | CurvatureInput;
  /** The number of examples of the pass. */
  readonly examples: number;
  /**
   * What is timed: a number of examples B for batches of zeros in the model's shapes, or one batch of the data, which is observed
   * again and again. Default 32. A batch of the data is needed if the model's inputs have open dimensions, for a likelihood of your
   * own, and for `truncated`, where the data decide how many rows are sent back.
   */
  readonly batch?: number | LabelledBatch;
  /** The engine for linear algebra, or its name. Default: the fastest engine that runs here, on this thread. */
  readonly engine?: EngineChoice;
}

const isBatch = (value: unknown): value is LabelledBatch => isRecord(value);

const Options = struct('options', {
  likelihood: LikelihoodCodec,
  curvature: CurvatureCodec,
  examples: positive,
  batch: defaulted(anyOf(positiveInteger, refined('a batch { x, y }', isBatch), isBatch), 32),
  engine: optional(EngineChoiceCodec),
});

/** The size of the matrix whose decomposition is timed. It is large enough for full speed, and takes some ten milliseconds. */
const EIGEN = 256;

/**
 * Predicts how many seconds a pass over the data will take, and the decompositions after it. It takes a second or two itself, or
 * three batches if they take longer.
 *
 * The pass is within a factor of three if the machine does nothing else. It does not count the time in which the source makes the
 * batches. The decompositions are timed one after another; TensorFlow and workers run some of them side by side.
 *
 * Rejects as `accumulateFactors` does if the estimator does not suit the model; with `InvalidOption` if `examples` or `batch` is
 * out of range, or if a batch of the data is needed; with `Backend` if the backend or the engine cannot run.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { categorical, expectedTime, kfac } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [784] })] });
 * const { pass, decompositions } = await expectedTime(model, { likelihood: categorical(), curvature: kfac(), examples: 60_000 });
 * pass > 0 && decompositions > 0; // => true
 * ```
 */
export const expectedTime = (model: LayersModel, options: ExpectedTimeOptions): Promise<ExpectedTime> =>
  timed(model, options).catch((error: unknown) => {
    throw deviceError(error);
  });

async function timed(model: LayersModel, options: ExpectedTimeOptions): Promise<ExpectedTime> {
  const { likelihood, curvature, examples, batch, engine } = optionsOf('expectedTime', Options, options);
  const network = orThrow(readNetwork(model, likelihood));
  const { decomposition } = orThrow(coverage(model, { likelihood, curvature }));
  const batches = examples / (typeof batch === 'number' ? batch : sizeOf(network, batch));
  const source = typeof batch === 'number' ? () => blankBatch(network, batch) : batch;
  let pass = 0;
  for (const accumulator of passesOf(network, curvature)) {
    const { each, once } = await rehearse(accumulator, observedBatch(network, source, 0));
    pass += batches * each + once;
  }
  const step = decomposition === 0 ? 0 : await secondsPerStep(orThrow(await chosenEngine(engine)()));
  return { pass, decompositions: decomposition * step };
}

/** The number of examples of a batch. */
const sizeOf = (network: Network, batch: LabelledBatch): number =>
  tf.tidy(() => orThrow(inputTensors(network, partsOf(batch).x))[0]?.shape[0] as number);

/** One accumulator for each pass of the estimator. */
const passesOf = (network: Network, curvature: Curvature): ReadonlyArray<Accumulator> =>
  curvature._tag === 'ekfac'
    ? [createAccumulator(network, firstPass(curvature)), createAccumulator(network, curvature, blankBasis(network, curvature))]
    : [createAccumulator(network, curvature)];

/** A basis of zeros. Rows are rotated into it as fast as into eigenvectors. */
function blankBasis(network: Network, curvature: Curvature): EigenBasis {
  const { layout, network: own } = orThrow(prepare(network, curvature));
  const zeros = (groups: number, d: number): Matrix => ({ rows: groups * d, cols: d, data: new Float64Array(groups * d * d) });
  const layers = layout.layers.map(({ name, structure, groups, n, m }, i): readonly [string, Rotation] => {
    if (structureNamed(structure).rotated !== true) return [name, {}];
    const input = rotatesInputs(own.blocks[i] as Block) ? { input: zeros(groups, n) } : {};
    return [name, { ...input, gradient: zeros(groups, m) }];
  });
  return { id: 'blank', layers: new Map(layers) };
}

/** The seconds of one operation of an eigendecomposition. `coverage` counts 9 n³ operations for a matrix of size n. */
async function secondsPerStep(engine: LinalgEngine | AsyncLinalgEngine): Promise<number> {
  const data = Float64Array.from({ length: EIGEN ** 2 }, (_, at) => Math.cos((at % EIGEN) * Math.floor(at / EIGEN)));
  const symmetric: Matrix = { rows: EIGEN, cols: EIGEN, data };
  const session = 'open' in engine ? engine.open() : undefined;
  const decompose = async (): Promise<void> => {
    orThrow(
      session === undefined ? (engine as LinalgEngine).symmetricEigen(symmetric) : await session.symmetricEigen(symmetric)(),
    );
  };
  try {
    // The first decomposition may load the engine, so it is not timed.
    await decompose();
    return (await seconds(decompose)) / (9 * EIGEN ** 3);
  } finally {
    session?.close();
  }
}
