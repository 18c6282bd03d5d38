/** SWAG as a baseline: a mixture of networks whose weights are drawn from a normal distribution that was fitted to snapshots of training. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { orThrow } from 'tfjs-laplace';
import {
  argument,
  array,
  cloneModel,
  defaulted,
  foldIn,
  fromDevice,
  key,
  LikelihoodCodec,
  type LikelihoodInput,
  laplaceError,
  type Network,
  optionsOf,
  positiveInteger,
  readNetwork,
  refined,
  seed,
  struct,
} from 'tfjs-laplace/extend';
import type { Baseline } from './baseline.js';
import { averaged } from './members.js';
import { drawSwag, type Snapshot, swagWeights } from './swagWeights.js';

/** Options of `swag`. */
export interface SwagOptions {
  /** Networks that are drawn, an integer >= 1. Default 20. */
  readonly samples?: number;
  /** Default 0. */
  readonly seed?: number;
}

const Options = struct('options', { samples: defaulted(positiveInteger, 20), seed: defaulted(seed, 0) });

const Snapshots = array(
  'a list of snapshots',
  refined<Snapshot>('a snapshot, as snapshotOf(model) makes it', (value): value is Snapshot => Array.isArray(value)),
);

/**
 * The present weights of a model, on the host. For `swag`, take one at the end of each of the last epochs, at a learning rate that still
 * moves the weights.
 *
 * Rejects with `Backend` for a lost device.
 */
export const snapshotOf = async (model: LayersModel): Promise<Snapshot> =>
  Promise.all(model.weights.map(async (w) => Float32Array.from(await fromDevice((w.read() as tf.Tensor).data()))));

/**
 * SWAG (Maddox et al. 2019) with a diagonal and a low-rank part, from at least two snapshots of all weights. Each draw is written into a copy
 * of the model; the model itself is left alone.
 *
 * Its preparation rejects with `Empty` for fewer than two snapshots, with `Mismatch` for snapshots of another model, with `UnsupportedLayer`
 * for batch normalisation, whose averages belong to the trained weights alone, and with `InvalidModel`. Its predictions reject with the
 * errors of `predict`.
 *
 * @throws LaplaceError `InvalidOption` for a likelihood that does not exist, something else than snapshots, or an option out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { type Snapshot, snapshotOf, swag } from 'tfjs-laplace/plugins/baselines';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
 * const snapshots: Snapshot[] = [];
 * const callbacks = { onEpochEnd: async () => void snapshots.push(await snapshotOf(model)) };
 * await model.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs: 5, verbose: 0, callbacks });
 * const { predict, dispose } = await swag(model, 'gaussian', snapshots, { samples: 10 }).prepare();
 * const [prediction] = await predict([tf.ones([4, 2])]);
 * prediction?._tag; // => 'regression'
 * dispose();
 * ```
 */
export function swag(
  model: LayersModel,
  likelihood: LikelihoodInput,
  snapshots: ReadonlyArray<Snapshot>,
  options: SwagOptions = {},
): Baseline {
  const own = argument('swag', 'likelihood', LikelihoodCodec, likelihood);
  const given = argument('swag', 'snapshots', Snapshots, snapshots);
  const { samples, seed: root } = optionsOf('swag', Options, options);
  return {
    name: `SWAG, ${samples} samples`,
    trainings: 1,
    prepare: async () => {
      checkNormalisation(orThrow(readNetwork(model, own)));
      checkSnapshots(model, given);
      const weights = swagWeights(given);
      const copy = await cloneModel(model);
      const network = orThrow(readNetwork(copy, own));
      let present: number | undefined;
      const at = (m: number): Network => {
        if (m !== present) write(copy, drawSwag(weights, foldIn(key(root), m)));
        present = m;
        return network;
      };
      return { predict: (inputs) => averaged({ count: samples, at }, inputs), dispose: () => void copy.dispose() };
    },
  };
}

function write(copy: LayersModel, drawn: Snapshot): void {
  copy.weights.forEach((w, i) => {
    const value = tf.tensor(drawn[i] as Float32Array, w.shape as number[]);
    w.write(value);
    value.dispose();
  });
}

function checkNormalisation({ uses }: Network): void {
  const use = uses.find(({ layer }) => layer.getClassName() === 'BatchNormalization');
  if (use === undefined) return;
  throw laplaceError('UnsupportedLayer', {
    what: `swag: layer '${use.layer.name}'`,
    layer: use.layer.name,
    found: 'batch normalisation, whose averages would have to be taken anew for each draw',
    expected: 'a model without it',
  });
}

function checkSnapshots(model: LayersModel, snapshots: ReadonlyArray<Snapshot>): void {
  if (snapshots.length < 2) {
    throw laplaceError('Empty', {
      what: 'swag: snapshots',
      field: 'snapshots',
      found: `${snapshots.length}`,
      expected: 'at least 2, so that they have a spread',
    });
  }
  const sizes = (own: Snapshot): string => own.map(({ length }) => length).join(', ');
  const expected = model.weights.map((w) => w.shape.reduce<number>((a, b) => a * (b as number), 1)).join(', ');
  const other = snapshots.findIndex((own) => sizes(own) !== expected);
  if (other < 0) return;
  throw laplaceError('Mismatch', {
    what: 'swag: a snapshot is of another model',
    field: `snapshots[${other}]`,
    found: `weights of sizes ${sizes(snapshots[other] as Snapshot)}`,
    expected: `weights of sizes ${expected}`,
  });
}
