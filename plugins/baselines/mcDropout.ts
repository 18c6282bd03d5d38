/**
 * Monte Carlo dropout (Gal & Ghahramani 2016): a mixture of passes through the network with dropout switched on, as in training:
 *
 *   h → h ⊙ mask / (1 − rate),   each entry of the mask 1 with probability 1 − rate, otherwise 0.
 *
 * The masks are drawn here, from a seed, and set into the operations that were read from the model. The model itself is not touched, so
 * that batch normalisation keeps its moving averages.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { orThrow } from 'tfjs-laplace';
import {
  argument,
  defaulted,
  foldIn,
  type Key,
  key,
  LikelihoodCodec,
  type LikelihoodInput,
  laplaceError,
  literals,
  type Network,
  optionsOf,
  positiveInteger,
  readNetwork,
  seed,
  struct,
  uniforms,
} from 'tfjs-laplace/extend';
import type { Baseline } from './baseline.js';
import { averaged } from './members.js';

/** Options of `mcDropout`. */
export interface McDropoutOptions {
  /** Passes, an integer >= 1. Default 20. */
  readonly passes?: number;
  /**
   * `'fresh'` (the default): every example has a mask of its own in every pass, as in training. `'shared'`: all inputs of a pass have the
   * same mask, so that a pass is one sampled network. Each example's prediction has the same distribution under both; only under
   * `'shared'` do the examples of a pass vary together.
   */
  readonly masks?: 'fresh' | 'shared';
  /** Default 0. */
  readonly seed?: number;
}

const Options = struct('options', {
  passes: defaulted(positiveInteger, 20),
  masks: defaulted(literals('fresh', 'shared'), 'fresh'),
  seed: defaulted(seed, 0),
});

/** Layers that zero some of their inputs. */
const DROPOUT: ReadonlySet<string> = new Set(['Dropout', 'SpatialDropout1D']);
/** Layers with other noise, which would be left out. */
const OTHER: ReadonlySet<string> = new Set(['AlphaDropout', 'GaussianDropout', 'GaussianNoise']);

/**
 * Monte Carlo dropout for a model with `dropout` or `spatialDropout1d` layers. Dropout inside recurrent layers stays switched off.
 *
 * Its preparation rejects with `UnsupportedLayer` for a model without such layers, or with other layers of noise, and with `InvalidModel`.
 * Its predictions reject with the errors of `predict`.
 *
 * @throws LaplaceError `InvalidOption` for a likelihood that does not exist, or an option out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { mcDropout } from 'tfjs-laplace/plugins/baselines';
 *
 * const hidden = tf.layers.dense({ units: 8, activation: 'relu', inputShape: [4] });
 * const model = tf.sequential({ layers: [hidden, tf.layers.dropout({ rate: 0.5 }), tf.layers.dense({ units: 3 })] });
 * const { predict } = await mcDropout(model, 'categorical', { passes: 10, masks: 'shared' }).prepare();
 * const [prediction] = await predict([tf.ones([2, 4])]);
 * prediction?._tag; // => 'classification'
 * ```
 */
export function mcDropout(model: LayersModel, likelihood: LikelihoodInput, options: McDropoutOptions = {}): Baseline {
  const own = argument('mcDropout', 'likelihood', LikelihoodCodec, likelihood);
  const { passes, masks, seed: root } = optionsOf('mcDropout', Options, options);
  return {
    name: `MC dropout, ${passes} ${masks} masks`,
    trainings: 1,
    prepare: async () => {
      const network = orThrow(readNetwork(model, own, new Set([...DROPOUT, ...OTHER])));
      checkLayers(network);
      const at = (pass: number, batch: number): Network => {
        const drawn = foldIn(key(root), pass);
        return masked(network, masks === 'shared' ? drawn : foldIn(drawn, batch), masks === 'shared');
      };
      return { predict: (inputs) => averaged({ count: passes, at }, inputs), dispose: () => {} };
    },
  };
}

function checkLayers({ ops, model }: Network): void {
  const forms = ops.map(({ layer }) => layer.getClassName());
  const other = ops.find((_, k) => OTHER.has(forms[k] as string));
  if (other === undefined && forms.some((form) => DROPOUT.has(form))) return;
  throw laplaceError('UnsupportedLayer', {
    what: `mcDropout: model '${model.name}'`,
    ...(other === undefined ? {} : { layer: other.layer.name }),
    found: other === undefined ? 'no dropout layer' : `a layer ${other.layer.getClassName()}, whose noise is not drawn here`,
    expected: 'layers dropout or spatialDropout1d, and no other layers of noise',
    remedy: 'Train a model with tf.layers.dropout between its layers.',
  });
}

/** The network with masks in its dropout layers. A layer that is used twice has a mask for each use. */
const masked = (network: Network, drawn: Key, isShared: boolean): Network => ({
  ...network,
  ops: network.ops.map((op, use) => {
    if (op.kind !== 'opaque' || !DROPOUT.has(op.form)) return op;
    const layer = op.layer as unknown as DropoutLayer;
    return { ...op, apply: (x: ReadonlyArray<tf.Tensor>) => [dropped(x[0] as tf.Tensor, layer, foldIn(drawn, use), isShared)] };
  }),
});

/** The parts of tfjs's dropout layers that are read here. */
interface DropoutLayer {
  readonly rate: number;
  /** The shape of the mask, which is repeated along dimensions of size 1. */
  getNoiseShape(x: tf.Tensor): ReadonlyArray<number> | null | undefined;
}

function dropped(x: tf.Tensor, layer: DropoutLayer, drawn: Key, isShared: boolean): tf.Tensor {
  const { rate } = layer;
  // tfjs leaves the inputs alone at a rate of 1 too.
  if (rate <= 0 || rate >= 1) return x;
  const shape = [...(layer.getNoiseShape(x) ?? x.shape)];
  if (isShared) shape[0] = 1;
  const size = shape.reduce((a, b) => a * b, 1);
  const mask = uniforms(drawn, size).map((u) => (u < rate ? 0 : 1 / (1 - rate)));
  return tf.mul(x, tf.tensor(mask, shape));
}
