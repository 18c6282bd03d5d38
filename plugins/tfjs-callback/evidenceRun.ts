/**
 * One training run under empirical Bayes (Immer et al. 2021, algorithm 1), from `onTrainBegin` to its end. After each evaluated epoch it
 * makes a posterior of the epoch's factors, maximises its evidence over prior precisions and noise variance, and hands them to the
 * training loss as weight decay. The weights with the best evidence are kept.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, Logs } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { lastValueFrom, of, ReplaySubject } from 'rxjs';
import {
  type Curvature,
  type Damping,
  type EvidenceMaximum,
  epochsWhere,
  type Factors,
  type Likelihood,
  maximiseEvidence,
  type OnProgress,
  orThrow,
  type Posterior,
  toPosterior,
} from 'tfjs-laplace';
import { deviceError, laplaceError, matchLoss, noiseVarianceOf, readNetwork } from 'tfjs-laplace/extend';
import { decayed, type Penalty } from './decay.js';
import { patchTraining } from './patch.js';
import { TrainingRun } from './run.js';

/** The options of a run. */
export interface EvidenceRunOptions {
  readonly likelihood: Likelihood;
  readonly curvature: Curvature;
  readonly damping: Damping;
  readonly per: 'all' | 'layer';
  readonly noise: 'fixed' | 'estimated';
  readonly priorPrecision: number;
  readonly every: number;
  readonly burnIn: number;
  readonly patience?: number | undefined;
  readonly datasetSize?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The evidence of one epoch at its own best hyperparameters, in nats, and these. */
export interface EpochEvidence extends Omit<EvidenceMaximum, 'posterior' | 'iterations'> {
  /** The epoch's number, from 0. */
  readonly epoch: number;
  /** Whether the evidence is higher than after every epoch before. */
  readonly isBest: boolean;
}

/** The best epoch so far. */
interface Kept {
  readonly maximum: EvidenceMaximum;
  /** All weights of the model after the epoch. */
  readonly weights: ReadonlyArray<tf.Tensor>;
}

/** What is known of a training when it begins. */
interface Announced {
  /** The number of the epoch at which training ends, if nothing stops it early. */
  readonly epochs: number;
  /** The number of examples in `fit`. `fitDataset` knows none. */
  readonly samples: number | undefined;
}

/** One training run under empirical Bayes. */
export class EvidenceRun {
  readonly evidence$ = new ReplaySubject<EpochEvidence>();
  readonly posterior$ = new ReplaySubject<Posterior>(1);

  private readonly run: TrainingRun;
  /** s B at the likelihood's own noise variance: what the loss is multiplied with to be the NLL of the data set. */
  private readonly scale: number;
  private penalties: ReadonlyArray<Penalty>;
  private datasetSize: number | undefined;
  private kept: Kept | undefined;
  /** The evaluations since the best one. */
  private since = 0;
  private state: 'training' | 'ended' | 'failed' = 'training';

  /** @throws LaplaceError When model, loss and estimator do not fit, or nobody knows the size of the data. Nothing is patched then. */
  constructor(
    private readonly model: LayersModel,
    private readonly options: EvidenceRunOptions,
    { epochs, samples }: Announced,
  ) {
    const { every, burnIn, likelihood, curvature, onProgress, priorPrecision } = options;
    this.datasetSize = options.datasetSize;
    const examples = options.datasetSize ?? samples;
    if (examples === undefined) throw unknownSize();
    const evaluates = (epoch: number): boolean => epoch >= burnIn && ((epoch - burnIn + 1) % every === 0 || epoch === epochs - 1);
    const selection = epochsWhere(evaluates);
    const match = orThrow(F.pipe(readNetwork(model, likelihood), E.chain(matchLoss)));
    if (match._tag !== 'known') throw ownLoss(model);
    this.scale = match.scale * examples;
    this.run = new TrainingRun(
      model,
      { likelihood, curvature, epochs: selection, onProgress },
      { announced: epochs, mayStop: true },
    );
    const { blocks } = this.run.training.network;
    this.penalties = blocks.map((block) => ({ block, factor: priorPrecision / this.scale }));
    this.run.factors$.subscribe({ error: (error) => this.fail(error) });
    patchTraining(
      model,
      decayed(() => this.penalties),
      () => this.forget(),
    );
  }

  beginEpoch(epoch: number): void {
    this.run.beginEpoch(epoch);
  }

  endBatch(): Promise<void> {
    return this.run.endBatch();
  }

