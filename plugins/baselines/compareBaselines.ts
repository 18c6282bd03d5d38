/** Scores baselines on the same data, in one call. */
import { auroc, type Evaluation, evaluate, type InputSource, orThrow } from 'tfjs-laplace';
import {
  argument,
  array,
  defaulted,
  dictionary,
  laplaceError,
  optional,
  optionsOf,
  positiveInteger,
  seed,
  struct,
} from 'tfjs-laplace/extend';
import { type Baseline, type BaselinePrediction, BaselineValue, Batches, type PreparedBaseline } from './baseline.js';

/** Options of `compareBaselines`. */
export interface CompareBaselinesOptions {
  /** Batches of inputs, by name, that are none of the test inputs' kind: how well does uncertainty tell them apart? */
  readonly foreign?: Readonly<Record<string, ReadonlyArray<InputSource>>>;
  /** Resamples, seed and bins as for `evaluate`. */
  readonly resamples?: number;
  readonly seed?: number;
  readonly bins?: number;
}

/** A baseline on the test data. */
export interface ComparedBaseline {
  readonly name: string;
  readonly trainings: number;
  /** Wall-clock time, in seconds. */
  readonly seconds: {
    /** Of what is done once: trainings of members, fitting a temperature. Nothing that was done before the call is counted. */
    readonly preparation: number;
    /** Of the predictions for all test inputs. */
    readonly prediction: number;
  };
  /** The metrics of `evaluate`, paired against the first baseline. */
  readonly evaluation: Evaluation;
  /**
   * For each group of foreign inputs the AUROC: the probability that a foreign input is more uncertain than a test input. Uncertainty is the
   * entropy of classes and labels, and the total variance, added up over the outputs, of numbers.
   */
  readonly foreign: Readonly<Record<string, number>>;
  /** The predictions for the test inputs, batch by batch. */
  readonly predictions: ReadonlyArray<BaselinePrediction>;
}

const Baselines = array('a list of baselines', BaselineValue);

const Options = struct('options', {
  foreign: optional(dictionary('an object of lists of batches by name', Batches)),
  resamples: defaulted(positiveInteger, 100),
  seed: defaulted(seed, 0),
  bins: defaulted(positiveInteger, 15),
});

/**
 * Compares baselines: each in turn is prepared, predicts the test inputs and the foreign ones, is scored by `evaluate`, and freed. Every
 * metric also has its paired difference to the first baseline.
 *
 * Rejects with the errors of the baselines and of `evaluate`, and with `InvalidOption` for something else than baselines, batches and
 * options. Whatever a baseline has made by then is freed. Models that were given are never changed.
 *
 * @param inputs batches of test inputs. A batch that is a function is called once for each network.
 * @param labels of all batches in their order: as `evaluate` takes them, classes [N] or targets [N][T].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { baselineTable, calibrated, compareBaselines, trainedNetwork } from 'tfjs-laplace/plugins/baselines';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const map = trainedNetwork(model, 'categorical');
 * const heldOut = { inputs: [tf.randomNormal([6, 4], 0, 1, 'float32', 1)], labels: [0, 1, 2, 0, 1, 2] };
 * const inputs = [tf.randomNormal([6, 4], 0, 1, 'float32', 2)];
 * const found = await compareBaselines([map, calibrated(map, heldOut)], inputs, [0, 1, 2, 0, 1, 2]);
 * found.map(({ name }) => name); // => ['MAP', 'MAP, temperature']
 * baselineTable(found).split('\n').length; // => 4
 * ```
 */
export async function compareBaselines(
  baselines: ReadonlyArray<Baseline>,
  inputs: ReadonlyArray<InputSource>,
  labels: Parameters<typeof evaluate>[1],
  options: CompareBaselinesOptions = {},
): Promise<ReadonlyArray<ComparedBaseline>> {
  const methods = argument('compareBaselines', 'baselines', Baselines, baselines);
  const test = argument('compareBaselines', 'inputs', Batches, inputs);
  const { foreign = {}, ...scoring } = optionsOf('compareBaselines', Options, options);
  const found: ComparedBaseline[] = [];
  for (const { name, trainings, prepare } of methods) {
    const start = performance.now();
    const own = await prepare();
    try {
      const prepared = performance.now();
      const predictions = await own.predict(test);
      const predicted = performance.now();
      const baseline = found[0]?.predictions;
      found.push({
        name,
        trainings,
        seconds: { preparation: (prepared - start) / 1000, prediction: (predicted - prepared) / 1000 },
        evaluation: orThrow(
          evaluate(predictions as never, labels, {
            ...scoring,
            ...(baseline === undefined ? {} : { baseline: baseline as never }),
          }),
        ),
        foreign: await detection(own, predictions, foreign),
        predictions,
      });
    } finally {
      own.dispose();
    }
  }
  return found;
}

async function detection(
  own: PreparedBaseline,
  familiar: ReadonlyArray<BaselinePrediction>,
  foreign: Readonly<Record<string, ReadonlyArray<InputSource>>>,
): Promise<Readonly<Record<string, number>>> {
  const negatives = familiar.flatMap(uncertainty);
  const found: Array<readonly [string, number]> = [];
  for (const [name, inputs] of Object.entries(foreign)) {
    const positives = (await own.predict(inputs)).flatMap(uncertainty);
    found.push([name, orThrow(auroc({ positives, negatives }))]);
  }
  return Object.fromEntries(found);
}

/** The uncertainty of each example. */
function uncertainty(prediction: BaselinePrediction): ReadonlyArray<number> {
  if (prediction._tag === 'classification') return Array.from(prediction.entropy);
  if (prediction._tag === 'regression') return prediction.totalVariance.map((row) => Array.from(row).reduce((a, b) => a + b, 0));
  // `evaluate` has refused them before.
  throw laplaceError('InvalidInput', { what: 'compareBaselines', found: 'predictions for several outputs' });
}
