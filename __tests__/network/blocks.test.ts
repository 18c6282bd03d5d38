/** Which layers have a block, how many, of which shape; and what becomes of one whose factors would be too large. */
import * as tf from '@tensorflow/tfjs';
import { type Curvature, categorical, coverage, diagonal, ekfac, gaussian, kfac, type LayerSelection } from 'tfjs-laplace';
import { prepare } from '../../src/curvature/estimator.js';
import { LARGEST_FACTOR } from '../../src/limits.js';
import type { Block } from '../../src/network/blocks.js';
import { readNetwork, withBlocks } from '../../src/network/network.js';
import { right } from '../support/math/laplace.js';
import { dense, functional, on } from '../support/math/networks.js';

const blocksOf = (model: tf.LayersModel, layers: LayerSelection = 'all'): ReadonlyArray<Block> =>
  right(withBlocks(right(readNetwork(model, gaussian())), layers)).blocks;

const structuresOf = (model: tf.LayersModel, curvature: Curvature) =>
  right(prepare(right(readNetwork(model, gaussian())), curvature)).layout.layers.map(({ name, structure }) => [name, structure]);

/** What tells one block from another. */
const shape = ({ name, ops, groups, n, m, bias, map }: Block) => ({
  name,
  uses: ops.length,
  groups,
  n,
  m,
  bias,
  inputs: map.inputs,
});

const plain = (name: string, n: number, m: number) => ({
  name,
  uses: 1,
  groups: 1,
  n,
  m,
  bias: true,
  inputs: 'rows' as const,
});

const pooled = (layer: tf.layers.Layer, x: tf.SymbolicTensor) => on(tf.layers.globalAveragePooling1d({}), on(layer, x));
const top = () => dense(2, { name: 'top' });

describe('a block for every layer that is linear in its weights', () => {
  const CASES: ReadonlyArray<readonly [string, () => tf.LayersModel, ReadonlyArray<ReturnType<typeof shape>>]> = [
    [
      'a shared dense layer: one block, covered once, with its uses in running order',
      () => {
        const shared = dense(3, { name: 'shared' });
        return functional([3], (x) => on(top(), on(tf.layers.add(), on(shared, x), on(shared, on(shared, x)))));
      },
      [{ ...plain('shared', 4, 3), uses: 3 }, plain('top', 4, 2)],
    ],
    [
      'a dense layer of a shared inner model',
      () => {
        const inner = tf.sequential({ layers: [dense(3, { inputShape: [3], name: 'inside' })] });
        return functional([3], (x) => on(top(), on(tf.layers.add(), on(inner, x), on(inner, on(inner, x)))));
      },
      [{ ...plain('inside', 4, 3), uses: 3 }, plain('top', 4, 2)],
    ],
    [
      'a dense layer on sequences',
      () => functional([4, 3], (x) => on(top(), pooled(dense(5, { name: 'steps' }), x))),
      [plain('steps', 4, 5), plain('top', 6, 2)],
    ],
    [
      'a dense layer for each step of TimeDistributed',
      () =>
        functional([4, 3], (x) =>
          on(top(), pooled(tf.layers.timeDistributed({ layer: dense(5, { activation: 'tanh' }), name: 'steps' }), x)),
        ),
      [plain('steps', 4, 5), plain('top', 6, 2)],
    ],
    [
      'a normalisation by moving statistics: a diagonal of a scale and a shift for each feature',
      () => functional([3], (x) => on(top(), on(tf.layers.batchNormalization({ name: 'norm' }), x))),
      [{ ...plain('norm', 2, 1), groups: 3, inputs: 'features' }, plain('top', 4, 2)],
    ],
    [
      'a normalisation of each example, without a shift',
      () => functional([3], (x) => on(top(), on(tf.layers.layerNormalization({ name: 'norm', center: false }), x))),
      [{ ...plain('norm', 1, 1), groups: 3, bias: false, inputs: 'features' }, plain('top', 4, 2)],
    ],
    [
      'a normalisation without weights',
      () => functional([3], (x) => on(top(), on(tf.layers.layerNormalization({ center: false, scale: false }), x))),
      [plain('top', 4, 2)],
    ],
    [
      'a convolution: patches of 2 · 3 pixels and 4 channels, and a bias',
      () =>
        functional([5, 5, 4], (x) =>
          on(top(), on(tf.layers.flatten(), on(tf.layers.conv2d({ filters: 2, kernelSize: [2, 3], name: 'conv' }), x))),
        ),
      [plain('conv', 25, 2), plain('top', 25, 2)],
    ],
    [
      'a separable convolution: a block for each channel, then one over the channels',
      () =>
        functional([3, 3, 4], (x) => {
          const conv = tf.layers.separableConv2d({ filters: 5, kernelSize: 2, depthMultiplier: 2, name: 'conv' });
          return on(top(), on(tf.layers.flatten(), on(conv, x)));
        }),
      [{ ...plain('conv/depthwise', 4, 2), groups: 4, bias: false }, plain('conv/pointwise', 9, 5), plain('top', 21, 2)],
    ],
    [
      'an embedding',
      () => functional([4], (x) => on(top(), pooled(tf.layers.embedding({ inputDim: 7, outputDim: 3, name: 'table' }), x))),
      [{ ...plain('table', 7, 3), bias: false, inputs: 'tokens' }, plain('top', 4, 2)],
    ],
  ];

  it.each(CASES)('%s', (_, build, expected) => {
    expect(blocksOf(build()).map(shape)).toEqual(expected);
  });

  it('both blocks of a separable convolution by its name, or one by its own', () => {
    const [, build] = CASES.find(([name]) => name.startsWith('a separable')) as (typeof CASES)[number];
    expect(blocksOf(build(), ['conv']).map((b) => b.name)).toEqual(['conv/depthwise', 'conv/pointwise']);
    expect(blocksOf(build(), ['conv/pointwise']).map((b) => b.name)).toEqual(['conv/pointwise']);
  });

  it('a layer that has the only block is the last', () => {
    const model = functional([3], (x) => on(tf.layers.batchNormalization({ name: 'norm' }), x));
    expect(blocksOf(model, 'last').map((b) => b.name)).toEqual(['norm']);
  });
});