  async endEpoch(epoch: number, logs: Logs): Promise<void> {
    const factors = await this.run.endEpoch();
    if (factors === undefined || this.state !== 'training') return;
    try {
      const maximum = await this.maximised(factors);
      this.penalties = this.penaltiesOf(maximum);
      this.report(epoch, maximum, logs);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the run regularly: gives the model its best weights. */
  async end(): Promise<void> {
    if (this.kept === undefined) this.fail(nothingEvaluated(this.options));
    await this.run.end();
    if (this.state !== 'training' || this.kept === undefined) return;
    this.model.setWeights([...this.kept.weights]);
    this.state = 'ended';
    this.evidence$.complete();
    this.posterior$.next(this.kept.maximum.posterior);
    this.posterior$.complete();
    this.forget();
  }

  private async maximised(factors: Factors): Promise<EvidenceMaximum> {
    const { damping, per, noise, priorPrecision } = this.options;
    // An epoch that was cut short stands for the whole data set too: evidences of different N cannot be compared.
    this.datasetSize ??= factors.datasetSize;
    const stream = of(factors).pipe(toPosterior({ priorPrecision, damping, datasetSize: this.datasetSize }));
    return orThrow(maximiseEvidence(await lastValueFrom(stream), { per, noise }));
  }

  /** What the maximum says about the weights of each block. A noisier likelihood weighs the loss less. */
  private penaltiesOf({ posterior }: EvidenceMaximum): ReadonlyArray<Penalty> {
    const kappa = firstOf(posterior.likelihood) / firstOf(this.options.likelihood);
    return this.run.training.network.blocks.flatMap((block) => {
      const layer = posterior.layers.find(({ members }) => members.includes(block.name));
      return layer === undefined ? [] : [{ block, factor: (layer.priorPrecision * kappa) / this.scale }];
    });
  }

  private report(epoch: number, maximum: EvidenceMaximum, logs: Logs): void {
    const { posterior: _, iterations: __, ...found } = maximum;
    const { logMarginalLikelihood } = maximum.evidence;
    const isBest = this.kept === undefined || logMarginalLikelihood > this.kept.maximum.evidence.logMarginalLikelihood;
    if (isBest) {
      this.forget();
      this.kept = { maximum, weights: tf.tidy(() => this.model.getWeights().map((w) => tf.keep(tf.clone(w)))) };
    }
    this.since = isBest ? 0 : this.since + 1;
    if (this.since >= (this.options.patience ?? Number.POSITIVE_INFINITY)) this.model.stopTraining = true;
    logs.logMarginalLikelihood = logMarginalLikelihood;
    this.evidence$.next(Object.freeze({ ...found, epoch, isBest }));
  }

  private fail(reason: unknown): void {
    if (this.state !== 'training') return;
    this.state = 'failed';
    const error = deviceError(reason);
    this.evidence$.error(error);
    this.posterior$.error(error);
    this.forget();
  }

  /** Frees the weights that were kept. */
  private forget(): void {
    tf.dispose([...(this.kept?.weights ?? [])]);
    this.kept = undefined;
  }
}

/** The noise variance of the first output: all of them change by the same factor. 1 for likelihoods without one. */
function firstOf(likelihood: Likelihood): number {
  const variance = noiseVarianceOf(likelihood) ?? 1;
  return typeof variance === 'number' ? variance : (variance[0] as number);
}

const nothingEvaluated = ({ burnIn }: EvidenceRunOptions) =>
  laplaceError('Empty', {
    what: 'Training ended before the first evaluated epoch',
    field: 'burnIn',
    found: `a burn-in of ${burnIn} epochs`,
    expected: 'training that lasts longer',
    remedy: 'Train for more epochs, or give evidenceCallback a smaller burnIn.',
  });

const unknownSize = () =>
  laplaceError('InvalidOption', {
    what: 'Nobody knows how many examples the data set has',
    field: 'datasetSize',
    found: 'fitDataset, which does not say',
    expected: 'the option datasetSize',
    remedy: 'Give evidenceCallback the number of training examples: the prior counts once for all of them.',
  });

const ownLoss = (model: LayersModel) =>
  laplaceError('LossMismatch', {
    what: `The loss of model '${model.name}' does not say by which factor the prior enters it`,
    field: 'loss',
    found: 'a function of your own, or losses of several outputs that are their likelihoods times different factors',
    expected: 'a loss of tfjs that is the negative log-likelihood up to one factor',
    remedy: 'Compile the model with a loss by its name, such as meanSquaredError for gaussian().',
  });
