/**
 * A tfjs training callback that observes the real training batches and folds them into Kronecker factors while training goes on.
 *
 * `empirical` curvature is a by-product of the training step. Its rows are the gradients that the step computes anyway, at the
 * weights before the update, with dropout as in training. If batch normalisation in or above a covered layer couples the
 * examples, these are not the gradients of single examples. With dropout inside a recurrent layer they are out of reach. In both
 * cases each observed batch gets a pass of its own instead, in inference mode, at the weights right after the update. The other
 * estimators always work that way.
 *
 * Each example counts as often as its class weight says. With several outputs, the class weights of each output's likelihood must
 * equal the class weights of `fit`. tfjs trains on the plain sum of the outputs' losses. If these losses are the NLLs times
 * different factors, the step's gradients are not the gradients of the summed NLL. Then each batch gets a pass of its own as
 * well.
 *
 * Training runs as it would without the callback: the same weights to the last bit for the same seed.
 */
import type { Callback } from '@tensorflow/tfjs-layers';
import { type Observable, ReplaySubject, switchMap, take, throwError } from 'rxjs';
import type { Factors, ObservedBatch } from 'tfjs-laplace';
import { watchEarlyStopping } from './earlyStopping.js';
import { type Given, OneTraining } from './oneTraining.js';
import { type LaplaceCallbackOptions, runOptionsOf } from './options.js';
import { resumed } from './resume.js';
import { type RunOptions, TrainingRun } from './run.js';

export { EvidenceCallback, evidenceCallback } from './evidenceCallback.js';
export type { EvidenceCallbackOptions } from './evidenceOptions.js';
export type { EpochEvidence } from './evidenceRun.js';
export type { LaplaceCallbackOptions } from './options.js';

/** What a training run emits, or the error that kept it from starting. */
interface Streams {
  readonly batches$: Observable<ObservedBatch>;
  readonly factors$: Observable<Factors>;
}

/**
 * A callback for `fit` and `fitDataset`, made by `laplaceCallback`. tfjs takes a list of instances of `tf.Callback` or a list of
 * plain objects, not both in one: wrap plain objects in `new tf.CustomCallback({ … })`.
 */
export class LaplaceCallback extends OneTraining {
  private readonly runs = new ReplaySubject<Streams>(1);
  private run: TrainingRun | undefined;
  /** For the parameters of each `fit`, the models for which an `EarlyStopping` callback stands beside this one. */
  private readonly stoppable = new WeakMap<object, ReadonlySet<unknown>>();

  /**
   * Every observed batch of the present run, or of the next run if none has begun. A batch is emitted inside its training step,
   * and its tensors live only while it is emitted. Completes when training ends, and fails with the first `LaplaceError` before
   * that.
   */
  readonly batches$: Observable<ObservedBatch> = this.runs.pipe(
    take(1),
    switchMap((run) => run.batches$),
  );

  /**
   * The factors of the present run, or of the next run if none has begun. They are emitted once training has ended, and late
   * subscribers get them too. Their mean is the final weights; their sums were taken at the moving weights of the observed
   * epochs. Fails with a `LaplaceError` when nothing was observed, training ended before the final epochs, the data were bad or
   * training failed. `gathered` then has the factors up to that point.
   *
   * Without a run it waits: await `fit` first, or bound the wait with the operator `timeout` of RxJS, as in
   * `factors$.pipe(timeout({ first: 60_000 }))`.
   *
   * N of the factors is the number of examples of an observed epoch. If `fitDataset` has `batchesPerEpoch`, an epoch is a part of the
   * data set: give the size of the whole to `toPosterior({ datasetSize })`.
   *
   * The weights are read when tfjs tells this callback that training ends. A callback that sets weights after that, to restore the
   * best ones for example, makes the factors stale: put this callback last in the list.
   */
  readonly factors$: Observable<Factors> = this.runs.pipe(
    take(1),
    switchMap((run) => run.factors$),
  );

  private readonly options: RunOptions;

  /** @throws LaplaceError `InvalidOption` for options that no model suits. */
  constructor(options: LaplaceCallbackOptions) {
    super();
    this.options = runOptionsOf(options);
  }

  /** The factors of all sound batches so far. Answers during training, after its end and after a failure. */
  async gathered(): Promise<Factors | undefined> {
    return this.run?.gathered();
  }

  /** tfjs calls this at the start of `fit`, right before it gives all callbacks the model. */
  override setParams(params: Parameters<Callback['setParams']>[0]): void {
    super.setParams(params);
    const stoppable = new Set<unknown>();
    this.stoppable.set(params, stoppable);
    watchEarlyStopping((model) => stoppable.add(model));
  }

  override async onTrainBegin(): Promise<void> {
    const { model, params } = this.given as Given;
    this.run = undefined;
    try {
      const mayStop = this.stoppable.get(params)?.has(model) === true;
      const kept = await resumed(this.options.checkpoint, model, Number(params.initialEpoch ?? 0));
      this.run = new TrainingRun(model, this.options, { announced: params.epochs as number, mayStop, kept });
      this.runs.next(this.run);
    } catch (error) {
      const refused = throwError(() => error);
      this.runs.next({ batches$: refused, factors$: refused });
      throw error;
    }
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    this.run?.beginEpoch(epoch);
  }

  override async onBatchEnd(): Promise<void> {
    await this.run?.endBatch();
  }

  override async onEpochEnd(): Promise<void> {
    await this.run?.endEpoch();
  }

  override async onTrainEnd(): Promise<void> {
    await this.run?.end();
  }
}

/**
 * Makes a training callback that gathers curvature. Put it last in the list of callbacks.
 *
 * By default the last epoch is observed, and the epochs before it cost nothing. With an `EarlyStopping` callback in the same `fit`
 * every epoch is observed, and the last one counts. `finalEpochs` says what happens if something else ends training early.
 *
 * Before training starts, the callback checks that the model is compiled, that it has layers to cover, and that its loss belongs
 * to the likelihood. Otherwise `fit` rejects with a `LaplaceError`. It does so too while the callback observes another training: make
 * a callback for each. Bad data in a batch end the observation, not the training. With `onNotFinite: 'skip'` a batch with NaN or infinity
 * is left out instead, unless the step has made the weights NaN: then nothing later could count.
 *
 * With `checkpoint` the sums of the epochs that count are kept after each of them. A later `fit` with `initialEpoch` goes on with them, on
 * the model as it was after the last epoch: its factors are those of a training that was never cut off. If it begins at another epoch, or
 * with other weights, it rejects with `Mismatch`.
 *
 * @throws LaplaceError `InvalidOption` for an option that does not exist or is out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { lastValueFrom } from 'rxjs';
 * import { finalEpochs, gaussian, kfac, toPosterior } from 'tfjs-laplace';
 * import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
 * const curvature = laplaceCallback({
 *   likelihood: gaussian({ noiseVariance: 0.5 }),
 *   curvature: kfac({ fisher: 'empirical' }),
 *   epochs: finalEpochs(1),
 * });
 * const [x, y] = [tf.tensor2d([[1, 2], [3, 4], [5, 6]]), tf.tensor2d([[1], [2], [3]])];
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: curvature });
 * const posterior = await lastValueFrom(curvature.factors$.pipe(toPosterior({ priorPrecision: 1 })));
 * posterior.datasetSize; // => 3
 * ```
 */
export const laplaceCallback = (options: LaplaceCallbackOptions): LaplaceCallback => new LaplaceCallback(options);
