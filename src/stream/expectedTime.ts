/**
 * How long curvature will take, told before the pass: a few batches of the model's own operations are timed (`rehearsal.ts`), and a small
 * eigendecomposition gives the speed of those that a posterior takes.
 *
 *   pass = N / B · seconds of a batch + seconds of reading the sums      (twice for `ekfac`, which takes two passes)
 *   decompositions = Σ 9 (n³ + m³) · seconds of an operation
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Curvature } from '../curvature/codec.js';
import { coverage } from '../curvature/coverage/coverage.js';
import { prepare } from '../curvature/estimator.js';
import type { Likelihood } from '../likelihood/codec.js';
import type { AsyncLinalgEngine, LinalgEngine } from '../linalg/engine.js';
import { chosenEngine, type EngineChoice } from '../linalg/select.js';
import { deviceError } from '../network/device.js';
import { inputTensors, type LabelledBatch, partsOf } from '../network/inputs.js';
import { type Network, readNetwork } from '../network/network.js';
import type { Matrix } from '../types.js';
import { firstPass } from './accumulateFactors.js';
import { createAccumulator } from './accumulator.js';
import type { GivenBasis } from './basis.js';
import { observedBatch, orThrow } from './observed.js';
import { checkBatchSize, checkExamples } from './options.js';
import { blankBatch, rehearse, seconds } from './rehearsal.js';

/** Seconds. */
export interface ExpectedTime {
  /** The pass over the examples; both passes of `ekfac`. */
  readonly pass: number;
  /** The eigendecompositions that a posterior takes, once and one after another. */
  readonly decompositions: number;
}

/** Options of `expectedTime`. */
export interface ExpectedTimeOptions {
  readonly likelihood: Likelihood;
  readonly curvature: Curvature;
  /** Examples of the pass. */
  readonly examples: number;
  /**
   * What is timed: batches of so many examples, of zeros in the model's shapes (default 32), or one batch of the data, again and again.
   * Give a batch of the data where the model's inputs have open dimensions, for a likelihood of your own, and for `truncated`: how many
   * rows it sends back depends on the data.
   */
  readonly batch?: number | LabelledBatch;
  /** Linear algebra: an engine, or the name of one. Default: the fastest that runs here, on this thread. */
  readonly engine?: EngineChoice;
}

/** Side of the matrix whose decomposition is timed: large enough for full speed, and some ten milliseconds of work. */
const EIGEN = 256;

/**
 * About how many seconds a pass over so many examples will take, and the decompositions behind it. Takes a second or two itself, or as
 * long as three batches where they take longer.
 *
 * The pass is within a factor of three on a machine that does nothing else, and leaves out what the source of the batches takes. The
 * decompositions are timed one after another; TensorFlow and workers run some of them side by side.
 *
 * Rejects as `accumulateFactors` does where the estimator does not suit the model, with `InvalidOption` for a number of examples that is
 * none and where a batch of the data is needed, and with `Backend` where backend or engine cannot run.
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

async function timed(
  model: LayersModel,
  { likelihood, curvature, examples, batch = 32, engine }: ExpectedTimeOptions,
): Promise<ExpectedTime> {
  checkExamples(examples);
  if (typeof batch === 'number') checkBatchSize(batch);
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

/** Examples of a batch. */
const sizeOf = (network: Network, batch: LabelledBatch): number =>
  tf.tidy(() => orThrow(inputTensors(network, partsOf(batch).x))[0]?.shape[0] as number);

/** The accumulators of an estimator's passes. */
const passesOf = (network: Network, curvature: Curvature) =>
  curvature._tag === 'ekfac'
    ? [createAccumulator(network, firstPass(curvature)), createAccumulator(network, curvature, blankBasis(network, curvature))]
    : [createAccumulator(network, curvature)];

/** A basis of zeros: turning rows into it takes as long as into eigenvectors. */
function blankBasis(network: Network, curvature: Curvature): GivenBasis {
  const { layout, network: own } = orThrow(prepare(network, curvature));
  const zeros = (groups: number, d: number): Matrix => ({ rows: groups * d, cols: d, data: new Float64Array(groups * d * d) });
  return {
    id: 'blank',
    layers: new Map(
      layout.layers.map(({ name, structure, groups, n, m }, i) => {
        if (structure !== 'eigen') return [name, {}];
        // Tokens are counted, not rotated.
        const input = own.blocks[i]?.structure === 'embedding' ? {} : { input: zeros(groups, n) };
        return [name, { ...input, gradient: zeros(groups, m) }];
      }),
    ),
  };
}

/** Seconds of one operation of an eigendecomposition, as coverage counts them: 9 n³. */
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
    // The first wakes the engine.
    await decompose();
    return (await seconds(decompose)) / (9 * EIGEN ** 3);
  } finally {
    session?.close();
  }
}
