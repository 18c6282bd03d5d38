/** Tiny networks of every shape that the library reads, with fixed weights, and inputs for them. */
import * as tf from '@tensorflow/tfjs';
import { normalSource, take } from './monteCarlo.js';

/** A network by name. Every build makes a new model with the same weights; the caller disposes it. */
export interface Case {
  readonly name: string;
  readonly build: () => tf.LayersModel;
}

type Symbolic = tf.SymbolicTensor;

export const dense = (units: number, options: Partial<Parameters<typeof tf.layers.dense>[0]> = {}) =>
  tf.layers.dense({ units, ...options });

/** A layer applied to symbolic tensors. */
export const on = (layer: tf.layers.Layer, ...inputs: Symbolic[]): Symbolic =>
  layer.apply(inputs.length === 1 ? (inputs[0] as Symbolic) : inputs) as Symbolic;

/** A model of one input. */
export function functional(shape: number[], body: (x: Symbolic) => Symbolic | Symbolic[]): tf.LayersModel {
  const inputs = tf.input({ shape });
  return tf.model({ inputs, outputs: body(inputs) });
}

/** Gives a model weights that depend on the seed alone: normal, with the spread of usual initialisers; variances positive. */
export function withWeights<M extends tf.LayersModel>(model: M, seed: number): M {
  const normal = normalSource(seed);
  tf.tidy(() => {
    const weights = model.weights.map(({ originalName, shape }) => {
      const dims = shape as number[];
      const scale = dims.length > 1 ? 1 / Math.sqrt(dims[dims.length - 2] as number) : 0.3;
      const values = take(tf.util.sizeFromShape(dims), () => scale * normal());
      return tf.tensor(originalName.includes('variance') ? values.map((v) => 0.5 + Math.abs(v)) : values, dims);
    });
    model.setWeights(weights);
  });
  return model;
}

/** A batch of standard normal inputs for each input of a model. */
export function inputsFor(model: tf.LayersModel, B: number, seed: number): tf.Tensor[] {
  const normal = normalSource(seed);
  return model.inputs.map(({ shape }) => {
    const dims = [B, ...(shape.slice(1) as number[])];
    return tf.tensor(take(tf.util.sizeFromShape(dims), normal), dims);
  });
}

interface ChainOptions {
  readonly activation?: 'tanh' | 'softplus' | 'relu';
  readonly useBias?: boolean;
  readonly seed?: number;
  readonly inputs?: number;
}

/** A chain of dense layers: `widths` are their outputs; hidden ones have the activation, the last has none. */
export function chain(
  widths: ReadonlyArray<number>,
  { activation = 'tanh', useBias = true, seed = 1, inputs = 3 }: ChainOptions = {},
): tf.Sequential {
  const layers = widths.map((units, i) =>
    dense(units, {
      useBias,
      activation: i === widths.length - 1 ? 'linear' : activation,
      ...(i === 0 ? { inputShape: [inputs] } : {}),
    }),
  );
  return withWeights(tf.sequential({ layers }), seed);
}

const sequential = (...layers: tf.layers.Layer[]): tf.Sequential => tf.sequential({ layers });
const tanh = (units: number, options: Parameters<typeof dense>[1] = {}) => dense(units, { activation: 'tanh', ...options });
const input3 = { inputShape: [3] };

const cases = (...list: ReadonlyArray<readonly [string, () => tf.LayersModel]>): ReadonlyArray<Case> =>
  list.map(([name, build]) => ({ name, build: () => withWeights(build(), 7) }));

