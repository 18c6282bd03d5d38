/**
 * A tfjs training callback that chooses prior precisions and noise variance by the evidence while training goes on: online empirical
 * Bayes (Immer et al. 2021, "Scalable marginal likelihood estimation for model selection in deep learning", algorithm 1).
 *
 * Unlike `laplaceCallback` it takes part in training: the prior is a weight decay of the covered layers, and in the end the model has
 * the weights with the best evidence.
 */
import type { Logs } from '@tensorflow/tfjs-layers';
import { type Observable, ReplaySubject, switchMap, take, throwError } from 'rxjs';
import type { Posterior } from 'tfjs-laplace';
import { type EvidenceCallbackOptions, evidenceOptionsOf } from './evidenceOptions.js';
import { type EpochEvidence, EvidenceRun, type EvidenceRunOptions } from './evidenceRun.js';
import { type Given, OneTraining } from './oneTraining.js';

/** What a training run emits, or the error that kept it from starting. */
interface Streams {
  readonly evidence$: Observable<EpochEvidence>;
  readonly posterior$: Observable<Posterior>;
}

/** A callback for `fit` and `fitDataset`, made by `evidenceCallback`. */
export class EvidenceCallback extends OneTraining {
  private readonly runs = new ReplaySubject<Streams>(1);
  private run: EvidenceRun | undefined;

  /**
   * The evidence after every evaluated epoch of the present run, or of the next run if none has begun. Late subscribers get all of
   * them. Completes when training ends. Fails with the first `LaplaceError`; training goes on with the estimates that it has.
   */
  readonly evidence$: Observable<EpochEvidence> = this.runs.pipe(
    take(1),
    switchMap((run) => run.evidence$),
  );

  /**
   * The posterior of the best epoch, once training has ended: under the prior and noise variance that were found, at the weights that
   * the model then has. Late subscribers get it too. Fails as `evidence$` does.
   */
  readonly posterior$: Observable<Posterior> = this.runs.pipe(
    take(1),
    switchMap((run) => run.posterior$),
  );

  private readonly options: EvidenceRunOptions;

  /** @throws LaplaceError `InvalidOption` for options that no model suits. */
  constructor(options: EvidenceCallbackOptions) {
    super();
    this.options = evidenceOptionsOf(options);
  }

  override async onTrainBegin(): Promise<void> {
    const { model, params } = this.given as Given;
    this.run = undefined;
    const { epochs, samples } = params as { readonly epochs: number; readonly samples?: number | null };
    try {
      this.run = new EvidenceRun(model, this.options, { epochs, samples: samples ?? undefined });
      this.runs.next(this.run);
    } catch (error) {
      const refused = throwError(() => error);
      this.runs.next({ evidence$: refused, posterior$: refused });
      throw error;
    }
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    this.run?.beginEpoch(epoch);
  }

  override async onBatchEnd(): Promise<void> {
    await this.run?.endBatch();
  }

  override async onEpochEnd(epoch: number, logs: Logs = {}): Promise<void> {
    await this.run?.endEpoch(epoch, logs);
  }

  override async onTrainEnd(): Promise<void> {
    await this.run?.end();
  }
}

/**
 * Makes a training callback that chooses prior precision and noise variance by the evidence, and keeps the weights with the best one.
 *
 * After each evaluated epoch the epoch's batches make a posterior. Its evidence is maximised over τ, and over σ² of a Gaussian
 * likelihood (`maximiseEvidence`). Training goes on with these: the loss gets the term τ / (2 s N) ‖W‖² for the covered layers,
 * as with a `kernelRegularizer`, and the reported loss contains it. So leave regularizers of your own out.
 *
 * laplace-torch's `marglik_training` takes ten steps of Adam (rate 0.1) in log τ and log σ after each epoch; here the maximum is exact,
 * so there are no steps to choose. Led to the maximum, it goes the same way to the same weights, τ and σ² (tested on one batch for each
 * epoch). With its own ten steps its evidence is up to 1.19 nats lower after the first epoch of these tests, and after ten epochs the two
 * are within 0.04 nats of each other. README lists what else differs.
 *
 * The evidence of an epoch is taken at its moving weights, with dropout as in training for the empirical Fisher matrix. `history` of
 * `fit` has it as `logMarginalLikelihood`, one number for each evaluated epoch. Models with other architectures can be compared by
 * the last evidence of `evidence$` that is best: it is log p(D | model), in nats. They must be observed on the same data, under the
 * same kind of curvature, with all weights covered.
 *
 * @throws LaplaceError `InvalidOption` for an option that does not exist or is out of range. `fit` rejects with `LossMismatch` for a
 *   loss of your own, and with `InvalidOption` for `fitDataset` without `datasetSize`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { lastValueFrom, toArray } from 'rxjs';
 * import { gaussian } from 'tfjs-laplace';
 * import { evidenceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
 * const [x, y] = [tf.randomNormal([40, 2]), tf.randomNormal([40, 1])];
 * const evidence = evidenceCallback({ likelihood: gaussian(), every: 5, burnIn: 10, patience: 3 });
 * await model.fit(x, y, { epochs: 20, verbose: 0, callbacks: evidence });
 * const epochs = await lastValueFrom(evidence.evidence$.pipe(toArray()));
 * epochs.map(({ epoch }) => epoch); // => [14, 19]
 * const posterior = await lastValueFrom(evidence.posterior$); // for predict(model, posterior)
 * posterior.datasetSize; // => 40
 * ```
 */
export const evidenceCallback = (options: EvidenceCallbackOptions): EvidenceCallback => new EvidenceCallback(options);
