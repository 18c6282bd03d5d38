/**
 * Folds observed batches into factors: the effect behind `accumulateFactors` and the training callback.
 *
 * Rows wait on the device until there are enough for an efficient product (ROWS), products are summed in float32 on the
 * device, and every FLUSH products the sums move to float64 on the host: fast, and exact to about √FLUSH float32 roundings.
 * `add` is synchronous, so that it works inside a training step; `settle` waits for what `add` started and reports bad data.
 */
import type { Curvature } from '../curvature/codec.js';
import { observeRows, prepare } from '../curvature/estimator.js';
import { emptyFactors, type Factors, type LayerSums } from '../curvature/factors.js';
import type { RowSink } from '../curvature/observation.js';
import { forward } from '../network/forward.js';
import type { Network } from '../network/network.js';
import { readWeights, type Weights } from '../network/weights.js';
import { foldIn, type Key, key } from '../random/key.js';
import { checkHealth, type Health, healthOf } from './health.js';
import { createMoment, type Moment } from './moment.js';
import { type ObservedBatch, orThrow, type TrainingRows } from './observed.js';

/** Accumulates batches of one network. Call `settle` after `add`, and `reset` at the end. */
export interface Accumulator {
  /** Takes a batch's rows. Synchronous: only starts work on the device. Throws a `LaplaceError` on wrong shapes. */
  readonly add: (batch: ObservedBatch) => void;
  /** Waits for the added batches and makes them count. Rejects with a `LaplaceError` on bad data, and leaves them out. */
  readonly settle: () => Promise<void>;
  /** Every settled batch, as a value at the model's present weights. The accumulation goes on. */
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
  const all: ReadonlyArray<Moment> = layers.flatMap((l) => [l.input, l.gradient]);
  const sink: RowSink = {
    input: (layer, rows) => layers[layer]?.input.stage(rows),
    gradient: (layer, rows) => layers[layer]?.gradient.stage(rows),
  };
  const seed: Key = key('seed' in curvature ? curvature.seed : 0);
  let pending: ReadonlyArray<Health> = [];
  let count = 0;
  let logLikelihood = 0;

  const observe = (batch: ObservedBatch): Health =>
    batch.use(({ x, y, rows, outputs }) => {
      const ops = network.likelihoodOps;
      const targets = ops.targets(y, network.outputs);
      const byProduct = curvature._tag === 'empirical' ? rowsOfBlocks(network, rows) : undefined;
      if (byProduct !== undefined && outputs !== undefined) {
        byProduct.forEach(({ input, gradient }, layer) => {
          sink.input(layer, input);
          sink.gradient(layer, gradient);
        });
        return healthOf(network, batch, x, y, outputs, targets);
      }
      const tape = forward(network, x);
      const position = foldIn(foldIn(seed, batch.epoch), batch.index);
      observeRows(curvature, { network, tape, targets, key: position }, sink);
      return healthOf(network, batch, x, y, tape.outputs, targets);
    });

  const rollback = (): void => {
    for (const health of pending) health.values.dispose();
    pending = [];
    for (const moment of all) moment.rollback();
  };
  const settle = async (): Promise<void> => {
    const waiting = pending;
    pending = [];
    try {
      const checked = await Promise.all(waiting.map((health) => checkHealth(network, health)));
      checked.forEach((value) => (logLikelihood += value));
      waiting.forEach(({ size }) => (count += size));
    } catch (error) {
      rollback();
      throw error;
    }
    for (const moment of all) moment.commit();
    for (const moment of all) await moment.flushIfFull();
  };

  return {
    add: (batch) => {
      try {
        pending = [...pending, observe(batch)];
      } catch (error) {
        rollback();
        throw error;
      }
    },
    settle,
    factors: async () => {
      const sums: LayerSums[] = [];
      for (const { input, gradient } of layers) sums.push({ input: await input.read(), gradient: await gradient.read() });
      const { fingerprint, blocks } = await readWeights(network);
      return { ...emptyFactors(layout, fingerprint, blocks), count, datasetSize: count, logLikelihood, layers: sums };
    },
    count: () => count,
    weights: () => readWeights(network),
    reset: () => {
      rollback();
      count = 0;
      logLikelihood = 0;
      for (const moment of all) moment.reset();
    },
  };
}

/** The rows that a training step gave for every block, or undefined when one is missing and a pass of its own is needed. */
function rowsOfBlocks(
  { blocks }: Network,
  rows: ReadonlyMap<string, TrainingRows> = new Map(),
): ReadonlyArray<TrainingRows> | undefined {
  const found = blocks.flatMap(({ name }) => rows.get(name) ?? []);
  return found.length === blocks.length ? found : undefined;
}
