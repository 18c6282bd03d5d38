/** Small networks with every kind of layer that tfjs trains, each with three classes. */
import * as tf from '@tensorflow/tfjs';

const { layers: L } = tf;
const IMAGE = [8, 8, 2];

type Made = tf.layers.Layer;

/** A chain that ends with three classes. */
const chain =
  (inputShape: number[], ...parts: ReadonlyArray<() => Made>) =>
  (): tf.LayersModel =>
    tf.sequential({ layers: [L.inputLayer({ inputShape }), ...parts.map((make) => make()), classes()] });

const classes = (): Made => L.dense({ units: 3, activation: 'softmax' });

/** Two blocks with batch normalisation, the second with a stride and a convolution on its shortcut. */
function residual(): tf.LayersModel {
  const input = tf.input({ shape: IMAGE });
  const conv = (x: tf.SymbolicTensor, filters: number, strides: number, kernelSize = 3): tf.SymbolicTensor => {
    const z = L.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }).apply(x);
    return L.batchNormalization().apply(z) as tf.SymbolicTensor;
  };
  const relu = (x: tf.SymbolicTensor) => L.reLU().apply(x) as tf.SymbolicTensor;
  const block = (x: tf.SymbolicTensor, filters: number, strides: number): tf.SymbolicTensor => {
    const inner = conv(relu(conv(x, filters, strides)), filters, 1);
    const shortcut = strides === 1 ? x : conv(x, filters, strides, 1);
    return relu(L.add().apply([shortcut, inner]) as tf.SymbolicTensor);
  };
  const top = L.globalAveragePooling2d({ dataFormat: 'channelsLast' }).apply(block(block(relu(conv(input, 4, 1)), 4, 1), 6, 2));
  return tf.model({ inputs: input, outputs: classes().apply(top) as tf.SymbolicTensor });
}

/** Attention of a sequence to itself: products of batches of matrices. */
function attention(): tf.LayersModel {
  const input = tf.input({ shape: [25, 12] });
  const [a, b] = [L.dense({ units: 24 }).apply(input), L.dense({ units: 24 }).apply(input)] as tf.SymbolicTensor[];
  const scores = L.activation({ activation: 'softmax' }).apply(
    L.dot({ axes: [2, 2] }).apply([a, b] as tf.SymbolicTensor[]),
  ) as tf.SymbolicTensor;
  const mixed = L.dot({ axes: [2, 1] }).apply([scores, b as tf.SymbolicTensor]);
  return tf.model({ inputs: input, outputs: classes().apply(L.flatten().apply(mixed)) as tf.SymbolicTensor });
}

/** Every way of joining two branches. */
function merging(): tf.LayersModel {
  const input = tf.input({ shape: [6] });
  const both = [L.dense({ units: 4 }).apply(input), L.dense({ units: 4 }).apply(input)] as tf.SymbolicTensor[];
  const joints = [L.add(), L.multiply(), L.average(), L.maximum(), L.minimum(), L.dot({ axes: 1 })];
  const joined = L.concatenate().apply(joints.map((layer) => layer.apply(both) as tf.SymbolicTensor));
  return tf.model({ inputs: input, outputs: classes().apply(joined) as tf.SymbolicTensor });
}

