/**
 * The likelihood of all outputs of a model together. The outputs lie side by side in f [B, C]. The NLL of an example is Σ_o w_o
 * NLL_o(f_o, y_o), where w_o is the weight that the likelihood of output o gives the label. Λ is block-diagonal over outputs.
 *
 * Targets [B, …] hold the targets of each output. If the output's likelihood weighs labels, the weight follows them.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dictionary, type Flat, make, taggedUnion, variant } from '../codec/index.js';
import { foldIn } from '../random/key.js';
import type { LikelihoodOps, ModelLikelihoodOps, Part } from './likelihood.js';
import { PerStep } from './perStep.js';
import { REGISTERED } from './registered.js';

const Outputs = taggedUnion('a likelihood of one output', ...REGISTERED, PerStep);

/** A likelihood of one output of a model: any likelihood except `perOutput`. */
export type OutputLikelihood = Flat<(typeof Outputs)['_A']>;

/** Likelihoods of all outputs of a model, by their names. */
type OutputLikelihoods = Readonly<Record<string, OutputLikelihood>>;

export const PerOutput = variant('perOutput', {
  /** The likelihood of every output, by its name in the model. */
  outputs: dictionary('an object with a likelihood for each output, by its name', Outputs),
});

/**
 * A likelihood for each output. The type keeps the likelihood of each output, because it decides what is predicted for that
 * output.
 */
export type PerOutput<O extends OutputLikelihoods = OutputLikelihoods> = {
  readonly _tag: 'perOutput';
  readonly outputs: O;
};

/**
 * A likelihood for each output of a model with several outputs, by the outputs' names (`model.outputNames`). Given the network,
 * the outputs are independent, so the log-likelihood of an example is the sum over its outputs. Labels are a list in the model's
 * order, or a record by name.
 *
 * Class weights of an output's likelihood weigh only that output's part of the sum. Weights of examples
 * (`batches({ x, y, weights })`) multiply the whole sum. At most one output can have a `customLikelihood`, because only its
 * labels say how many numbers they have.
 *
 * @throws LaplaceError `InvalidOption` if there is no output, or a value is not a likelihood of one output.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, categorical, gaussian, kfac, observe, perOutput, predict, toPosterior } from 'tfjs-laplace';
 *
 * const x = tf.input({ shape: [2] });
 * const trunk = tf.layers.dense({ units: 4, activation: 'tanh' }).apply(x) as tf.SymbolicTensor;
 * const digit = tf.layers.dense({ units: 3, activation: 'softmax', name: 'digit' }).apply(trunk) as tf.SymbolicTensor;
 * const angle = tf.layers.dense({ units: 1, name: 'angle' }).apply(trunk) as tf.SymbolicTensor;
 * const model = tf.model({ inputs: x, outputs: [digit, angle] });
 *
 * const likelihood = perOutput({ digit: categorical(), angle: gaussian({ noiseVariance: 0.1 }) });
 * const data = {
 *   x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]),
 *   y: { digit: tf.tensor1d([0, 2, 1]), angle: tf.tensor2d([[0.1], [0.2], [0.3]]) },
 * };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, likelihood), accumulateFactors(kfac()), toPosterior()),
 * );
 * const prediction = await lastValueFrom(from([data.x]).pipe(predict(model, posterior)));
 * if (prediction._tag !== 'several') throw new Error('one prediction for each output was expected');
 * Object.values(prediction.outputs).map(({ _tag }) => _tag); // => ['classification', 'regression']
 * ```
 */
export const perOutput = <const O extends OutputLikelihoods>(outputs: O): PerOutput<O> =>
  make('perOutput', PerOutput, { outputs }) as PerOutput<O>;

/** The operations of all outputs together. A single output keeps its own. */
export const modelLikelihoodOps = (parts: ReadonlyArray<Part>): ModelLikelihoodOps => {
  const [only, ...more] = parts as [Part, ...Part[]];
  if (more.length > 0) return severalOps(parts);
  return { ...only.ops, targets: ([y]) => only.ops.targets(y as tf.Tensor, only.outputs) };
};

