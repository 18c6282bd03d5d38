/** What a prediction is: plain host numbers, row b belonging to example b. Entropies are in nats. */
/** B rows of numbers. */
export type Rows = ReadonlyArray<Float32Array>;

/** Predictive distribution of a classifier. For independent labels (Bernoulli) entropies are summed over the labels. */
export interface Classification {
  readonly _tag: 'classification';
  /** Mean probabilities [B][C]. */
  readonly probabilities: Rows;
  /** Predictive (total) entropy H[E p]: the uncertainty of the prediction. [B] */
  readonly entropy: Float32Array;
  /** Expected (aleatoric) entropy E[H p]. [B] */
  readonly expectedEntropy: Float32Array;
  /** Mutual information (epistemic): entropy − expectedEntropy, never below 0. [B] */
  readonly mutualInformation: Float32Array;
}

/** Predictive distribution of a regression. Variances are of one output each. */
export interface Regression {
  readonly _tag: 'regression';
  /** [B][C] */
  readonly mean: Rows;
  /** Variance of the mean function under the posterior. [B][C] */
  readonly epistemicVariance: Rows;
  /** σ² of the likelihood. [B][C] */
  readonly noiseVariance: Rows;
  /** Their sum. [B][C] */
  readonly totalVariance: Rows;
}

/** The prediction for one batch. */
export type Prediction = Classification | Regression;

/** Cuts a flat [B, C] array into rows that share its memory. */
export const rowsOf = (data: Float32Array, C: number): Rows =>
  Array.from({ length: data.length / C }, (_, b) => data.subarray(b * C, (b + 1) * C));
