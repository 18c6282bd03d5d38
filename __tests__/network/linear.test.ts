/** Every linear map against the layer of tfjs that it stands for: its outputs, its matrix, its adjoint. */

import * as tf from '@tensorflow/tfjs';
import { type LinearMap, present } from '../../src/network/linear/map.js';
import { lowered } from '../../src/network/lower.js';
import { inputsOf, type Op, outputsOf } from '../../src/network/ops.js';
import { inputsOfUse } from '../../src/network/positions.js';
import { distance } from '../support/factors.js';
import { withWeights } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { noise } from '../support/zoo.js';

withWasmKernels();

const L = tf.layers;
const B = 2;
/** Sums of some tens of float32 products, of numbers near 1. */
const ROUNDING = 1e-5;

interface Config {
  readonly name: string;
  readonly build: () => tf.layers.Layer;
  readonly shape: number[];
  readonly tokens?: number | undefined;
}

type Row = readonly [name: string, build: () => tf.layers.Layer, shape: number[], tokens?: number];

const both = ['valid', 'same'] as const;
const formats = ['channelsLast', 'channelsFirst'] as const;
const at = (format: string, spatial: number[], channels: number): number[] =>
  format === 'channelsFirst' ? [channels, ...spatial] : [...spatial, channels];

const ROWS: ReadonlyArray<Row> = [
  ['dense', () => L.dense({ units: 3 }), [4]],
  ['dense without bias', () => L.dense({ units: 3, useBias: false }), [4]],
  ['dense on sequences', () => L.dense({ units: 3 }), [5, 4]],
  ['dense on grids', () => L.dense({ units: 3, useBias: false }), [2, 3, 4]],
  ...both.flatMap((padding) =>
    formats.flatMap((dataFormat): Row[] => [
      ...[1, 2, 3].map(
        (strides): Row => [
          `conv2d ${padding} ${dataFormat}, strides ${strides}`,
          () => L.conv2d({ filters: 3, kernelSize: [3, 2], strides, padding, dataFormat }),
          at(dataFormat, [6, 5], 2),
        ],
      ),
      [
        `conv2d ${padding} ${dataFormat}, dilated`,
        () => L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, padding, dataFormat, useBias: false }),
        at(dataFormat, [6, 5], 2),
      ],
      ...[1, 2].map(
        (strides): Row => [
          `conv1d ${padding} ${dataFormat}, strides ${strides}`,
          () => L.conv1d({ filters: 3, kernelSize: 3, strides, padding, dataFormat }),
          at(dataFormat, [7], 2),
        ],
      ),
      ...[1, 2, 3].map(
        (strides): Row => [
          `conv2dTranspose ${padding} ${dataFormat}, strides ${strides}`,
          () => L.conv2dTranspose({ filters: 3, kernelSize: [3, 2], strides, padding, dataFormat }),
          at(dataFormat, [3, 4], 2),
        ],
      ),
      [
        `depthwiseConv2d ${padding} ${dataFormat}`,
        () => L.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, strides: 1, padding, dataFormat }),
        at(dataFormat, [5, 4], 3),
      ],
      [
        `depthwiseConv2d ${padding} ${dataFormat}, strides 2, no bias`,
        () => L.depthwiseConv2d({ kernelSize: 2, strides: 2, padding, dataFormat, useBias: false }),
        at(dataFormat, [5, 4], 2),
      ],
    ]),
  ),
  ['conv1d dilated', () => L.conv1d({ filters: 2, kernelSize: 2, dilationRate: 3 }), [8, 2]],
  ['conv3d', () => L.conv3d({ filters: 2, kernelSize: 2, strides: 2, padding: 'same' }), [3, 4, 3, 2]],
  ['conv3dTranspose', () => L.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 }), [2, 2, 1, 2]],
  ['separableConv2d', () => L.separableConv2d({ filters: 3, kernelSize: 2, depthMultiplier: 2 }), [4, 4, 2]],
  ['embedding', () => L.embedding({ inputDim: 7, outputDim: 3, inputLength: 5 }), [5], 7],
  ['batchNormalization', () => L.batchNormalization({}), [3, 2]],
  ['batchNormalization, axis 1, no scale', () => L.batchNormalization({ axis: 1, scale: false }), [3, 2]],
  ['batchNormalization, no shift', () => L.batchNormalization({ center: false, epsilon: 0.1 }), [3]],
  ['layerNormalization', () => L.layerNormalization({}), [3, 4]],
  ['layerNormalization over two axes', () => L.layerNormalization({ axis: [1, 2] }), [3, 4]],
  ['layerNormalization without scale', () => L.layerNormalization({ scale: false }), [4]],
  ['timeDistributed dense', () => L.timeDistributed({ layer: L.dense({ units: 2 }) }), [3, 4]],
  ['timeDistributed conv2d', () => L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2 }) }), [2, 3, 3, 1]],
];

const CONFIGS: ReadonlyArray<Config> = ROWS.map(([name, build, shape, tokens]) => ({ name, build, shape, tokens }));