/** The share of one output in f and in the targets. */
interface Share {
  readonly ops: LikelihoodOps;
  readonly f: tf.Tensor2D;
  readonly targets: tf.Tensor2D;
  /** [B, 1]; undefined if all weights are 1. */
  readonly weights: tf.Tensor2D | undefined;
}

function severalOps(parts: ReadonlyArray<Part>): ModelLikelihoodOps {
  const sizes = parts.map(({ outputs }) => outputs);
  const C = sizes.reduce((a, b) => a + b, 0);

  const shares = (f: tf.Tensor2D, targets: tf.Tensor2D): ReadonlyArray<Share> => {
    const outputs = tf.split(f, sizes, 1) as tf.Tensor2D[];
    const widths = widthsOf(parts, targets.shape[1]);
    const columns = tf.split(targets, widths.flat(), 1) as tf.Tensor2D[];
    return parts.map(({ ops }, i) => {
      const start = widths.slice(0, i).flat().length;
      return {
        ops,
        f: outputs[i] as tf.Tensor2D,
        targets: columns[start] as tf.Tensor2D,
        weights: ops.weights === undefined ? undefined : (columns[start + 1] as tf.Tensor2D),
      };
    });
  };
  const weighted = <T extends tf.Tensor>(t: T, weights: tf.Tensor | undefined): T =>
    weights === undefined ? t : tf.mul(t, weights);
  /** √w [B, 1]. Multiplying a root, or a gradient at a drawn label, by √w multiplies its second moment by w. */
  const root = (weights: tf.Tensor2D | undefined): tf.Tensor | undefined => weights && tf.sqrt(weights);

  return {
    targets: (labels) =>
      tf.concat(
        parts.flatMap(({ ops, outputs }, i) => {
          const y = labels[i] as tf.Tensor;
          const own = ops.targets(y, outputs);
          const flat = tf.reshape(own, [y.shape[0] as number, -1]) as tf.Tensor2D;
          return ops.weights === undefined ? [flat] : [flat, tf.expandDims(ops.weights(own), 1) as tf.Tensor2D];
        }),
        1,
      ),
    logLikelihoods: (f, targets) => {
      const values = shares(f, targets).map(({ ops, weights, ...own }) =>
        weighted(ops.logLikelihoods(own.f, own.targets), weights && tf.squeeze(weights, [1])),
      );
      return tf.addN(values);
    },
    gradient: (f, targets) =>
      tf.concat(
        shares(f, targets).map(({ ops, weights, ...own }) => weighted(ops.gradient(own.f, own.targets), weights)),
        1,
      ),
    hessianRoot: (f, targets) => {
      let first = 0;
      const columns = shares(f, targets).map(({ ops, weights, ...own }, i) => {
        const [before, size] = [first, sizes[i] as number];
        first += size;
        // The columns of one output are 0 at all other outputs.
        return tf.pad3d(weighted(ops.hessianRoot(own.f, own.targets), root(weights)), [
          [0, 0],
          [0, 0],
          [before, C - before - size],
        ]);
      });
      return tf.concat(columns, 0);
    },
    sampledGradient: (f, key, samples, targets) =>
      tf.concat(
        shares(f, targets).map(({ ops, weights, ...own }, i) =>
          weighted(ops.sampledGradient(own.f, foldIn(key, i), samples, own.targets), root(weights)),
        ),
        2,
      ),
  };
}

/**
 * For each output the number of columns of its targets, and 1 for its weight if it has one. At most one number is not known
 * beforehand; it is the rest of `total`.
 */
function widthsOf(parts: ReadonlyArray<Part>, total: number): ReadonlyArray<ReadonlyArray<number>> {
  const weights = parts.map(({ ops }) => (ops.weights === undefined ? [] : [1]));
  const known = parts.map(({ ops, outputs }) => ops.targetWidth?.(outputs));
  const rest = total - weights.flat().length - known.reduce<number>((sum, width) => sum + (width ?? 0), 0);
  return parts.map((_, i) => [known[i] ?? rest, ...(weights[i] as number[])]);
}
