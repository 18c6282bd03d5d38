/** What a prediction is: plain host numbers, row b belonging to example b. Entropies are in nats. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Likelihood, Outcome, PerOutput, Predicts } from '../likelihood/index.js';

/** B rows of numbers. */
export type Rows = ReadonlyArray<Float32Array>;

/** What averages of samples say of themselves; closed forms have none of it. */
export interface Sampled {
  /** How many samples were averaged. */
  readonly samples?: number;
  /**
   * Standard error of each mean prediction, shaped as `probabilities` or `mean`: how far the average of these samples may be from that
   * of infinitely many. Absent while the samples are too few to tell.
   */
  readonly standardError?: Rows;
}

/** Predictive distribution of a classifier. For independent labels (Bernoulli) entropies are summed over the labels. */
export interface Classification extends Sampled {
  readonly _tag: 'classification';
  /** Mean probabilities [B][C]. */
  readonly probabilities: Rows;
  /** Standard deviation of each class's (or label's) probability under the posterior, [B][C]: how far the mean can be trusted. */
  readonly standardDeviations: Rows;
  /** Predictive (total) entropy H[E p]: the uncertainty of the prediction. [B] */
  readonly entropy: Float32Array;
  /** Expected (aleatoric) entropy E[H p]. [B] */
  readonly expectedEntropy: Float32Array;
  /** Mutual information (epistemic): entropy − expectedEntropy, never below 0. [B] */
  readonly mutualInformation: Float32Array;
}

/**
 * Predictive distribution of a regression: mean and variance of every label y, the variance in its two parts (law of total variance).
 * T is the number of labels: C, or C/2 for heteroscedastic.
 */
export interface Regression extends Sampled {
  readonly _tag: 'regression';
  /** What labels can be: numbers, or the counts 0, 1, 2, … of poisson. Intervals are read off by it. */
  readonly support: 'real' | 'counts';
  /** E[y] = E[E[y | f]]: for poisson the mean rate. [B][T] */
  readonly mean: Rows;
  /** Var[E[y | f]]: of the mean function, or the rate, under the posterior. [B][T] */
  readonly epistemicVariance: Rows;
  /** E[Var[y | f]]: σ² of gaussian, the mean of the predicted σ² of heteroscedastic, the mean rate of poisson. [B][T] */
  readonly noiseVariance: Rows;
  /** Var[y], their sum. [B][T] */
  readonly totalVariance: Rows;
}

/** What is predicted of one output. Under `perStep` row b·S + s belongs to step s of example b. */
export type OutputPrediction = Classification | Regression;

/**
 * A prediction for each output of a model with several, by its name and in the model's order: what each output is by itself. How they
 * vary together under the posterior is in `outputDistribution`.
 */
export interface Several<P extends Readonly<Record<string, OutputPrediction>> = Readonly<Record<string, OutputPrediction>>> {
  readonly _tag: 'several';
  readonly outputs: P;
}

/** The prediction for one batch: of one output, or under `perOutput` of several. */
export type Prediction = OutputPrediction | Several;

/** What a likelihood predicts. */
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
  /** Draws so far, and the most there can be. */
  readonly samples: number;
  readonly most: number;
  /** The largest standard error of a mean prediction of the batch; infinite while it can't be told. */
  readonly standardError: () => number;
  /** Whether this is the batch's last. */
  readonly done: boolean;
  /**
   * The prediction from the draws so far; none while a variance of a regression can't be told. Both are to be asked for before the next
   * state is.
   */
  readonly report: (() => Promise<Prediction>) | undefined;
}

/**
 * Predicts batches draw by draw. Leaving the loop over a batch's states frees what they hold; `index` is the batch's number, which
 * activation sampling draws by.
 */
export interface RunningPredictor {
  readonly run: (x: ReadonlyArray<tf.Tensor>, index: number) => AsyncGenerator<Running, void>;
  readonly dispose: () => void;
}

/** Predicts batches of one network under one posterior. */
export interface Predictor {
  /** Prediction for one batch; `index` is the batch's number, which activation sampling draws by. */
  readonly predict: (x: ReadonlyArray<tf.Tensor>, index: number) => Promise<Prediction>;
  readonly dispose: () => void;
}
