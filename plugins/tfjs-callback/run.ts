/**
 * One training run under observation, from `onTrainBegin` to its end, whichever end that is. A run is in one of four states:
 *
 *   idle ⇄ observing   between epochs, or in an epoch that does not count ⇄ in an epoch that counts
 *   failed             observing met an error, or training did: nothing more is observed, training goes its own way
 *   ended              training ended regularly, and the factors are out
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ReplaySubject, Subject } from 'rxjs';
import {
  type Curvature,
  type EpochSelection,
  type Factors,
  type Likelihood,
  type ObservedBatch,
  type OnProgress,
  orThrow,
} from 'tfjs-laplace';
import {
  createEpochAccumulator,
  deviceError,
  type EpochAccumulator,
  type ErrorParts,
  type KeptEpochs,
  laplaceError,
  type NotFiniteOptions,
  onDeviceLost,
  type Skips,
  skipsOf,
  type TrainingCheckpoint,
  transientBatch,
} from 'tfjs-laplace/extend';
import { type CheckedTraining, checkTraining } from './checkTraining.js';
import { checkFiniteWeights } from './finiteWeights.js';
import { patchTraining } from './patch.js';
import { batchOf, checkWeights, soundlyWeighted } from './step.js';
import { type Captured, installTaps } from './taps.js';

/** The options of a run. */
export interface RunOptions extends NotFiniteOptions {
  readonly likelihood: Likelihood;
  readonly curvature: Curvature;
  readonly epochs: EpochSelection;
  readonly onProgress?: OnProgress | undefined;
  readonly checkpoint?: TrainingCheckpoint | undefined;
}

/** What is known of a training when it begins. */
export interface Training {
  /** The number of the epoch at which training ends, if nothing stops it early. */
  readonly announced: number;
  /** Whether a callback is known that may stop it early. */
  readonly mayStop: boolean;
  /** The epochs of an earlier `fit` with which it goes on. */
  readonly kept?: KeptEpochs | undefined;
}

type State = { readonly _tag: 'idle' } | Observing | { readonly _tag: 'failed' } | { readonly _tag: 'ended' };

interface Observing {
  readonly _tag: 'observing';
  readonly epoch: number;
  /** The batch's number within the epoch, from 0. */
  readonly index: number;
  /** What the present training step started, until `endBatch` waits for it. */
  readonly step?: Step | undefined;
}

interface Step {
  /** 1 if the training loss weights its examples soundly (see `soundlyWeighted`), otherwise 0. */
  readonly sound: tf.Scalar;
  /** Makes the batch count. */
  readonly settle: () => Promise<void>;
}

const IDLE: State = { _tag: 'idle' };
const FAILED: State = { _tag: 'failed' };
const ENDED: State = { _tag: 'ended' };

type Minimize = tf.Optimizer['minimize'];

/** One training run under observation. */
export class TrainingRun {
  readonly batches$ = new Subject<ObservedBatch>();
  readonly factors$ = new ReplaySubject<Factors>(1);

  readonly training: CheckedTraining;
  private readonly accumulator: EpochAccumulator;
  /** Undefined if the first batch that is not finite ends the observation. */
  private readonly skips: Skips | undefined;
  private readonly checkpoint: TrainingCheckpoint | undefined;
  private readonly forgetDevice: () => void;
  private state: State = IDLE;
  /** The epoch that began last, numbered from 1. 0 before the first. */
  private begun = 0;

  /** @throws LaplaceError When model, loss and estimator do not fit. Nothing is patched then. */
  constructor(model: LayersModel, options: RunOptions, { announced, mayStop, kept }: Training) {
    const { likelihood, curvature, epochs, onProgress } = options;
    this.training = orThrow(checkTraining(model, likelihood, curvature));
    const detail = (epoch: number): string => `epoch ${epoch + 1}`;
    const empty = (): ErrorParts => nothingObserved(epochs, this.begun, announced);
    this.skips = skipsOf(options);
    const { skips } = this;
    this.accumulator = createEpochAccumulator({ curvature, epochs, announced, mayStop, empty, onProgress, detail, skips });
    this.accumulator.bind(this.training.network);
    this.checkpoint = options.checkpoint;
    if (kept !== undefined) this.accumulator.resume(kept.window);
    // Training waits for ever for what it reads from a lost device, and reports nothing.
    this.forgetDevice = onDeviceLost((error) => this.fail(error));
    patchTraining(
      model,
      (minimize) => this.wrap(minimize),
      () => this.stop(),
    );
  }

  beginEpoch(epoch: number): void {
    this.begun = epoch + 1;
    if (this.state._tag === 'failed') return;
    this.state = this.accumulator.observes(epoch) ? { _tag: 'observing', epoch, index: 0 } : IDLE;
  }

