/**
 * Accumulates observed batches into factors. `accumulateFactors` and the training callback are built on it.
 *
 * Rows wait on the device until there are enough for an efficient product (ROWS and FLUSH: `sumOfBatches.ts`). Products are summed in
 * float32 on the device. After every FLUSH products the sums move to float64 on the host. This is fast, and exact to about √FLUSH
 * float32 roundings. `add` is synchronous, so it works inside a training step. `settle` waits for the work that `add` started,
 * and reports bad data.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Curvature, fisherOf, takesTrainingRows } from '../curvature/codec.js';
import { type DeviceRotations, observeRows, observeTrainingRows, prepare, uploadRotations } from '../curvature/estimator.js';
import type { Factors } from '../curvature/factors.js';
import { type EigenBasis, type Layout, weightsOf } from '../curvature/layout.js';
import { isLaplaceError, type LaplaceError, laplaceError } from '../errors.js';
import { forward, type Tape } from '../network/forward.js';
import { type Network, notDisposed } from '../network/network.js';
import { readWeights, type Weights } from '../network/weights.js';
import { orThrow } from '../orThrow.js';
import { foldIn, type Key, key } from '../random/key.js';
import { checkBasis } from './basis.js';
import { checkHealth, type Health, healthOf, type Sound } from './health.js';
import { marksOf } from './marks.js';
import type { BatchTensors, ObservedBatch } from './observed.js';
import { partSumsOf, readSums, sinkInto } from './partSums.js';
import type { Skips } from './skips.js';
import { inputsMissing, rowsOfBlocks } from './stepRows.js';
import { type Bag, drop } from './sumOfBatches.js';

/** Accumulates batches of one network. Call `settle` after `add`, and `reset` at the end. */
export interface Accumulator {
  readonly layout: Layout;
  /** Takes a batch's rows. It is synchronous and only starts work on the device. Throws a `LaplaceError` on wrong shapes. */
  readonly add: (batch: ObservedBatch) => void;
  /**
   * Waits for the added batches and adds them to the sums. Rejects with a `LaplaceError` on bad data, and leaves out the bad
   * batch and the batches after it. A batch that is skipped is left out alone.
   */
  readonly settle: () => Promise<void>;
  /**
   * The factors of every batch that is settled when this is called, with the model's present weights. The accumulation can go on
   * meanwhile.
   */
  readonly factors: () => Promise<Factors>;
  /** The number of examples that are settled, or the sum of their weights. */
  readonly count: () => number;
  /** The number of examples in the batches that were settled since the accumulator was made, skipped ones and weights of 0 included. */
  readonly seen: () => number;
  /** The model's present weights. */
  readonly weights: () => Promise<Weights>;
  /** Forgets everything and frees the device's memory. The accumulator can be used again. */
  readonly reset: () => void;
}

/**
 * Creates an accumulator.
 *
 * @param basis the basis in which `ekfac` sums; other estimators need none
 * @param skips counts batches that are not finite, which are then skipped; without it they are errors
 * @throws LaplaceError if the estimator does not suit the network, or `ekfac` lacks its basis
 */
