/** What a baseline is: a way to predict, and what it costs. */
import type { EvaluatedRegression, InputSource, Prediction } from 'tfjs-laplace';
import { isRecord, refined } from 'tfjs-laplace/extend';

/** The prediction of a baseline for one batch: that of `predict`, or the part of it that the baseline knows. */
export type BaselinePrediction =
  | Prediction
  | EvaluatedRegression
  | {
      readonly _tag: 'classification';
      /** [B][C], or [B][1]: the probability of class 1. */
      readonly probabilities: ReadonlyArray<ArrayLike<number>>;
      /** The predictive entropy [B], in nats. */
      readonly entropy: ArrayLike<number>;
    };

/** A way to predict. It is a plain value: nothing happens before `prepare`, and every `prepare` begins anew. */
export interface Baseline {
  /** The name in tables. */
  readonly name: string;
  /** How many trainings the method takes, those included that were done before. */
  readonly trainings: number;
  /** Does what has to be done once: trains members, or fits a temperature. The caller disposes what it gets. */
  readonly prepare: () => Promise<PreparedBaseline>;
}

/** A baseline that is ready to predict. */
export interface PreparedBaseline {
  /**
   * Predicts batches, in their order. A batch that is a function may be called several times. Rejects with the errors of `predict`.
   */
  readonly predict: (inputs: ReadonlyArray<InputSource>) => Promise<ReadonlyArray<BaselinePrediction>>;
  /** Frees what `prepare` has made. Models that were given are left as they are. */
  readonly dispose: () => void;
}

/** Decodes a baseline: it is taken as it is. */
export const BaselineValue = refined(
  'a baseline { name, trainings, prepare }, as trainedNetwork(…) makes one',
  (value): value is Baseline =>
    isRecord(value) &&
    typeof value.name === 'string' &&
    typeof value.trainings === 'number' &&
    typeof value.prepare === 'function',
);

/** Decodes batches of inputs. What a batch may be is decided where it is read. */
export const Batches = refined(
  'a list of batches of inputs, as inputBatches(…) makes them',
  (value): value is ReadonlyArray<InputSource> => Array.isArray(value) && value.length > 0,
);
