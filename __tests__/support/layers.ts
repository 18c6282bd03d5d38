/** Small models around one layer of every kind that has a block, with data that suit them. */
import * as tf from '@tensorflow/tfjs';
import { pair, tensor, withFixedWeights } from './networks.js';

/** A model for three classes, compiled with a softmax inside. */
export interface LayerCase {
  readonly name: string;
  readonly make: () => tf.LayersModel;
  /** Shape of one example. */
  readonly shape: ReadonlyArray<number>;
  /** Inputs are token numbers below this. */
  readonly tokens?: number;
}

const { layers } = tf;
const classes = pair('classes, softmax inside');

/** The layer, flattened if need be, under a dense softmax. */
const under = (shape: ReadonlyArray<number>, ...own: tf.layers.Layer[]): tf.LayersModel => {
  const input = tf.input({ shape: [...shape] });
  const h = own.reduce((t, layer) => layer.apply(t) as tf.SymbolicTensor, input);
  const flat = h.rank === 2 ? h : (layers.flatten().apply(h) as tf.SymbolicTensor);
  const outputs = layers.dense({ units: 3, activation: 'softmax' }).apply(flat) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs });
};

const case_ = (name: string, shape: ReadonlyArray<number>, own: () => tf.layers.Layer[], tokens?: number): LayerCase => ({
  name,
  shape,
  make: () => under(shape, ...own()),
  ...(tokens === undefined ? {} : { tokens }),
});

const image = [4, 4, 2];
const conv = (args: Partial<Parameters<typeof layers.conv2d>[0]> = {}) =>
  layers.conv2d({ filters: 3, kernelSize: 2, ...args } as Parameters<typeof layers.conv2d>[0]);

/** Two inputs of one shape through the same layers, side by side. */
function shared(): tf.LayersModel {
  const input = tf.input({ shape: image });
  const twice = conv({ filters: 2, padding: 'same', activation: 'tanh' });
  const h = twice.apply(twice.apply(input)) as tf.SymbolicTensor;
  const flat = layers.flatten().apply(h) as tf.SymbolicTensor;
  const dense = layers.dense({ units: 4, activation: 'relu' });
  const both = layers
    .concatenate()
    .apply([
      dense.apply(flat) as tf.SymbolicTensor,
      dense.apply(layers.flatten().apply(input) as tf.SymbolicTensor) as tf.SymbolicTensor,
    ]) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor });
}

/** The WASM backend as it ships lacks the kernels that train convolutions and embeddings. `setup.ts` has registered the one in use. */
const trainsAll = !tf.findBackendFactory('wasm');
const trainable = (cases: ReadonlyArray<LayerCase>): ReadonlyArray<LayerCase> =>
  cases.filter(({ name }) => trainsAll || !/conv|embedding|twice|batch/i.test(name));