export function createAccumulator(source: Network, curvature: Curvature, basis?: EigenBasis, skips?: Skips): Accumulator {
  if (curvature._tag === 'ekfac' && basis === undefined) throw noBasis();
  const prepared = orThrow(prepare(source, curvature, basis?.id));
  const { network, layout, closed } = prepared;
  if (basis !== undefined) orThrow(checkBasis(layout, network.blocks, basis));
  // If only the last layer is covered, its sums are the largest arrays of all. So they leave the device at once.
  const most = closed === undefined ? undefined : 1;
  const { shares } = layout;
  const sums = partSumsOf(layout, closed, most);
  const totals = sums.map(({ total }) => total);
  const rotations = basis && layout.layers.map(({ name }) => basis.layers.get(name) ?? {});
  let device: DeviceRotations | undefined;
  const fisher = fisherOf(curvature);
  const seed: Key = key(fisher !== undefined && 'seed' in fisher ? fisher.seed : 0);
  let pending: ReadonlyArray<Staged> = [];
  let count = 0;
  let logLikelihood = 0;
  let sent = 0;
  let seen = 0;
  let squares = noSquares(shares);
  /** B of the batch that was observed last. */
  let size = 0;

  /** Skips a batch, or throws its error. */
  const leaveOut = (error: unknown, examples: number): void => {
    if (skips === undefined || !isLaplaceError(error) || error.kind !== 'NotFinite') throw error;
    skips.add(error, examples);
    seen += examples;
  };
  /** The rotations of `ekfac`: uploaded with the first batch, freed by `reset`. */
  const onDevice = (): DeviceRotations | undefined => {
    if (rotations !== undefined) device ??= kept(uploadRotations(layout, rotations));
    return device;
  };
  const run = (x: ReadonlyArray<tf.Tensor>): Tape => {
    if (x.length < network.inputs.length) throw inputsMissing(network, x.length);
    return forward(network, x);
  };
  const observe = (batch: ObservedBatch, bags: ReadonlyArray<Bag>): { health: Health; rows: number } => {
    const own = onDevice();
    let sentNow = 0;
    const marks = marksOf(network, layout);
    const sink = marks.into(sinkInto(bags, sums));
    const check = ({ x, y, rows, outputs, weights: given }: BatchTensors): Health => {
      const ops = network.likelihoodOps;
      const targets = ops.targets(y);
      size = targets.shape[0];
      const weights = both(given, ops.weights?.(targets));
      const byProduct = takesTrainingRows(curvature) ? rowsOfBlocks(network, rows) : undefined;
      if (byProduct !== undefined) {
        sentNow = observeTrainingRows(prepared, byProduct, weights, sink);
        const found = outputs ?? run(x).outputs;
        return healthOf(network, batch, x, y, found, targets, weights, marks.all());
      }
      const tape = run(x);
      marks.outputs(tape);
      const position = foldIn(foldIn(seed, batch.epoch), batch.index);
      sentNow = observeRows(prepared, { network, tape, targets, key: position, weights }, sink, own);
      return healthOf(network, batch, x, y, tape.outputs, targets, weights, marks.all(), shares);
    };
    try {
      return { health: batch.use(check), rows: sentNow };
    } finally {
      marks.dispose();
    }
  };

  const settle = async (): Promise<void> => {
    const waiting = pending;
    pending = [];
    const checks = await Promise.allSettled(waiting.map(({ health }) => checkHealth(network, health)));
    for (const [i, { bags, rows, health }] of waiting.entries()) {
      const check = checks[i] as PromiseSettledResult<Sound>;
      if (check.status === 'rejected') {
        bags.forEach(drop);
        try {
          leaveOut(check.reason, health.size);
        } catch (error) {
          // The sum ends at the first bad batch. Batches that were added after it are left out.
          for (const { bags: rest } of waiting.slice(i + 1)) rest.forEach(drop);
          throw error;
        }
        continue;
      }
      totals.forEach((total, i) => total.commit(bags[i] as Bag));
      count += check.value.count;
      seen += health.size;
      logLikelihood += check.value.logLikelihood;
      squares = squares?.map((sum, c) => sum + (check.value.squares[c] as number));
      sent += rows;
    }
    for (const total of totals) await total.flushIfFull();
  };

  const presentWeights = async (): Promise<Weights> => {
    const { fingerprint, blocks } = await readWeights(network);
    return { fingerprint, blocks: weightsOf(layout, blocks) };
  };

  return {
    layout,
    add: (batch) => {
      orThrow(notDisposed(network.model));
      const bags = totals.map((total) => total.bag());
      try {
        pending = [...pending, { bags, ...observe(batch, bags) }];
      } catch (error) {
        bags.forEach(drop);
        leaveOut(error, size);
      }
    },
    settle,
    factors: async () => {
      orThrow(notDisposed(network.model));
      // All reads start before the first one is awaited, so that all numbers belong to the same moment.
      const soFar = { count, datasetSize: count, logLikelihood, rows: sent };
      const squaresSoFar = squares;
      const reading = Promise.all(totals.map((total) => total.read()));
      const [{ fingerprint, blocks }, read] = await Promise.all([presentWeights(), reading]);
      const { layers, shareOf } = readSums(layout, sums, read, closed);
      return {
        _tag: 'Factors',
        layout,
        fingerprint,
        weights: blocks,
        ...soFar,
        layers,
        ...(squaresSoFar && { shares: squaresSoFar.map((sum, c) => ({ squares: sum, layers: shareOf(c) })) }),
        ...(rotations && { rotations }),
      };
    },
    count: () => count,
    seen: () => seen,
    weights: async () => {
      orThrow(notDisposed(network.model));
      return presentWeights();
    },
    reset: () => {
      for (const { health, bags } of pending) {
        health.values.dispose();
        bags.forEach(drop);
      }
      pending = [];
      count = 0;
      logLikelihood = 0;
      sent = 0;
      squares = noSquares(shares);
      for (const sides of device ?? []) tf.dispose([sides.input, sides.gradient].filter((t) => t !== undefined));
      device = undefined;
      for (const total of totals) total.reset();
    },
  };
}

/** A batch whose checks are still running. It is added to the sums once the checks have passed. */
interface Staged {
  readonly health: Health;
  /** The number of rows that were sent back for the batch. */
  readonly rows: number;
  /** What the batch adds to each sum, in the order of the sums. */
  readonly bags: ReadonlyArray<Bag>;
}

/** The product of a batch's weights and the weights that follow from its labels. Both are multiplicities. */
const both = (a: tf.Tensor1D | undefined, b: tf.Tensor1D | undefined): tf.Tensor1D | undefined =>
  a === undefined || b === undefined ? (a ?? b) : tf.mul(a, b);

/** Σ w (f − y)² / σ² of each output before the first batch; undefined if no shares are kept. */
const noSquares = (shares: number | undefined): ReadonlyArray<number> | undefined =>
  shares === undefined ? undefined : Array.from({ length: shares }, () => 0);

const kept = (rotations: DeviceRotations): DeviceRotations => {
  for (const { input, gradient } of rotations) {
    if (input !== undefined) tf.keep(input);
    if (gradient !== undefined) tf.keep(gradient);
  }
  return rotations;
};

const noBasis = (): LaplaceError =>
  laplaceError('NotReady', {
    what: 'ekfac sums in a basis, and there is none yet',
    field: 'curvature',
    found: 'one pass over the data',
    expected: 'two passes, or a posterior of the same model that gives the eigenvectors',
    remedy:
      'Use accumulateFactors on batches that can be subscribed to twice, or give it the option basis. In training use kfac.',
  });
