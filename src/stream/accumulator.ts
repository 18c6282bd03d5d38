/**
 * Folds observed batches into factors: the effect behind `accumulateFactors` and the training callback.
 *
 * Rows wait on the device until there are enough for an efficient product (ROWS), products are summed in float32 on the
 * device, and every FLUSH products the sums move to float64 on the host: fast, and exact to about √FLUSH float32 roundings.
 * `add` is synchronous, so that it works inside a training step; `settle` waits for what `add` started and reports bad data.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Curvature } from '../curvature/codec.js';
import { observeRows, prepare } from '../curvature/estimator.js';
import type { Factors, LayerSums } from '../curvature/factors.js';
import type { RowSink } from '../curvature/observation.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { forward, type Tape } from '../network/forward.js';
import { type Network, notDisposed } from '../network/network.js';
import { readWeights, type Weights } from '../network/weights.js';
import { foldIn, type Key, key } from '../random/key.js';
import { checkHealth, type Health, healthOf } from './health.js';
import { type Bag, createMoment, drop, emptyBag, stage } from './moment.js';
import { type ObservedBatch, orThrow, type TrainingRows } from './observed.js';

/** Accumulates batches of one network. Call `settle` after `add`, and `reset` at the end. */
export interface Accumulator {
  /** Takes a batch's rows. Synchronous: only starts work on the device. Throws a `LaplaceError` on wrong shapes. */
  readonly add: (batch: ObservedBatch) => void;
  /** Waits for the added batches and makes them count. Rejects with a `LaplaceError` on bad data, and leaves them out. */
  readonly settle: () => Promise<void>;
  /** Every batch that is settled when this is called, as a value at the model's present weights. The accumulation goes on. */
  readonly factors: () => Promise<Factors>;
  /** Examples settled so far. */
  readonly count: () => number;
  /** The model's present weights. */
  readonly weights: () => Promise<Weights>;
  /** Forgets everything and frees the device; the accumulator can be used again. */
  readonly reset: () => void;
}

/** Throws a `LaplaceError` when the estimator does not suit the network. */
export function createAccumulator(source: Network, curvature: Curvature): Accumulator {
  const { network, layout } = orThrow(prepare(source, curvature));
  const layers = layout.layers.map(({ n, m }) => ({ input: createMoment(n), gradient: createMoment(m) }));
  const moments = layers.flatMap(({ input, gradient }) => [input, gradient]);
  const seed: Key = key('seed' in curvature ? curvature.seed : 0);
  let pending: ReadonlyArray<Staged> = [];
  let count = 0;
  let logLikelihood = 0;

  const run = (x: ReadonlyArray<tf.Tensor>): Tape => {
    if (x.length < network.inputs.length) throw inputsMissing(network, x.length);
    return forward(network, x);
  };
  const observe = (batch: ObservedBatch, sink: RowSink): Health =>
    batch.use(({ x, y, rows, outputs }) => {
      const ops = network.likelihoodOps;
      const targets = ops.targets(y, network.outputs);
      const byProduct = curvature._tag === 'empirical' ? rowsOfBlocks(network, rows) : undefined;
      if (byProduct !== undefined) {
        byProduct.forEach(({ input, gradient }, layer) => {
          sink.input(layer, input);
          sink.gradient(layer, gradient);
        });
        return healthOf(network, batch, x, y, outputs ?? run(x).outputs, targets);
      }
      const tape = run(x);
      const position = foldIn(foldIn(seed, batch.epoch), batch.index);
      observeRows(curvature, { network, tape, targets, key: position }, sink);
      return healthOf(network, batch, x, y, tape.outputs, targets);
    });

  const settle = async (): Promise<void> => {
    const waiting = pending;
    pending = [];
    const checks = await Promise.allSettled(waiting.map(({ health }) => checkHealth(network, health)));
    for (const [i, { health, bags }] of waiting.entries()) {
      const check = checks[i] as PromiseSettledResult<number>;
      if (check.status === 'rejected') {
        // The sum ends where the data went bad, however many came behind it in the meantime.
        for (const { bags: rest } of waiting.slice(i)) rest.forEach(drop);
        throw check.reason;
      }
      moments.forEach((moment, m) => moment.commit(bags[m] as Bag));
      count += health.size;
      logLikelihood += check.value;
    }
    for (const moment of moments) await moment.flushIfFull();
  };

  return {
    add: (batch) => {
      orThrow(notDisposed(network.model));
      const bags = moments.map(emptyBag);
      try {
        pending = [...pending, { bags, health: observe(batch, sinkInto(bags)) }];
      } catch (error) {
        bags.forEach(drop);
        throw error;
      }
    },
    settle,
    factors: async () => {
      orThrow(notDisposed(network.model));
      // Everything is asked for at once, before anything is waited for: the numbers of one moment.
      const soFar = { count, datasetSize: count, logLikelihood };
      const sums = Promise.all(
        layers.map(async ({ input, gradient }): Promise<LayerSums> => {
          const [a, g] = await Promise.all([input.read(), gradient.read()]);
          return { input: a, gradient: g };
        }),
      );
      const [{ fingerprint, blocks }, own] = await Promise.all([readWeights(network), sums]);
      return { _tag: 'Factors', layout, fingerprint, weights: blocks, ...soFar, layers: own };
    },
    count: () => count,
    weights: async () => {
      orThrow(notDisposed(network.model));
      return readWeights(network);
    },
    reset: () => {
      for (const { health, bags } of pending) {
        health.values.dispose();
        bags.forEach(drop);
      }
      pending = [];
      count = 0;
      logLikelihood = 0;
      for (const moment of moments) moment.reset();
    },
  };
}

/** A batch whose checks are on their way: its rows count once they have passed. */
interface Staged {
  readonly health: Health;
  /** Those of input and gradient of every layer in turn. */
  readonly bags: ReadonlyArray<Bag>;
}

const sinkInto = (bags: ReadonlyArray<Bag>): RowSink => ({
  input: (layer, rows) => stage(bags[2 * layer] as Bag, rows),
  gradient: (layer, rows) => stage(bags[2 * layer + 1] as Bag, rows),
});

/** The rows that a training step gave for every block, or undefined when one is missing and a pass of its own is needed. */
function rowsOfBlocks(
  { blocks }: Network,
  rows: ReadonlyMap<string, TrainingRows> = new Map(),
): ReadonlyArray<TrainingRows> | undefined {
  const found = blocks.flatMap(({ name }) => rows.get(name) ?? []);
  return found.length === blocks.length ? found : undefined;
}

/** A training step may show rows without showing all inputs (those that only a shared layer reads). */
const inputsMissing = ({ model, inputs }: Network, found: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `The batch lacks inputs of model '${model.name}'`,
    field: 'x',
    found: `${found} of them`,
    expected: `${inputs.length}, for curvature that is not made of the training step's own rows`,
    remedy: 'Observe the trained model in a pass of its own.',
  });