export const NETWORKS: Readonly<Record<string, () => tf.LayersModel>> = {
  LeNet: chain(
    [12, 12, 1],
    () => L.conv2d({ filters: 4, kernelSize: 5, padding: 'same', activation: 'tanh' }),
    () => L.maxPooling2d({ poolSize: 2 }),
    () => L.conv2d({ filters: 6, kernelSize: 3, activation: 'relu' }),
    () => L.averagePooling2d({ poolSize: 2 }),
    () => L.flatten(),
    () => L.dense({ units: 10, activation: 'relu' }),
  ),
  'residual network': residual,
  'separable convolutions': chain(
    IMAGE,
    () => L.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'relu' }),
    () => L.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same' }),
    () => L.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3 }),
    () => L.globalMaxPooling2d({ dataFormat: 'channelsLast' }),
  ),
  'transposed convolutions': chain(
    IMAGE,
    () => L.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    () => L.conv2dTranspose({ filters: 2, kernelSize: 3 }),
    () => L.averagePooling2d({ poolSize: 4 }),
    () => L.flatten(),
  ),
  'channels first': chain(
    [2, 8, 8],
    () => L.conv2d({ filters: 3, kernelSize: 3, dataFormat: 'channelsFirst' }),
    () => L.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }),
    () => L.flatten(),
  ),
  'convolutions of sequences': chain(
    [12, 3],
    () => L.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    () => L.maxPooling1d({ poolSize: 2 }),
    () => L.conv1d({ filters: 4, kernelSize: 2 }),
    () => L.globalAveragePooling1d({}),
  ),
  'pools of sequences': chain(
    [12, 3],
    () => L.conv1d({ filters: 4, kernelSize: 3 }),
    () => L.averagePooling1d({ poolSize: 2 }),
    () => L.globalMaxPooling1d({}),
  ),
  'convolutions in space': chain(
    [6, 6, 6, 2],
    () => L.conv3d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    () => L.maxPooling3d({ poolSize: 2, strides: 1 }),
    () => L.conv3d({ filters: 2, kernelSize: 2, strides: 2, padding: 'same' }),
    () => L.averagePooling3d({ poolSize: 2 }),
    () => L.flatten(),
  ),
  'convolutional LSTM': chain(
    [3, 6, 6, 1],
    () => L.convLstm2d({ filters: 2, kernelSize: 3 }),
    () => L.flatten(),
  ),
  LSTM: chain(
    [5, 3],
    () => L.lstm({ units: 6, returnSequences: true }),
    () => L.lstm({ units: 4 }),
  ),
  GRU: chain([5, 3], () => L.bidirectional({ layer: L.gru({ units: 4 }), mergeMode: 'concat' })),
  'simple recurrent network': chain([5, 3], () => L.simpleRNN({ units: 6 })),
  embedding: chain(
    [5],
    () => L.embedding({ inputDim: 11, outputDim: 4, maskZero: true }),
    () => L.lstm({ units: 4 }),
  ),
  'layer normalisation': chain(
    [6],
    () => L.dense({ units: 7 }),
    () => L.layerNormalization(),
  ),
  'bilinear upsampling': chain(
    IMAGE,
    () => L.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }),
    () => L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    () => L.averagePooling2d({ poolSize: 4 }),
    () => L.flatten(),
  ),
  'padding, cropping, permuting': chain(
    IMAGE,
    () => L.conv2d({ filters: 3, kernelSize: 3 }),
    () => L.zeroPadding2d({ padding: 2 as never }),
    () => L.cropping2D({ cropping: 1 }),
    () => L.permute({ dims: [3, 1, 2] }),
    () => L.reshape({ targetShape: [192] }),
  ),
  'dense layers on sequences': chain(
    [40, 3],
    () => L.dense({ units: 16, activation: 'relu' }),
    () => L.timeDistributed({ layer: L.dense({ units: 2 }) }),
    () => L.flatten(),
  ),
  'activation layers': chain(
    IMAGE,
    () => L.conv2d({ filters: 3, kernelSize: 3 }),
    () => L.prelu({ sharedAxes: [1, 2] }),
    () => L.leakyReLU(),
    () => L.elu(),
    () => L.flatten(),
  ),
  'regularised and constrained': chain([6], () =>
    L.dense({
      units: 7,
      kernelRegularizer: tf.regularizers.l1l2(),
      kernelConstraint: tf.constraints.maxNorm({ maxValue: 1 }),
    }),
  ),
  attention,
  merging,
};

export const ACTIVATIONS = [
  'elu',
  'hardSigmoid',
  'linear',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
  'gelu',
  'gelu_new',
] as const;

export const OPTIMIZERS: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.01, 0.9),
  rmsprop: () => tf.train.rmsprop(0.001, 0.9, 0.9),
  adam: () => tf.train.adam(0.001),
  adadelta: () => tf.train.adadelta(0.1),
  adamax: () => tf.train.adamax(0.001),
  adagrad: () => tf.train.adagrad(0.01),
};