/** A model of the layer alone, and inputs for it. */
function subject({ build, shape, tokens }: Config): { layer: tf.layers.Layer; model: tf.LayersModel; x: tf.Tensor } {
  const own = build();
  const input = tf.input({ shape });
  const model = withWeights(tf.model({ inputs: input, outputs: own.apply(input) as tf.SymbolicTensor }), 3);
  const x = noise([B, ...shape], 4);
  return { layer: own, model, x: tokens === undefined ? x : tf.tidy(() => tf.mod(tf.floor(tf.mul(tf.abs(x), 4)), tokens)) };
}

/** The linear maps of the layer, each with its inputs. */
function mapsOf(layer: tf.layers.Layer, x: tf.Tensor): { maps: Array<{ map: LinearMap; x: tf.Tensor }>; z: tf.Tensor } {
  const ops: Op[] = [];
  let last = 0;
  const end = lowered(layer, x.shape.slice(1))?.(0, { fresh: () => (last += 1), add: (op) => ops.push(op) }) as number;
  const maps: Array<{ map: LinearMap; x: tf.Tensor }> = [];
  const values = new Map([[0, x]]);
  for (const op of ops) {
    const [input, output] = [inputsOf(op)[0] as number, outputsOf(op)[0] as number];
    const value = values.get(input) as tf.Tensor;
    if (op.kind === 'linear') maps.push({ map: op.map, x: value });
    values.set(
      output,
      op.kind === 'linear'
        ? op.map.apply(value, present(op.map))
        : op.kind === 'elementwise'
          ? op.apply(value)
          : (op.apply([value])[0] as tf.Tensor),
    );
  }
  const z = values.get(end) as tf.Tensor;
  return { maps, z };
}

const dot = (a: tf.Tensor, b: tf.Tensor): number => {
  const [left, right] = [a, b].map((t) => Array.from(t.dataSync())) as [number[], number[]];
  return left.reduce((sum, v, i) => sum + v * (right[i] as number), 0);
};

describe.each(CONFIGS)('$name', (config) => {
  it('computes what the layer computes', () => {
    // Off TensorFlow tfjs normalises along other axes than the last with the numbers of the wrong features.
    if (config.name.includes('axis 1') && tf.getBackend() !== 'tensorflow') return;
    const { layer, model, x } = subject(config);
    const { z, maps } = mapsOf(layer, x);
    const expected = model.predict(x) as tf.Tensor;
    expect(maps.length).toBeGreaterThan(0);
    expect(z.shape).toEqual(expected.shape);
    expect(distance(z.dataSync(), expected.dataSync())).toBeLessThan(ROUNDING);
  });

  it('is a W at every position, and its matrix goes both ways', () => {
    const { layer, x } = subject(config);
    for (const { map, x: inputs } of mapsOf(layer, x).maps) {
      const weights = present(map);
      const W = map.toMatrix(weights);
      expect(W.shape).toEqual([map.groups * map.n, map.m]);
      map.fromMatrix(W).forEach((w, i) => {
        expect(w.shape).toEqual((weights[i] as tf.Tensor).shape);
        expect(Array.from(w.dataSync())).toEqual(Array.from((weights[i] as tf.Tensor).dataSync()));
      });
      // A shift alone adds to its inputs: linear in the weights up to what is there without them.
      const without = map.apply(inputs, weights.map(tf.zerosLike));
      const z = map.atPositions(tf.sub(map.apply(inputs, weights), without));
      const [P, R, T, m] = z.shape;
      if (map.positions !== undefined) expect(T).toBe(map.positions);
      const a = inputsOfUse({ map, bias: map.bias }, inputs);
      const rows = map.inputs === 'tokens' ? tf.oneHot(tf.cast(tf.reshape(a, [1, -1]), 'int32'), map.n) : a;
      const product = tf.matMul(tf.reshape(rows, [P, R * T, map.n]) as tf.Tensor3D, tf.reshape(W, [P, map.n, m]) as tf.Tensor3D);
      expect(distance(product.dataSync(), z.dataSync())).toBeLessThan(ROUNDING);
    }
  });

  it('goes back by its adjoint, for more rows than examples', () => {
    const { layer, x } = subject(config);
    for (const { map, x: inputs } of mapsOf(layer, x).maps) {
      if (map.inputs === 'tokens') continue;
      const weights = present(map);
      const K = 3;
      const rows = noise([K * B, ...inputs.shape.slice(1)], 5);
      const linear = tf.sub(map.apply(rows, weights), map.apply(tf.zerosLike(rows), weights));
      const g = noise(linear.shape, 6);
      const back = map.pullback(g, inputs, weights);
      expect(back.shape).toEqual(rows.shape);
      const [left, right] = [dot(linear, g), dot(rows, back)];
      const scale = Math.sqrt(dot(linear, linear) * dot(g, g));
      expect(Math.abs(left - right)).toBeLessThan(ROUNDING * scale);
    }
  });
});

it('leaves nothing behind', async () => {
  const all = CONFIGS.map(subject);
  await expectNoLeak(() => {
    for (const { layer, x } of all) {
      tf.tidy(() => {
        for (const { map, x: inputs } of mapsOf(layer, x).maps) {
          const z = map.apply(inputs, present(map));
          map.pullback(z, inputs, present(map));
          map.fromMatrix(map.toMatrix(present(map)));
          map.unfold(inputs);
        }
      });
    }
  });
});