/** Networks of which every dense layer can have a block. Outputs are logits. */
export const DENSE_NETWORKS = cases(
  ['one layer', () => chain([2])],
  ['a chain', () => chain([4, 3, 2])],
  ['a chain without biases', () => chain([4, 2], { activation: 'softplus', useBias: false })],
  [
    'an addition that skips a layer',
    () =>
      functional([3], (x) => {
        const h = on(tanh(3), x);
        return on(dense(2), on(tf.layers.add(), h, on(dense(3, { activation: 'sigmoid' }), h)));
      }),
  ],
  [
    'a concatenation with the inputs, and an input used twice',
    () =>
      functional([3], (x) => {
        const right = on(dense(3, { activation: 'softplus', useBias: false }), x);
        return on(dense(2), on(tf.layers.concatenate(), on(tanh(2), x), right, x));
      }),
  ],
  [
    'two inputs',
    () => {
      const [a, b] = [tf.input({ shape: [2] }), tf.input({ shape: [3] })];
      return tf.model({ inputs: [a, b], outputs: on(dense(2), on(tf.layers.multiply(), on(tanh(3), a), on(dense(3), b))) });
    },
  ],
  [
    'outputs added from two heads',
    () => functional([3], (x) => on(tf.layers.add(), on(dense(2), x), on(dense(2), on(tanh(3), x)))),
  ],
  [
    'a sequential model inside a functional one',
    () => {
      const inner = sequential(tanh(4, input3), dense(3));
      return functional([3], (x) => on(dense(2), on(tf.layers.activation({ activation: 'tanh' }), on(inner, x))));
    },
  ],
  [
    'a functional model inside a sequential one',
    () =>
      sequential(
        functional([3], (x) => on(tf.layers.add(), x, on(tanh(3), x))),
        dense(2),
      ),
  ],
  [
    'an inner model of two outputs, and other ways to merge',
    () => {
      const x = tf.input({ shape: [3] });
      const inner = tf.model({ inputs: x, outputs: [on(tanh(3), x), on(dense(3), x)] });
      return functional([3], (outside) => {
        const [a, b] = inner.apply(outside) as [Symbolic, Symbolic];
        const mean = on(tf.layers.average(), a, b, on(tf.layers.maximum(), a, b));
        return on(dense(2), on(tf.layers.concatenate(), mean, on(tf.layers.dot({ axes: 1 }), mean, b)));
      });
    },
  ],
  [
    'activation layers',
    () =>
      sequential(
        dense(5, input3),
        tf.layers.leakyReLU({ alpha: 0.2 }),
        dense(4),
        tf.layers.elu(),
        dense(4),
        tf.layers.reLU(),
        dense(4),
        tf.layers.softmax(),
        dense(2),
      ),
  ],
  [
    'layers that do nothing at prediction time',
    () =>
      sequential(
        tanh(4, input3),
        tf.layers.dropout({ rate: 0.5 }),
        tanh(4),
        tf.layers.gaussianNoise({ stddev: 3 }),
        tf.layers.gaussianDropout({ rate: 0.5 }),
        tf.layers.alphaDropout({ rate: 0.5 }),
        dense(2),
      ),
  ],
  [
    'reshapes',
    () =>
      sequential(
        tf.layers.flatten({ inputShape: [2, 3] }),
        tanh(6),
        tf.layers.reshape({ targetShape: [3, 2] }),
        tf.layers.permute({ dims: [2, 1] }),
        tf.layers.flatten(),
        dense(2),
      ),
  ],
);

const frozen = { trainable: false };

/** Networks with layers that have no block: frozen here, so that the dense ones can be covered. */
export const MIXED_NETWORKS = cases(
  [
    'batch normalisation',
    () =>
      sequential(dense(4, input3), tf.layers.batchNormalization(frozen), tf.layers.activation({ activation: 'tanh' }), dense(2)),
  ],
  ['layer normalisation', () => sequential(dense(4, input3), tf.layers.layerNormalization(frozen), dense(2))],
  [
    'a convolution below',
    () =>
      sequential(
        tf.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3, activation: 'relu', ...frozen }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        tf.layers.flatten(),
        tanh(3),
        dense(2),
      ),
  ],
  [
    'a recurrent layer above a dense one',
    () =>
      sequential(
        tanh(6, input3),
        tf.layers.reshape({ targetShape: [3, 2] }),
        tf.layers.simpleRNN({ units: 3, ...frozen }),
        dense(2),
      ),
  ],
  [
    'a recurrent layer that starts from a dense one',
    () =>
      functional([6], (x) => {
        const sequence = on(tf.layers.reshape({ targetShape: [3, 2] }), on(tanh(6), x));
        const initialState = [on(tanh(3), x)];
        return on(dense(2), tf.layers.simpleRNN({ units: 3, ...frozen }).apply(sequence, { initialState }) as Symbolic);
      }),
  ],
  [
    'the states of a recurrent layer',
    () =>
      functional([6], (x) => {
        const layer = tf.layers.lstm({ units: 2, returnState: true, ...frozen });
        const states = layer.apply(on(tf.layers.reshape({ targetShape: [3, 2] }), on(tanh(6), x))) as Symbolic[];
        return on(dense(2), on(tf.layers.concatenate(), states[0] as Symbolic, states[2] as Symbolic));
      }),
  ],
  [
    'a dense layer on a sequence',
    () => sequential(tanh(3, { inputShape: [4, 2], ...frozen }), tf.layers.globalAveragePooling1d({}), tanh(3), dense(2)),
  ],
  [
    'a dense layer on a sequence, above a covered one',
    () =>
      sequential(
        tanh(6, input3),
        tf.layers.reshape({ targetShape: [3, 2] }),
        tanh(3, frozen),
        tf.layers.globalAveragePooling1d({}),
        dense(2),
      ),
  ],
);