describe('a factor that would be too large', () => {
  // One column more than allowed: with its bias, a factor of LARGEST_FACTOR + 1 rows.
  const wide = (inputs = LARGEST_FACTOR): tf.LayersModel =>
    functional([inputs], (x) => on(dense(2, { name: 'top' }), on(dense(1, { name: 'wide' }), x)));
  const whole = (model: tf.LayersModel) => right(readNetwork(model, categorical()));

  it("is refused under 'error', with its size and what to do", () => {
    const found = prepare(whole(wide()), kfac());
    expect(found).toMatchObject({ left: { kind: 'UnsupportedLayer', layer: 'wide', found: 'factors of 8193 and 1 rows' } });
    const { message } = (found as { left: Error }).left;
    for (const part of ['8192', "unsupported: 'diagonal'", "'map'", "layers: 'last'"]) expect(message).toContain(part);
    expect(prepare(whole(wide()), kfac({ layers: ['wide'] }))).toMatchObject({ left: { layer: 'wide' } });
  });

  it('is not, up to that size, nor where the layer is left out', () => {
    expect(structuresOf(wide(LARGEST_FACTOR - 1), kfac())).toEqual([
      ['wide', 'kronecker'],
      ['top', 'kronecker'],
    ]);
    expect(structuresOf(wide(), kfac({ layers: 'last' }))).toEqual([['top', 'kronecker']]);
    expect(structuresOf(wide(), kfac({ layers: ['top'] }))).toEqual([['top', 'kronecker']]);
  });

  it("becomes its diagonal under 'diagonal': of a layer with many inputs the input factor alone", () => {
    expect(structuresOf(wide(), kfac({ unsupported: 'diagonal' }))).toEqual([
      ['wide', 'inputDiagonal'],
      ['top', 'kronecker'],
    ]);
    expect(right(prepare(whole(wide()), kfac({ unsupported: 'diagonal' }))).layout.covered).toEqual(['wide', 'top']);
    expect(structuresOf(wide(), ekfac({ unsupported: 'diagonal' }))).toEqual([
      ['wide', 'eigen'],
      ['top', 'eigen'],
    ]);
  });

  it("becomes a diagonal under 'diagonal', a number for each weight, where the layer has many outputs", () => {
    const broad = functional([1], (x) => on(dense(2, { name: 'top' }), on(dense(LARGEST_FACTOR + 1, { name: 'broad' }), x)));
    expect(structuresOf(broad, kfac({ unsupported: 'diagonal', layers: ['broad'] }))).toEqual([['broad', 'diagonal']]);
  });

  it("is left out under 'map'", () => {
    expect(right(prepare(whole(wide()), kfac({ unsupported: 'map' }))).layout.covered).toEqual(['top']);
  });

  it('counts outputs as well: the gradient factor of a layer with many', () => {
    const broad = functional([1], (x) => on(dense(2), on(dense(LARGEST_FACTOR + 1, { name: 'broad', useBias: false }), x)));
    expect(prepare(whole(broad), kfac({ layers: ['broad'] }))).toMatchObject({
      left: { layer: 'broad', found: 'factors of 1 and 8193 rows' },
    });
  });

  it("is none for an embedding's table, which has counts for a factor", () => {
    const table = tf.layers.embedding({ inputDim: 50_000, outputDim: 1, name: 'table' });
    const model = functional([4], (x) => on(top(), pooled(table, x)));
    expect(structuresOf(model, kfac())).toEqual([
      ['table', 'embedding'],
      ['top', 'kronecker'],
    ]);
  });

  it('nobody asks for under diagonal()', () => {
    const found = prepare(whole(wide()), diagonal());
    expect(found).toMatchObject({ right: { layout: { layers: [{ name: 'wide', structure: 'diagonal' }, { name: 'top' }] } } });
  });

  it.each<[Curvature, ReadonlyArray<string>, string | undefined]>([
    [kfac(), ['top', 'wide: map'], "'wide' is refused"],
    [kfac({ unsupported: 'map' }), ['top', 'wide: map'], "'wide' stays at its MAP"],
    [kfac({ unsupported: 'diagonal' }), ['wide', 'top'], "'wide' keeps the diagonal of one factor, and one factor"],
    [diagonal(), ['wide', 'top'], undefined],
  ])('is told by the coverage of %j', (curvature, layers, warning) => {
    const found = right(coverage(wide(), { likelihood: categorical(), curvature }));
    expect(found.layers.map((l) => (l.block === 'map' ? `${l.name}: map` : l.name))).toEqual(layers);
    expect(found.warnings).toEqual(warning === undefined ? [] : [expect.stringContaining(warning)]);
  });
});
