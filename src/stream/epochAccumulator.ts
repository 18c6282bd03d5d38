/**
 * Folds observed batches into factors, epoch by epoch. The training callback and `accumulateFactors` are built on it. A pass over
 * data is one epoch.
 *
 * Sums of an epoch stay on the device until the epoch ends (`accumulator.ts`). Sums of earlier epochs are values on the host, and
 * the selection of epochs keeps the sums that may still count (`epochWindow.ts`). They were taken while the weights moved. The
 * factors that are handed out carry the model's weights at the end.
 */
import type { Curvature } from '../curvature/codec.js';
import { type Factors, sameLayout } from '../curvature/factors.js';
import type { EigenBasis } from '../curvature/layout.js';
import { type ErrorParts, type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from '../network/network.js';
import type { Weights } from '../network/weights.js';
import { orThrow } from '../orThrow.js';
import type { OnProgress } from '../types.js';
import { type Accumulator, createAccumulator } from './accumulator.js';
import type { EpochSelection } from './codec.js';
import { type EpochWindow, ruleOf, sumOf } from './epochWindow.js';
import type { ObservedBatch } from './observed.js';
import type { Skips } from './skips.js';

/** What an epoch accumulator sums, and how it reports. */
export interface EpochAccumulatorOptions {
  readonly curvature: Curvature;
  /** Only for `ekfac`: the eigenvectors along which it sums second moments. */
  readonly basis?: EigenBasis | undefined;
  /** Which epochs count. */
  readonly epochs: EpochSelection;
  /** The number of the epoch at which training ends, if nothing stops it early. A pass over data has 1. */
  readonly announced: number;
  /** Whether something is known that may end training before that. Default false. A selection that says so itself wins. */
  readonly mayStop?: boolean | undefined;
  /** Describes the error `Empty`, with which `end` rejects if nothing was observed. */
  readonly empty: () => ErrorParts;
  /** Called after every batch that counts, with the number of batches so far. */
  readonly onProgress?: OnProgress | undefined;
  /** Number of batches, for progress. */
  readonly total?: number | undefined;
  /** The detail of progress events. */
  readonly detail?: ((epoch: number) => string | undefined) | undefined;
  /** Counts batches that are not finite, and are skipped. Without it such a batch is an error. */
  readonly skips?: Skips | undefined;
}

/** Accumulates the batches of one network. In the end call `end`, `stop` or `dispose`: each of them frees the device. */
export interface EpochAccumulator {
  /**
   * Fixes the network, if the first batch has not fixed it yet. Throws a `LaplaceError` if the estimator does not suit the
   * network.
   */
  readonly bind: (network: Network) => void;
  /** Whether the batches of this epoch count. */
  readonly observes: (epoch: number) => boolean;
  /**
   * Takes a batch and returns a function that does the rest of the work, after which the batch counts. A transient batch (its
   * tensors live only while it is emitted) is added at once. Any other batch is added when the returned function is called, so
   * that no more than one batch is on the device. The returned function rejects with the `LaplaceError` of a bad batch, and
   * leaves that batch out.
   */
  readonly take: (batch: ObservedBatch) => () => Promise<void>;
  /**
   * Ends the present epoch. `stopping` says that training ends with it, perhaps in the middle of it. Resolves to the factors of this
   * epoch alone, or to undefined if no batch of it counts.
   */
  readonly endEpoch: (stopping: boolean) => Promise<Factors | undefined>;
  /**
   * The factors of all batches that count so far. After the end they are the factors of the whole run. Undefined if no batch
   * counts.
   */
  readonly gathered: () => Promise<Factors | undefined>;
  /** The number of examples in the batches that were taken, in all epochs; skipped ones count. */
  readonly seen: () => number;
  /**
   * The regular end: the factors of the epochs that count, at the model's present weights. Rejects with `Empty` if nothing was
   * observed.
   */
  readonly end: () => Promise<Factors>;
  /** The sums of the epochs that have ended and may still count, oldest first. */
  readonly window: () => EpochWindow;
  /** Goes on with the epochs of an earlier training of the network, to which it is bound. Throws `Mismatch` for another layout. */
  readonly resume: (window: EpochWindow) => void;
  /** An early end: takes no more batches, and keeps what was gathered. */
  readonly stop: () => void;
  /** After `stop`: gives the gathered factors the model's present weights. */
  readonly moveToPresentWeights: () => void;
  /** Takes no more batches, and forgets what is on the device. Resolves when the device is free. */
  readonly dispose: () => Promise<void>;
}

/** Creates an epoch accumulator. It uses the device from the first batch on. */
export function createEpochAccumulator(options: EpochAccumulatorOptions): EpochAccumulator {
  const { curvature, basis, epochs, announced, mayStop, empty, onProgress, total, detail, skips } = options;
  const rule = ruleOf(epochs, announced, mayStop);
  let bound: { readonly network: Network; readonly accumulator: Accumulator } | undefined;
  let window: EpochWindow = [];
  /** The work on the present batch. The device is freed only after it. */
  let work: Promise<void> = Promise.resolve();
  let done = 0;
  /** The factors that were gathered. They are set once no more batches are taken. */
  let kept: Promise<Factors | undefined> | undefined;

  const bind = (network: Network): Accumulator => {
    bound ??= { network, accumulator: createAccumulator(network, curvature, basis, skips) };
    if (bound.network.model !== network.model) throw severalModels(network, bound.network);
    return bound.accumulator;
  };
  const add = (batch: ObservedBatch): void => {
    if (kept === undefined) bind(batch.network).add(batch);
  };
  const settle = async ({ epoch }: ObservedBatch): Promise<void> => {
    if (kept !== undefined || bound === undefined) return;
    work = bound.accumulator.settle();
    await work;
    done += 1;
    const own = detail?.(epoch);
    const words = skips === undefined ? own : skips.detail(own);
    const event = { phase: 'observe', done, unit: 'batches' } as const;
    onProgress?.({ ...event, ...(total === undefined ? {} : { total }), ...(words === undefined ? {} : { detail: words }) });
  };
  /**
   * The sum of the present epoch and of the earlier epochs that may count. All reads from the device start at once, so that the
   * numbers belong together.
   */
  const sumSoFar = async (): Promise<Factors | undefined> => {
    const past = window;
    if (bound === undefined || bound.accumulator.count() === 0) return sumOf(past);
    return sumOf([...past, await bound.accumulator.factors()]);
  };
  /** The present epoch's sums carry the present weights. Sums of earlier epochs carry the weights of their time. */
  const sumAtPresentWeights = async (): Promise<Factors | undefined> => {
    if (bound === undefined) return undefined;
    const { accumulator } = bound;
    if (accumulator.count() > 0) return sumSoFar();
    // If all examples have weight 0, or all batches were skipped, the sum is factors that count no example. This is not the same as
    // no batch.
    if (window.length === 0 && done > 0) return accumulator.factors();
    return standingFor(await accumulator.weights(), sumOf(window));
  };
  const free = (): Promise<void> => work.catch(() => {}).then(() => bound?.accumulator.reset());
  const keep = (sum: Promise<Factors | undefined>): void => {
    kept = sum;
    // A caller of `gathered` hears of a failure. If nobody calls it, the failure must not be an unhandled rejection.
    sum.catch(() => {});
  };

  return {
    bind: (network) => void bind(network),
    observes: rule.observes,
    take: (batch) => {
      if (!batch.transient) {
        return async () => {
          add(batch);
          await settle(batch);
        };
      }
      const added = attempt(() => add(batch));
      return async () => {
        added();
        await settle(batch);
      };
    },
    endEpoch: async (stopping) => {
      if (bound === undefined || bound.accumulator.count() === 0) return undefined;
      const epoch = await bound.accumulator.factors();
      window = rule.append(window, epoch, stopping);
      bound.accumulator.reset();
      return epoch;
    },
    window: () => window,
    resume: (earlier) => {
      const own = (bound as { readonly accumulator: Accumulator }).accumulator.layout;
      for (const { layout } of earlier) orThrow(sameLayout(own, layout));
      window = earlier;
    },
    gathered: () => kept ?? sumSoFar(),
    seen: () => bound?.accumulator.seen() ?? 0,
    end: async () => {
      const factors = await sumAtPresentWeights();
      keep(Promise.resolve(factors));
      await free();
      if (factors === undefined) throw laplaceError('Empty', empty());
      return factors;
    },
    stop: () => {
      if (kept === undefined) keep(sumSoFar().finally(free));
    },
    moveToPresentWeights: () => {
      if (bound === undefined || kept === undefined) return;
      keep(Promise.all([bound.accumulator.weights(), kept]).then(([weights, sum]) => standingFor(weights, sum)));
    },
    dispose: () => {
      if (kept === undefined) keep(Promise.resolve(undefined));
      return free();
    },
  };
}

/** Calls `run` at once. The returned function throws what `run` threw. */
function attempt(run: () => void): () => void {
  try {
    run();
    return () => {};
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Sums that were taken while the weights moved, as factors at these weights. */
const standingFor = (weights: Weights, sum: Factors | undefined): Factors | undefined =>
  sum === undefined ? undefined : { ...sum, fingerprint: weights.fingerprint, weights: weights.blocks };

const severalModels = (found: Network, expected: Network): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'Batches of several models cannot be summed',
    field: 'model',
    found: found.model.name,
    expected: expected.model.name,
  });
