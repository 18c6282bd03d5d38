/** Deep ensembles (Lakshminarayanan, Pritzel & Blundell 2017): a mixture of networks that were trained from different random weights. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Likelihood, orThrow } from 'tfjs-laplace';
import {
  argument,
  array,
  defaulted,
  func,
  LikelihoodCodec,
  type LikelihoodInput,
  type Network,
  positiveInteger,
  readNetwork,
  refined,
  seed,
  struct,
} from 'tfjs-laplace/extend';
import type { Baseline, PreparedBaseline } from './baseline.js';
import { averaged } from './members.js';

/** Trained models, which stay the caller's. */
export interface GivenMembers {
  readonly models: ReadonlyArray<LayersModel>;
}

/** A function that trains a model from a seed. The ensemble disposes the models. */
export interface TrainedMembers {
  readonly train: (seed: number) => LayersModel | Promise<LayersModel>;
  /** How many models, an integer >= 1. Default 5. */
  readonly members?: number;
  /** The models have this seed and those after it. Default 0. */
  readonly seed?: number;
}

const Given = struct('an object { models }', {
  models: array(
    'a list of models',
    refined<LayersModel>('a tf.LayersModel', (value): value is LayersModel => typeof value === 'object' && value !== null),
  ),
});

const Trained = struct('an object { train }', {
  train: func<TrainedMembers['train']>('a function (seed) => model'),
  members: defaulted(positiveInteger, 5),
  seed: defaulted(seed, 0),
});

/**
 * A deep ensemble of models that are given, or of models that `train` makes. A function is called once for each member, one after another:
 * its time is the time of preparation. If a training fails, the models before are disposed.
 *
 * Its preparation rejects with `InvalidModel`, and with whatever `train` rejects with. Its predictions reject with the errors of `predict`.
 *
 * @throws LaplaceError `InvalidOption` for a likelihood that does not exist, or members that are neither models nor a function.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { deepEnsemble } from 'tfjs-laplace/plugins/baselines';
 *
 * const train = async (seed: number) => {
 *   const kernelInitializer = tf.initializers.glorotUniform({ seed });
 *   const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], kernelInitializer })] });
 *   model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
 *   await model.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs: 1, verbose: 0 });
 *   return model;
 * };
 * const { name, trainings, prepare } = deepEnsemble('gaussian', { train, members: 3 });
 * [name, trainings]; // => ['ensemble of 3', 3]
 * const { predict, dispose } = await prepare();
 * const [prediction] = await predict([tf.ones([4, 2])]);
 * prediction?._tag; // => 'regression'
 * dispose();
 * ```
 */
export function deepEnsemble(likelihood: LikelihoodInput, members: GivenMembers | TrainedMembers): Baseline {
  const own = argument('deepEnsemble', 'likelihood', LikelihoodCodec, likelihood);
  if ('models' in Object(members)) {
    const { models } = argument('deepEnsemble', 'members', Given, members);
    return ensemble(models.length, async () => prepared(models, own, () => {}));
  }
  const { train, members: count, seed: first } = argument('deepEnsemble', 'members', Trained, members);
  return ensemble(count, async () => {
    const models: LayersModel[] = [];
    const dispose = (): void => {
      for (const model of models.splice(0)) model.dispose();
    };
    try {
      for (let m = 0; m < count; m++) models.push(orThrow(readNetwork(await train(first + m), own)).model);
      return prepared(models, own, dispose);
    } catch (error) {
      dispose();
      throw error;
    }
  });
}

const ensemble = (count: number, prepare: Baseline['prepare']): Baseline => ({
  name: `ensemble of ${count}`,
  trainings: count,
  prepare,
});

function prepared(models: ReadonlyArray<LayersModel>, likelihood: Likelihood, dispose: () => void): PreparedBaseline {
  const networks = models.map((model) => orThrow(readNetwork(model, likelihood)));
  const at = (m: number): Network => networks[m] as Network;
  return { predict: (inputs) => averaged({ count: networks.length, at }, inputs), dispose };
}
