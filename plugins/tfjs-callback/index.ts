/**
 * A tfjs training callback that observes real training batches and folds them into Kronecker factors while training goes on.
 *
 * `empirical` curvature is a by-product of the training step: its rows are the gradients that the step computes anyway, at the
 * weights before the update, with dropout as training sees it. Where those are not the gradients of single examples (batch
 * normalisation in or above a covered layer couples them) or not within reach (dropout inside a recurrent layer), it takes a pass of
 * its own over each observed batch, in inference mode, at the weights right after the update, as the other estimators always do.
 *
 * Examples count as often as their class weight says. Of several outputs each is weighted by the class weights of its own likelihood, which
 * must be those of `fit`. tfjs trains on the plain sum of their losses: where these are the NLLs by different factors, no gradient of
 * the step is one of the sum of the NLLs, and there is a pass of its own as well.
 *
 * Training runs as it would without the callback: the same weights to the last bit for the same seed.
 */
import { Callback } from '@tensorflow/tfjs-layers';
import { type Observable, ReplaySubject, switchMap, take, throwError } from 'rxjs';
import {
  type Curvature,
  type Factors,
  finalEpochs,
  kfac,
  type Likelihood,
  type Observation,
  type ObservedBatch,
  type OnProgress,
} from 'tfjs-laplace';
import { TrainingRun } from './run.js';

/** Options of `laplaceCallback`; a recipe serves as well. */
export interface LaplaceCallbackOptions {
  /** What the model's outputs mean; must fit the compiled loss. */
  readonly likelihood: Likelihood;
  /** Default `kfac({ fisher: 'empirical' })`, the cheapest. */
  readonly curvature?: Curvature;
  /** Which epochs count. Default `finalEpochs(1)`. */
  readonly observe?: Observation;
  /** The recipe's word for `observe`, which wins. */
  readonly observation?: Observation;
  /** Called after every observed batch. */
  readonly onProgress?: OnProgress;
}

/** What a training run gives, or the error that kept it from starting. */
interface Streams {
  readonly batches$: Observable<ObservedBatch>;
  readonly factors$: Observable<Factors>;
}

/**
 * A callback for `fit` and `fitDataset`, made by `laplaceCallback`. tfjs wants either instances of `tf.Callback` or plain objects
 * in one list: wrap plain ones in `new tf.CustomCallback({ … })`.
 */
export class LaplaceCallback extends Callback {
  private readonly runs = new ReplaySubject<Streams>(1);
  private run: TrainingRun | undefined;

  /**
   * Every observed batch of the present run (or the next one), emitted inside its training step: its tensors live only while it
   * is emitted. Completes when training ends, fails with the first `LaplaceError`.
   */
  readonly batches$: Observable<ObservedBatch> = this.runs.pipe(
    take(1),
    switchMap((run) => run.batches$),
  );

  /**
   * The factors of the present run (or the next one), once training has ended: at the final weights as far as the mean is
   * concerned, gathered at the moving weights of the observed epochs. Late subscribers get them too. Fails with a `LaplaceError`
   * when nothing was observed, the data were bad or training failed; `gathered` has what there was.
   */
  readonly factors$: Observable<Factors> = this.runs.pipe(
    take(1),
    switchMap((run) => run.factors$),
  );

  constructor(private readonly options: LaplaceCallbackOptions) {
    super();
  }

  /** The factors of all sound batches so far: during training, and after a failure. */
  async gathered(): Promise<Factors | undefined> {
    return this.run?.gathered();
  }

  override async onTrainBegin(): Promise<void> {
    const { likelihood, curvature = kfac({ fisher: 'empirical' }), onProgress } = this.options;
    const observation = this.options.observe ?? this.options.observation ?? finalEpochs(1);
    this.run = undefined;
    try {
      this.run = new TrainingRun(this.model, { likelihood, curvature, observation, onProgress }, this.params.epochs as number);
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
 * Makes a training callback that gathers curvature.
 *
 * Before training starts it checks that the model has layers to cover, that it is compiled, and that its loss is the likelihood's;
 * otherwise `fit` rejects with a `LaplaceError`. Bad data in a batch end the observation, not the training.
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
 *   observe: finalEpochs(1),
 * });
 * const [x, y] = [tf.tensor2d([[1, 2], [3, 4], [5, 6]]), tf.tensor2d([[1], [2], [3]])];
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: curvature });
 * const posterior = await lastValueFrom(curvature.factors$.pipe(toPosterior({ priorPrecision: 1 })));
 * posterior.datasetSize; // => 3
 * ```
 */
export const laplaceCallback = (options: LaplaceCallbackOptions): LaplaceCallback => new LaplaceCallback(options);
