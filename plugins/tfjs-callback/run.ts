/** One training run under observation: from `onTrainBegin` to the end, whichever end that is. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import { ReplaySubject, Subject } from 'rxjs';
import {
  type Accumulator,
  type Curvature,
  createAccumulator,
  deviceError,
  type Factors,
  type LaplaceError,
  type Likelihood,
  laplaceError,
  mergeEpochs,
  type Network,
  type Observation,
  type ObservedBatch,
  type OnProgress,
  onDeviceLost,
  transientBatch,
} from 'tfjs-laplace';
import { append, observes, total, type Window } from './epochs.js';
import { observable } from './observable.js';
import { patchTraining } from './patch.js';
import { batchOf, checkWeights, soundlyWeighted } from './step.js';
import { type Captured, installTaps } from './taps.js';

/** What a run needs to know. */
export interface RunOptions {
  readonly likelihood: Likelihood;
  readonly curvature: Curvature;
  readonly observation: Observation;
  readonly onProgress?: OnProgress | undefined;
}

type Minimize = tf.Optimizer['minimize'];
type Weights = Awaited<ReturnType<Accumulator['weights']>>;

/** The observation of one training run. */
export class TrainingRun {
  readonly batches$ = new Subject<ObservedBatch>();
  readonly factors$ = new ReplaySubject<Factors>(1);

  private readonly network: Network;
  /** From the training loss to the NLL; undefined where the step's own rows are not taken. */
  private readonly scale: number | undefined;
  private readonly accumulator: Accumulator;
  private window: Window = [];
  private observing = false;
  private epoch = 0;
  private index = 0;
  private observed = 0;
  private weightFlag: tf.Scalar | undefined;
  private failure: unknown;
  private ended = false;
  private forgetDevice = (): void => {};
  /** What was gathered, once nothing more is added: the device is free then. */
  private rest: Promise<Factors | undefined> | undefined;

  /** Throws a `LaplaceError` when model, loss and estimator don't fit; nothing is patched then. */
  constructor(
    model: LayersModel,
    private readonly options: RunOptions,
    private readonly announced: number,
  ) {
    const { likelihood, curvature } = options;
    const checked = observable(model, likelihood, curvature);
    if (E.isLeft(checked)) throw checked.left;
    this.network = checked.right.network;
    this.scale = checked.right.scale;
    this.accumulator = createAccumulator(this.network, curvature);
    // Training would wait for ever for what it reads from a lost device: nobody else would tell.
    this.forgetDevice = onDeviceLost((error) => {
      if (this.failure === undefined) this.fail(error);
    });
    patchTraining(
      model,
      (minimize) => this.wrap(minimize),
      () => this.stop(),
    );
  }

  beginEpoch(epoch: number): void {
    this.epoch = epoch;
    this.index = 0;
    this.observing = this.failure === undefined && observes(this.options.observation, epoch, this.announced);
  }

  /** Waits for what the step started. */
  async endBatch(): Promise<void> {
    this.index += 1;
    if (!this.observing) return;
    await this.guarded(async () => {
      const flag = this.weightFlag;
      this.weightFlag = undefined;
      if (flag !== undefined) await checkWeights(this.network, flag);
      await this.accumulator.settle();
      this.observed += 1;
      this.options.onProgress?.({ phase: 'observe', done: this.observed, unit: 'batches', detail: `epoch ${this.epoch + 1}` });
    });
  }

  async endEpoch(): Promise<void> {
    if (!this.observing || this.accumulator.count() === 0) return;
    await this.guarded(async () => {
      const epoch = await this.accumulator.factors();
      this.window = append(this.options.observation, this.window, epoch, this.network.model.stopTraining);
      this.accumulator.reset();
    });
  }

  /** The regular end of training. */
  async end(): Promise<void> {
    if (this.failure !== undefined) return;
    await this.guarded(async () => {
      const factors = standingFor(await this.accumulator.weights(), total(this.window));
      this.batches$.complete();
      if (factors === undefined) throw nothingObserved(this.announced);
      this.rest = Promise.resolve(factors);
      this.ended = true;
      this.forgetDevice();
      this.factors$.next(factors);
      this.factors$.complete();
    });
  }

  /** What goes wrong with the observation (bad data, say) ends it with an error, and leaves training alone. */
  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Factors of the sound batches so far; after the end or a failure those of the whole run. */
  async gathered(): Promise<Factors | undefined> {
    return this.rest ?? this.sumSoFar();
  }

  private async sumSoFar(): Promise<Factors | undefined> {
    const past = total(this.window);
    if (this.accumulator.count() === 0) return past;
    const present = await this.accumulator.factors();
    return past === undefined ? present : E.getOrElse<LaplaceError, Factors>(() => present)(mergeEpochs(past, present));
  }

  private wrap(minimize: Minimize): Minimize {
    return ((...args: Parameters<Minimize>) => {
      if (!this.observing) return minimize(...args);
      const taps = installTaps(this.network, this.scale !== undefined);
      try {
        let cost: ReturnType<Minimize>;
        try {
          cost = minimize(...args);
        } finally {
          taps.remove();
        }
        this.emit(taps.captured);
        return cost;
      } finally {
        taps.dispose();
      }
    }) as Minimize;
  }

  private emit(captured: Captured): void {
    const { network, epoch, index } = this;
    try {
      if (captured.failure !== undefined) throw captured.failure;
      tf.tidy(() => {
        this.weightFlag = tf.keep(soundlyWeighted(network, captured));
        const tensors = batchOf(network, captured, this.scale);
        const { batch, expire } = transientBatch(network, { epoch, index }, tensors);
        this.accumulator.add(batch);
        this.batches$.next(batch);
        expire();
      });
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(reason: unknown): void {
    this.forgetDevice();
    const error = deviceError(reason);
    this.failure = error;
    this.observing = false;
    this.weightFlag?.dispose();
    this.weightFlag = undefined;
    this.keep(this.sumSoFar().finally(() => this.accumulator.reset()));
    this.batches$.error(error);
    this.factors$.error(error);
  }

  /** After everything was put back: at the end of training, or after an error that nobody told us about. */
  private stop(): void {
    if (!this.ended && this.failure === undefined) {
      const what = 'Training ended with an error before its factors were complete';
      this.fail(laplaceError('NotReady', { what, remedy: 'See the error of fit; gathered() has the factors up to then.' }));
    }
    this.observing = false;
    if (this.failure === undefined) return;
    // What was gathered before a failure stands for the weights at the end too: training may have gone on since.
    this.keep(Promise.all([this.accumulator.weights(), this.rest]).then(([weights, sum]) => standingFor(weights, sum)));
  }

  /** Whoever asks for what was gathered hears when that failed; nobody has to ask. */
  private keep(rest: Promise<Factors | undefined>): void {
    this.rest = rest;
    rest.catch(() => {});
  }
}

/** Sums that were taken while the weights moved, as factors at these weights. */
const standingFor = (weights: Weights, sum: Factors | undefined): Factors | undefined =>
  sum === undefined ? undefined : { ...sum, fingerprint: weights.fingerprint, weights: weights.blocks };

const nothingObserved = (announced: number): LaplaceError =>
  laplaceError('Empty', {
    what: 'No training batch was observed',
    field: 'observe',
    found: `training of ${announced} epochs without an observed one`,
    expected: 'at least one observed epoch',
    remedy: 'Use finalEpochs(k) or everyEpoch(), or a predicate that is true for an epoch that runs.',
  });