/** Layers whose rows a training step shows. */
export const SHOWN = trainable([
  case_('Conv1D, tanh', [5, 2], () => [layers.conv1d({ filters: 3, kernelSize: 2, activation: 'tanh' })]),
  case_('Conv1D, relu', [5, 2], () => [layers.conv1d({ filters: 3, kernelSize: 2, activation: 'relu' })]),
  case_('Conv2D, linear', image, () => [conv()]),
  case_('Conv2D, relu (fused)', image, () => [conv({ activation: 'relu', strides: 2, padding: 'same' })]),
  case_('Conv2D, elu (fused)', image, () => [conv({ activation: 'elu' })]),
  case_('Conv2D, sigmoid, channels first', image, () => [conv({ activation: 'sigmoid', dataFormat: 'channelsFirst' })]),
  case_('Conv2D, no bias', image, () => [conv({ activation: 'tanh', useBias: false }), conv({ useBias: false })]),
  case_('Conv3D', [3, 3, 3, 1], () => [layers.conv3d({ filters: 2, kernelSize: 2, activation: 'relu' })]),
  case_('Conv2DTranspose', image, () => [layers.conv2dTranspose({ filters: 2, kernelSize: 2, activation: 'tanh' })]),
  case_('DepthwiseConv2D', image, () => [layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'tanh' })]),
  case_('SeparableConv2D, tanh', image, () => [layers.separableConv2d({ filters: 3, kernelSize: 2, activation: 'tanh' })]),
  case_('SeparableConv2D, tanh, channels first', [2, 3, 3], () => [
    layers.separableConv2d({ filters: 2, kernelSize: 2, activation: 'tanh', useBias: false, dataFormat: 'channelsFirst' }),
  ]),
  case_('SeparableConv2D, relu', image, () => [layers.separableConv2d({ filters: 3, kernelSize: 2, activation: 'relu' })]),
  case_('Embedding', [5], () => [layers.embedding({ inputDim: 6, outputDim: 2 })], 6),
  case_(
    'Embedding under a convolution',
    [5],
    () => [layers.embedding({ inputDim: 6, outputDim: 2 }), layers.conv1d({ filters: 2, kernelSize: 3, activation: 'relu' })],
    6,
  ),
  case_('Dense on a sequence, relu', [4, 2], () => [layers.dense({ units: 3, activation: 'relu' })]),
  case_('Dense on a sequence, softmax', [4, 2], () => [layers.dense({ units: 3, activation: 'softmax' })]),
  case_('TimeDistributed, linear', [4, 2], () => [layers.timeDistributed({ layer: layers.dense({ units: 3 }) })]),
  case_('TimeDistributed, tanh', [4, 2], () => [
    layers.timeDistributed({ layer: layers.dense({ units: 3, activation: 'tanh' }) }),
  ]),
  case_('TimeDistributed, softmax', [4, 2], () => [
    layers.timeDistributed({ layer: layers.dense({ units: 3, activation: 'softmax' }) }),
  ]),
  case_('TimeDistributed, relu convolution', [2, 4, 4, 1], () => [
    layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 3, activation: 'relu' }) }),
  ]),
  case_('LayerNormalization', [4], () => [layers.dense({ units: 5 }), layers.layerNormalization(), layers.dense({ units: 3 })]),
  case_('BatchNormalization below what is covered', image, () => [
    Object.assign(layers.batchNormalization(), { trainable: false }),
    conv({ activation: 'relu' }),
  ]),
  case_('SimpleRNN, sequences', [3, 2], () => [layers.simpleRNN({ units: 2, returnSequences: true })]),
  case_('LSTM on LSTM', [3, 2], () => [layers.lstm({ units: 2, returnSequences: true }), layers.lstm({ units: 3 })]),
  case_('GRU, backwards', [3, 2], () => [layers.gru({ units: 2, goBackwards: true })]),
  case_('Bidirectional', [3, 2], () => [layers.bidirectional({ layer: layers.gru({ units: 2 }) as never, mergeMode: 'concat' })]),
  { name: 'layers that are used twice', shape: image, make: shared },
]);

/** A recurrent layer that drops inputs and states within its steps while it trains: a pass of its own takes over. */
export const DROPPING: LayerCase = case_('LSTM with dropout inside', [3, 2], () => [
  layers.lstm({ units: 2, dropout: 0.4, recurrentDropout: 0.4 }),
]);

/** Models in which batch statistics couple the examples of a training step: a pass of its own takes over. */
export const COUPLED = trainable([
  case_('BatchNormalization', image, () => [conv({ activation: 'relu' }), layers.batchNormalization(), conv()]),
  case_('Convolutions, batch normalisation and dropout', image, () => [
    conv({ activation: 'relu' }),
    layers.batchNormalization(),
    layers.dropout({ rate: 0.4, seed: 5 }),
    layers.depthwiseConv2d({ kernelSize: 2, activation: 'tanh' }),
  ]),
  case_('Normalisation first', [4], () => [layers.batchNormalization()]),
]);

/** The model, compiled for a learning rate, with weights that are the same in every run, and ten examples. */
export function prepared({ make, shape, tokens }: LayerCase, optimizer: tf.Optimizer = tf.train.sgd(0)) {
  const model = make();
  model.compile({ optimizer, loss: classes.loss });
  withFixedWeights(model);
  positiveVariances(model);
  const numbers = tensor([10, ...shape], 3);
  const x = tokens === undefined ? numbers : tf.floor(tf.mul(tf.add(numbers, 1), tokens / 2));
  return { model, data: { x, y: classes.labels(10) }, likelihood: classes.likelihood };
}

/** Moving variances are above zero. */
export function positiveVariances(model: tf.LayersModel): void {
  for (const w of model.weights.filter(({ name }) => name.includes('moving_variance'))) w.write(tf.add(tf.abs(w.read()), 0.5));
}
