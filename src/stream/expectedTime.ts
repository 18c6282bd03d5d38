/**
 * How long curvature will take, told before any pass: the operations that coverage counts, at the speeds that this machine shows on a
 * small product and a small decomposition. Of a pass a lower bound: dense layers take up to one and a half times as long as it says,
 * convolutions a few times (they move more than they multiply); but `truncated` sends fewer rows back than are counted. Of
 * decompositions what they take one after another, roughly: TensorFlow and workers run some of them side by side.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Coverage } from '../curvature/coverage/coverage.js';
import { laplaceError } from '../errors.js';
import type { AsyncLinalgEngine, LinalgEngine } from '../linalg/engine.js';
import { chosenEngine, type EngineChoice } from '../linalg/select.js';
import { fromDevice } from '../network/device.js';
import { orThrow } from '../orThrow.js';
import type { Matrix } from '../types.js';

/** Seconds. */
export interface ExpectedTime {
  /** Of a pass over the examples. */
  readonly pass: number;
  /** Of the eigendecompositions that a posterior takes, once and one after another. */
  readonly decompositions: number;
}

/** Options of `expectedTime`. */
export interface ExpectedTimeOptions {
  /** Examples of the pass. */
  readonly examples: number;
  /** Linear algebra: an engine, or the name of one. Default: the fastest that runs here, on this thread. */
  readonly engine?: EngineChoice;
}

/** Side of the matrices whose product and decomposition are timed: large enough for full speed, and some ten milliseconds of work. */
const [PRODUCT, EIGEN] = [512, 256] as const;
/** Time after which no further product is timed, in milliseconds. */
const PATIENCE = 50;

/**
 * Seconds that a pass over so many examples will take at least, and the decompositions behind it about.
 *
 * Rejects with `InvalidOption` for a number of examples that is none, and with `Backend` where backend or engine cannot run. Layers
 * whose number of positions depends on the data do not count.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { categorical, coverage, expectedTime, kfac } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [784] })] });
 * const found = coverage(model, { likelihood: categorical(), curvature: kfac() });
 * const { pass, decompositions } = E.isRight(found)
 *   ? await expectedTime(found.right, { examples: 60_000 })
 *   : { pass: 0, decompositions: 0 };
 * pass > 0 && decompositions > 0; // => true
 * ```
 */
export async function expectedTime(
  { operationsPerExample, decomposition }: Coverage,
  { examples, engine }: ExpectedTimeOptions,
): Promise<ExpectedTime> {
  if (!(examples > 0 && Number.isFinite(examples))) {
    throw laplaceError('InvalidOption', {
      what: 'The number of examples is out of range',
      field: 'examples',
      found: String(examples),
      expected: 'a finite number > 0',
    });
  }
  return {
    pass: operationsPerExample === 0 ? 0 : operationsPerExample * examples * (await secondsPerOperation()),
    decompositions: decomposition === 0 ? 0 : decomposition * (await secondsPerStep(orThrow(await chosenEngine(engine)()))),
  };
}

/** Of the fastest of a few products on the current backend. */
async function secondsPerOperation(): Promise<number> {
  const a = tf.ones<tf.Rank.R2>([PRODUCT, PRODUCT]);
  const run = async (): Promise<void> => {
    const corner = tf.tidy(() => tf.slice(tf.matMul(a, a), [0, 0], [1, 1]));
    await fromDevice(corner.data()).finally(() => corner.dispose());
  };
  try {
    // The first compiles, on backends that do.
    await run();
    let fastest = Number.POSITIVE_INFINITY;
    const start = performance.now();
    do {
      const before = performance.now();
      await run();
      fastest = Math.min(fastest, performance.now() - before);
    } while (performance.now() - start < PATIENCE);
    return fastest / 1000 / (2 * PRODUCT ** 3);
  } finally {
    a.dispose();
  }
}

/** Of one operation of an eigendecomposition, as coverage counts them: 9 n³. */
async function secondsPerStep(engine: LinalgEngine | AsyncLinalgEngine): Promise<number> {
  const data = Float64Array.from({ length: EIGEN ** 2 }, (_, at) => Math.cos((at % EIGEN) * Math.floor(at / EIGEN)));
  const symmetric: Matrix = { rows: EIGEN, cols: EIGEN, data };
  const session = 'open' in engine ? engine.open() : undefined;
  try {
    // The first wakes the engine.
    let seconds = 0;
    for (let turn = 0; turn < 2; turn++) {
      const before = performance.now();
      orThrow(
        session === undefined ? (engine as LinalgEngine).symmetricEigen(symmetric) : await session.symmetricEigen(symmetric)(),
      );
      seconds = (performance.now() - before) / 1000;
    }
    return seconds / (9 * EIGEN ** 3);
  } finally {
    session?.close();
  }
}
