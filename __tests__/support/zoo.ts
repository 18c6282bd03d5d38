/** Small networks with layers of every kind that can have a block, and the Jacobians of their outputs in the blocks' weights. */
import * as tf from '@tensorflow/tfjs';
import type { Block } from '../../src/network/blocks.js';
import type { Network } from '../../src/network/network.js';
import { normalSource } from './math/monteCarlo.js';
import { type Case, dense, functional, inputsFor, on, withWeights } from './math/networks.js';

const L = tf.layers;

/** A network with tokens for inputs says how many there are. */
export interface ZooCase extends Case {
  readonly tokens?: number;
}

const named = (name: string, build: () => tf.LayersModel, tokens?: number): ZooCase => ({
  name,
  build: () => withWeights(build(), 11),
  ...(tokens === undefined ? {} : { tokens }),
});

const sequential = (...layers: tf.layers.Layer[]): tf.LayersModel => tf.sequential({ layers });

/** Outputs are logits; two or three of them. */
export const ZOO: ReadonlyArray<ZooCase> = [
  named('a convolution', () =>
    sequential(
      L.conv2d({ inputShape: [5, 4, 2], filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh' }),
      L.conv2d({ filters: 2, kernelSize: [2, 1], strides: 2, activation: 'tanh', useBias: false }),
      L.flatten(),
      dense(3),
    ),
  ),
  named('a convolution, channels first', () =>
    sequential(
      L.conv2d({ inputShape: [2, 4, 4], filters: 2, kernelSize: 2, dataFormat: 'channelsFirst', activation: 'tanh' }),
      L.flatten(),
      dense(2),
    ),
  ),
  named('a convolution of sequences', () =>
    sequential(
      L.conv1d({ inputShape: [7, 2], filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
      L.globalAveragePooling1d({}),
      dense(2),
    ),
  ),
  named('a convolution of volumes', () =>
    sequential(L.conv3d({ inputShape: [3, 3, 3, 1], filters: 2, kernelSize: 2, activation: 'tanh' }), L.flatten(), dense(2)),
  ),
  named('a transposed convolution', () =>
    sequential(
      L.conv2dTranspose({ inputShape: [2, 3, 2], filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
      L.conv2dTranspose({ filters: 1, kernelSize: 2, strides: 1, padding: 'valid' }),
      L.globalAveragePooling2d({}),
      dense(2),
    ),
  ),
  named('depthwise and separable convolutions', () =>
    sequential(
      L.depthwiseConv2d({ inputShape: [4, 4, 2], kernelSize: 2, depthMultiplier: 2, activation: 'tanh' }),
      L.separableConv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
      L.flatten(),
      dense(2),
    ),
  ),
  named(
    'an embedding',
    () =>
      sequential(
        L.embedding({ inputDim: 6, outputDim: 3, inputLength: 5 }),
        dense(2, { activation: 'tanh' }),
        L.flatten(),
        dense(2),
      ),
    6,
  ),
  named('dense layers on sequences', () =>
    sequential(dense(3, { inputShape: [4, 2], activation: 'tanh' }), L.globalAveragePooling1d({}), dense(3)),
  ),
  named('normalisations', () =>
    sequential(
      L.conv2d({ inputShape: [3, 3, 1], filters: 2, kernelSize: 2 }),
      L.batchNormalization({}),
      L.activation({ activation: 'tanh' }),
      L.layerNormalization({ axis: -1 }),
      L.flatten(),
      dense(2),
    ),
  ),
  named('a shared layer in a residual graph', () => {
    const shared = dense(3, { activation: 'tanh' });
    return functional([3], (x) => on(dense(2), on(L.add(), x, on(shared, on(shared, x)))));
  }),
  named('a layer at every step', () =>
    sequential(
      L.timeDistributed({ inputShape: [2, 3, 3, 1], layer: L.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh' }) }),
      L.flatten(),
      dense(2),
    ),
  ),
];

/** Inputs of a zoo network. */
export function zooInputs({ tokens }: ZooCase, model: tf.LayersModel, B: number, seed: number): tf.Tensor[] {
  const inputs = inputsFor(model, B, seed);
  if (tokens === undefined) return inputs;
  return tf.tidy(() => inputs.map((t) => tf.mod(tf.floor(tf.mul(tf.abs(t), 5)), tokens)));
}

/** Rows ∂f_c/∂W [P·n·m] of each example's outputs c, for every block: [block][example][c][weight]. */
export function blockJacobians(network: Network, x: ReadonlyArray<tf.Tensor>): number[][][][] {
  const { model, blocks, outputs: C } = network;
  const B = x[0]?.shape[0] as number;
  const found: number[][][][] = blocks.map(() => []);
  tf.tidy(() => {
    for (let b = 0; b < B; b++) {
      const example = x.map((t) => tf.slice(t, b, 1));
      // Outputs of all steps of a sequence side by side.
      const run = () => tf.reshape(model.apply(example.length === 1 ? (example[0] as tf.Tensor) : example) as tf.Tensor, [1, C]);
      const variables = blocks.flatMap(({ map }) => map.variables.map((v) => v.read() as tf.Variable));
      const rows: number[][][] = blocks.map(() => []);
      for (let c = 0; c < C; c++) {
        const { grads } = tf.variableGrads(() => tf.sum(tf.slice(run(), [0, c], [1, 1])), variables);
        blocks.forEach((block, i) => rows[i]?.push(rowOf(block, grads)));
      }
      for (const [i, list] of found.entries()) list.push(rows[i] as number[][]);
    }
  });
  return found;
}

const rowOf = ({ map }: Block, grads: tf.NamedTensorMap): number[] =>
  Array.from(map.toMatrix(map.variables.map((v) => grads[(v.read() as tf.Variable).name] as tf.Tensor)).dataSync());

/** A random tensor of this shape. */
export function noise(shape: ReadonlyArray<number>, seed: number): tf.Tensor {
  const normal = normalSource(seed);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, normal), [...shape]);
}