  /** Waits for what the training step started. */
  async endBatch(): Promise<void> {
    if (this.state._tag !== 'observing') return;
    const { epoch, index, step } = this.state;
    this.state = { _tag: 'observing', epoch, index: index + 1 };
    if (step === undefined) return;
    await this.guarded(async () => {
      const { network } = this.training;
      await checkWeights(network, step.sound);
      const skipped = this.skips?.batches();
      await step.settle();
      // The step has been taken with the numbers of the batch that was skipped.
      if (this.skips?.batches() !== skipped) await checkFiniteWeights(network.model, `batch ${index} of epoch ${epoch}`);
    });
  }

  /** Resolves to the factors of the epoch that ended, or to undefined if it was not observed. */
  async endEpoch(): Promise<Factors | undefined> {
    if (this.state._tag !== 'observing') return undefined;
    const { epoch } = this.state;
    return this.guarded(async () => {
      const factors = await this.accumulator.endEpoch(this.training.network.model.stopTraining);
      const window = this.accumulator.window();
      if (window.length > 0) await this.checkpoint?.save({ epoch, window });
      return factors;
    });
  }

  /** Ends the run regularly. */
  async end(): Promise<void> {
    if (this.state._tag === 'failed') return;
    this.batches$.complete();
    await this.guarded(async () => {
      const factors = await this.accumulator.end();
      this.skips?.check(factors);
      await this.checkpoint?.clear();
      this.state = ENDED;
      this.factors$.next(factors);
      this.factors$.complete();
    });
  }

  /** The factors of the sound batches so far. After the end or a failure they are the factors of the whole run. */
  gathered(): Promise<Factors | undefined> {
    return this.accumulator.gathered();
  }

  /** An error of observing (bad data, say) ends the observation, and leaves training alone. */
  private async guarded<A>(work: () => Promise<A>): Promise<A | undefined> {
    try {
      return await work();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private wrap(minimize: Minimize): Minimize {
    return ((...args: Parameters<Minimize>) => {
      if (this.state._tag !== 'observing') return minimize(...args);
      const taps = installTaps(this.training.network, this.training.scale !== undefined);
      try {
        let cost: ReturnType<Minimize>;
        try {
          cost = minimize(...args);
        } finally {
          taps.remove();
        }
        this.observe(this.state, taps.captured);
        return cost;
      } finally {
        taps.dispose();
      }
    }) as Minimize;
  }

  /** Takes the batch of a training step that has just been done, and emits it. */
  private observe({ epoch, index }: Observing, captured: Captured): void {
    const { network, scale } = this.training;
    try {
      if (captured.failure !== undefined) throw captured.failure;
      tf.tidy(() => {
        const { batch, expire } = transientBatch(network, { epoch, index }, batchOf(network, captured, scale));
        const settle = this.accumulator.take(batch);
        const sound = tf.keep(soundlyWeighted(network, captured));
        this.state = { _tag: 'observing', epoch, index, step: { sound, settle } };
        this.batches$.next(batch);
        expire();
      });
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(reason: unknown): void {
    if (this.state._tag === 'failed' || this.state._tag === 'ended') return;
    if (this.state._tag === 'observing') this.state.step?.sound.dispose();
    this.state = FAILED;
    this.accumulator.stop();
    const error = deviceError(reason);
    this.batches$.error(error);
    this.factors$.error(error);
  }

  /**
   * Called at the very end, when everything is put back. This is after a regular end of training, or after an error that tfjs did
   * not report.
   */
  private stop(): void {
    this.forgetDevice();
    if (this.state._tag === 'ended') return;
    const what = 'Training ended with an error before its factors were complete';
    this.fail(laplaceError('NotReady', { what, remedy: 'See the error of fit. gathered() has the factors up to then.' }));
    // Training may have gone on since a failure, but a posterior is made for the weights at the end.
    this.accumulator.moveToPresentWeights();
  }
}

/** Why a run that ended regularly has no factors. `begun` is the number of the epoch in which it ended, from 1. */
function nothingObserved(epochs: EpochSelection, begun: number, announced: number): ErrorParts {
  if (epochs._tag === 'finalEpochs' && begun > 0 && begun <= announced - epochs.count) {
    const { count } = epochs;
    return {
      what: `Training ended in epoch ${begun} of ${announced}, before the final ${count === 1 ? 'epoch' : `${count} epochs`}`,
      field: 'epochs',
      found: 'no observed epoch',
      expected: `training of all ${announced} epochs`,
      remedy:
        `If training may end early, use finalEpochs(${count}, { stopsEarly: true }): every epoch is then observed. ` +
        'For this training, make one pass over its data with observe and accumulateFactors.',
    };
  }
  return {
    what: 'No training batch was observed',
    field: 'epochs',
    found: `training of ${announced} epochs without an observed one`,
    expected: 'at least one observed epoch',
    remedy: 'Use finalEpochs(k) or everyEpoch(), or a predicate that is true for an epoch that runs.',
  };
}
