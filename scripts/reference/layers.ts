/** Makes the layers of TensorFlow.js that a document describes, and cuts their weights from the document's matrices W. */
import * as tf from '@tensorflow/tfjs';
import type { LayerSpec, Rows } from './document.js';

/** A layer of TensorFlow.js. */
export type Layer = tf.layers.Layer;

/** The arguments of a layer. TensorFlow.js ignores arguments that it does not know. */
// biome-ignore lint/suspicious/noExplicitAny: every factory of tf.layers has arguments of its own, and a document states them as data.
type Arguments = any;

/** Makes the weights of a layer, in the order of tfjs, from the matrices W of its blocks. */
type Weights = (spec: LayerSpec, blocks: ReadonlyArray<Rows>) => tf.Tensor[];

interface LayerKind {
  readonly make: (args: Arguments) => Layer;
  /** Suffixes that give the names of the layer's blocks when added to the layer's name; [''] for a single block. */
  readonly blocks: ReadonlyArray<string>;
  readonly weights: Weights;
}

const plain = (make: LayerKind['make']): LayerKind => ({ make, blocks: [], weights: () => [] });
const weighted = (make: LayerKind['make'], weights: Weights, blocks = ['']): LayerKind => ({ make, blocks, weights });

/**
 * Cuts a matrix W into the kernel and, if the layer has one, the bias, which is the last row of W.
 *
 * @param shape shape of the kernel without its last dimension
 */
function cut({ useBias }: LayerSpec, W: Rows, shape: ReadonlyArray<number>): tf.Tensor[] {
  const kernel = tf.tensor((useBias ? W.slice(0, -1) : W).flat(), [...shape, (W[0] as number[]).length]);
  return useBias ? [kernel, tf.tensor1d(W[W.length - 1] as number[])] : [kernel];
}

const denseWeights: Weights = (spec, [W]) => cut(spec, W as Rows, [(W as Rows).length - (spec.useBias ? 1 : 0)]);

/** Gives the kernel [...window, in, out]. */
const convolutionWeights: Weights = (spec, [W]) =>
  cut(spec, W as Rows, [...(spec.kernelSize as ReadonlyArray<number>), spec.channels as number]);

/** Gives the kernel [...window, out, in]. */
const transposedWeights: Weights = (spec, blocks) => {
  const [kernel, ...bias] = convolutionWeights(spec, blocks) as [tf.Tensor, ...tf.Tensor[]];
  return [tf.transpose(kernel, [0, 1, 3, 2]), ...bias];
};

/**
 * Gives the kernel [...window, in, multiplier]. W has a matrix for each input channel i; output channel i · multiplier + q is its
 * column q.
 */
const depthwiseWeights: Weights = (spec, [stack]) => {
  const [rows, P] = [stack as Rows, spec.channels as number];
  const n = rows.length / P;
  const channels = Array.from({ length: P }, (_, p) => cut(spec, rows.slice(p * n, (p + 1) * n), spec.kernelSize as number[]));
  const kernel = tf.stack(
    channels.map(([own]) => own as tf.Tensor),
    2,
  );
  return spec.useBias ? [kernel, tf.concat1d(channels.map(([, own]) => own as tf.Tensor1D))] : [kernel];
};

/** Gives the depthwise kernel, then the pointwise kernel, then the bias if the layer has one. */
const separableWeights: Weights = (spec, [depthwise, pointwise]) => {
  const channels = (pointwise as Rows).length - (spec.useBias ? 1 : 0);
  return [
    ...depthwiseWeights({ ...spec, useBias: false }, [depthwise as Rows]),
    ...convolutionWeights({ ...spec, kernelSize: [1, 1], channels }, [pointwise as Rows]),
  ];
};

const scaleWeights: Weights = (_, [W]) => (W as Rows).map((row) => tf.tensor1d(row));

const batchWeights: Weights = (spec, blocks) => [
  ...scaleWeights(spec, blocks),
  tf.tensor1d(spec.movingMean as number[]),
  tf.tensor1d(spec.movingVariance as number[]),
];

const KINDS: Readonly<Record<string, LayerKind>> = {
  Dense: weighted((a) => tf.layers.dense(a), denseWeights),
  Conv1D: weighted((a) => tf.layers.conv1d(a), convolutionWeights),
  Conv2D: weighted((a) => tf.layers.conv2d(a), convolutionWeights),
  Conv3D: weighted((a) => tf.layers.conv3d(a), convolutionWeights),
  Conv2DTranspose: weighted((a) => tf.layers.conv2dTranspose(a), transposedWeights),
  DepthwiseConv2D: weighted((a) => tf.layers.depthwiseConv2d(a), depthwiseWeights),
  SeparableConv2D: weighted((a) => tf.layers.separableConv2d(a), separableWeights, ['/depthwise', '/pointwise']),
  Embedding: weighted((a) => tf.layers.embedding(a), denseWeights),
  LayerNormalization: weighted((a) => tf.layers.layerNormalization(a), scaleWeights),
  BatchNormalization: weighted((a) => tf.layers.batchNormalization(a), batchWeights),
  Flatten: plain((a) => tf.layers.flatten(a)),
  GlobalAveragePooling1D: plain((a) => tf.layers.globalAveragePooling1d(a)),
  GlobalAveragePooling2D: plain((a) => tf.layers.globalAveragePooling2d(a)),
  MaxPooling2D: plain((a) => tf.layers.maxPooling2d(a)),
  Activation: plain((a) => tf.layers.activation(a)),
  Dropout: plain((a) => tf.layers.dropout(a)),
  Add: plain((a) => tf.layers.add(a)),
  Concatenate: plain((a) => tf.layers.concatenate(a)),
};

const kindOf = ({ className = '' }: LayerSpec): LayerKind => {
  const kind = KINDS[className];
  if (kind === undefined)
    throw new Error(`A reference document has a layer '${className}', which scripts/reference/layers.ts cannot make`);
  return kind;
};

/** Suffixes of the names of a layer's blocks. Input layers and further uses of another layer have no blocks. */
export const blocksOf = (spec: LayerSpec): ReadonlyArray<string> =>
  spec.shares !== undefined || spec.className === 'InputLayer' ? [] : kindOf(spec).blocks;

/** Makes a layer with that name. It gets its weights later, from `setWeights`. */
export function makeLayer(spec: LayerSpec, name: string, inputShape?: ReadonlyArray<number>): Layer {
  const { inputs, from, channels, movingMean, movingVariance, ...args } = spec as Arguments;
  return kindOf(spec).make({ ...args, name, ...(inputShape && { inputShape }) });
}

/**
 * Gives a layer its weights. The layer must be built already.
 *
 * @param blocks the document's matrices W for the blocks of this layer
 */
export const setWeights = (layer: Layer, spec: LayerSpec, blocks: ReadonlyArray<Rows>): void =>
  tf.tidy(() => layer.setWeights(kindOf(spec).weights(spec, blocks)));
