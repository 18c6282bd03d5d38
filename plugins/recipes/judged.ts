/** Predictions beside their labels, output by output, in the form that metrics, calibrators and thresholds take. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  type BatchSource,
  type OnProgress,
  type OutputPrediction,
  type Posterior,
  type Prediction,
  type Predictive,
  predict,
  predictedClasses,
  type Regression,
} from 'tfjs-laplace';
import { inputsOfBatches, type Network, readLabels, type Truth } from 'tfjs-laplace/extend';

/** Probabilities and classes. Independent labels stand one below the other, as many rows of one number. */
export interface JudgedClasses {
  readonly _tag: 'classes';
  readonly name: string;
  /** [N][C], or [N][1]. */
  readonly probabilities: ReadonlyArray<ArrayLike<number>>;
  /** [N] */
  readonly labels: ReadonlyArray<number>;
}

/** Moments and targets. */
export interface JudgedNumbers {
  readonly _tag: 'numbers';
  readonly name: string;
  readonly prediction: Regression;
  /** [N][T] */
  readonly labels: ReadonlyArray<ArrayLike<number>>;
}

/** One output. Rows that do not count (padding) are left out. */
export type Judged = JudgedClasses | JudgedNumbers;

/** What predictions are made with. */
export interface Predicting {
  readonly model: LayersModel;
  readonly network: Network;
  readonly posterior: Posterior;
  readonly memoryBudget?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The predictions of batches for each output of the model. */
export async function predictions(
  { model, network, posterior, memoryBudget, onProgress }: Predicting,
  sources: ReadonlyArray<BatchSource>,
  predictive: Predictive,
): Promise<ReadonlyArray<ReadonlyArray<OutputPrediction>>> {
  const options = {
    total: sources.length,
    ...(memoryBudget !== undefined && { memoryBudget }),
    ...(onProgress !== undefined && { onProgress }),
  };
  const inputs = inputsOfBatches(network, sources);
  const found = await lastValueFrom(from(inputs).pipe(predict(model, posterior, predictive, options), toArray()));
  return network.heads.map(({ name }) => found.map((batch) => outputOf(batch, name)));
}

const outputOf = (prediction: Prediction, name: string): OutputPrediction =>
  prediction._tag === 'several' ? (prediction.outputs[name] as OutputPrediction) : prediction;

/** The labels of batches, for each output. */
export const labelsOf = ({ network }: Predicting, sources: ReadonlyArray<BatchSource>, what: string) =>
  readLabels(network, sources, what);

/** Predictions and labels of each output, side by side. */
export const judged = (
  { network }: Predicting,
  predicted: ReadonlyArray<ReadonlyArray<OutputPrediction>>,
  truths: ReadonlyArray<Truth>,
): ReadonlyArray<Judged> =>
  network.heads.map(({ name }, h) => {
    const batches = predicted[h] as ReadonlyArray<OutputPrediction>;
    const truth = truths[h] as Truth;
    return batches[0]?._tag === 'regression'
      ? ofNumbers(name, batches as ReadonlyArray<Regression>, truth)
      : ofClasses(
          name,
          batches.flatMap((batch) => (batch._tag === 'classification' ? [...batch.probabilities] : [])),
          truth,
        );
  });

function ofClasses(name: string, rows: ReadonlyArray<Float32Array>, { predicts, labels, counts }: Truth): JudgedClasses {
  const own = counted(rows, counts);
  const targets = counted(labels, counts);
  if (predicts === 'classes') {
    return { _tag: 'classes', name, probabilities: own, labels: Array.from(predictedClasses(targets)) };
  }
  return {
    _tag: 'classes',
    name,
    probabilities: own.flatMap((row) => Array.from(row, (p) => [p])),
    labels: targets.flatMap((row) => Array.from(row, (y) => (y >= 0.5 ? 1 : 0))),
  };
}

function ofNumbers(name: string, batches: ReadonlyArray<Regression>, { labels, counts }: Truth): JudgedNumbers {
  const join = (rows: (batch: Regression) => Regression['mean']) =>
    counted(
      batches.flatMap((batch) => [...rows(batch)]),
      counts,
    );
  const prediction: Regression = {
    _tag: 'regression',
    support: (batches[0] as Regression).support,
    mean: join(({ mean }) => mean),
    epistemicVariance: join(({ epistemicVariance }) => epistemicVariance),
    noiseVariance: join(({ noiseVariance }) => noiseVariance),
    totalVariance: join(({ totalVariance }) => totalVariance),
  };
  return { _tag: 'numbers', name, prediction, labels: counted(labels, counts) };
}

const counted = <A>(rows: ReadonlyArray<A>, counts: ReadonlyArray<boolean>): ReadonlyArray<A> => rows.filter((_, i) => counts[i]);
