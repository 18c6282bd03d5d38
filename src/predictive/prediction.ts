/** The types of predictions. A prediction is plain numbers on the host, and row b belongs to example b. Entropies are in nats. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Likelihood, Outcome, PerOutput, Predicts } from '../likelihood/index.js';

/** B rows of numbers. */
export type Rows = ReadonlyArray<Float32Array>;

/** What a prediction tells about its samples. All fields are absent if the prediction was a closed form. */
export interface Sampled {
  /** How many samples were averaged. */
  readonly samples?: number;
  /**
   * The standard error of each mean prediction, shaped as `probabilities` or `mean`. It tells how far the average of these
   * samples may be from the average of infinitely many samples. Absent if the samples are too few to tell.
   */
  readonly standardError?: Rows;
}

/** The predictive distribution of a classifier. For independent labels (Bernoulli) entropies are summed over the labels. */
export interface Classification extends Sampled {
  readonly _tag: 'classification';
  /** Mean probabilities [B][C]. */
  readonly probabilities: Rows;
  /**
   * The standard deviation under the posterior of each class's (or label's) probability, [B][C]: it tells how far to trust the
   * mean.
   */
  readonly standardDeviations: Rows;
  /** The predictive (total) entropy H[E p], [B]: the uncertainty of the prediction. */
  readonly entropy: Float32Array;
  /** The expected (aleatoric) entropy E[H p], [B]. */
  readonly expectedEntropy: Float32Array;
  /** The (epistemic) mutual information entropy − expectedEntropy, [B], never below 0. */
  readonly mutualInformation: Float32Array;
}

/**
 * The predictive distribution of a regression: the mean and variance of every label y. The variance is also given in its two
 * parts (law of total variance). T is the number of labels: C, or C/2 for heteroscedastic.
 */
export interface Regression extends Sampled {
  readonly _tag: 'regression';
  /** Which values labels can take: real numbers, or the counts 0, 1, 2, … of poisson. Credible intervals depend on it. */
  readonly support: 'real' | 'counts';
  /** E[y] = E[E[y | f]], [B][T]; for poisson the mean rate. */
  readonly mean: Rows;
  /** Var[E[y | f]], [B][T]: the variance under the posterior of the mean function, or of the rate. */
  readonly epistemicVariance: Rows;
  /** E[Var[y | f]], [B][T]: σ² for gaussian, the mean of the predicted σ² for heteroscedastic, the mean rate for poisson. */
  readonly noiseVariance: Rows;
  /** Var[y] = epistemicVariance + noiseVariance, [B][T]. */
  readonly totalVariance: Rows;
}

/** The prediction for one output. Under `perStep` with S steps, row b·S + s belongs to step s of example b. */
export type OutputPrediction = Classification | Regression;

/**
 * A prediction for each output of a model with several outputs, by the output's name and in the model's order. Each one describes
 * its output by itself. `outputDistribution` tells how the outputs vary together under the posterior.
 */
export interface Several<P extends Readonly<Record<string, OutputPrediction>> = Readonly<Record<string, OutputPrediction>>> {
  readonly _tag: 'several';
  readonly outputs: P;
}

/** The prediction for one batch: for one output, or under `perOutput` for several. */
export type Prediction = OutputPrediction | Several;

/** The type of prediction that a likelihood gives. */
export type PredictionOf<L extends Likelihood> = L extends PerOutput
  ? Several<{ readonly [K in keyof L['outputs']]: PredictionOfOutput<L['outputs'][K]> }>
  : PredictionOfOutput<L>;

type PredictionOfOutput<L> = ReportOf[Predicts<L>];

/** The form in which each outcome is reported. */
interface ReportOf extends Readonly<Record<Outcome, OutputPrediction>> {
  readonly classes: Classification;
  readonly labels: Classification;
  readonly numbers: Regression;
  readonly counts: Regression;
}

/** Cuts a flat [B, C] array into rows that share its memory. */
export const rowsOf = (data: Float32Array, C: number): Rows =>
  Array.from({ length: data.length / C }, (_, b) => data.subarray(b * C, (b + 1) * C));

/** The state of one batch's prediction after a draw. */
export interface Running {
  /** The number of draws so far. */
  readonly samples: number;
  /** The largest number of draws that this batch may take. */
  readonly most: number;
  /** The largest standard error of the batch's mean predictions; infinite while the draws are too few to tell. */
  readonly standardError: () => number;
  /** Whether this is the batch's last state. */
  readonly done: boolean;
  /**
   * The prediction from the draws so far; undefined while the draws are too few for the variance of a regression. Call this and
   * `standardError` before you ask for the next state.
   */
  readonly report: (() => Promise<Prediction>) | undefined;
}

/**
 * Predicts batches draw by draw. When the loop over a batch's states ends or is left, its memory is freed. `index` is the batch's
 * number, on which the noise of activation sampling depends.
 */
export interface RunningPredictor {
  readonly run: (x: ReadonlyArray<tf.Tensor>, index: number) => AsyncGenerator<Running, void>;
  readonly dispose: () => void;
}

/** Predicts batches of one network under one posterior. */
export interface Predictor {
  /** The prediction for one batch. `index` is the batch's number, on which the noise of activation sampling depends. */
  readonly predict: (x: ReadonlyArray<tf.Tensor>, index: number) => Promise<Prediction>;
  readonly dispose: () => void;
}
