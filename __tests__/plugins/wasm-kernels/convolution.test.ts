/**
 * Gradients of convolutions, twice independently: against the plain JavaScript kernels, and as the adjoints of the convolution:
 * ⟨dy, conv(x, v)⟩ = ⟨dW, v⟩ and ⟨dy, conv(v, w)⟩ = ⟨dx, v⟩ for any v. The second covers what the plain kernels get wrong (dilation).
 */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { FLOAT32 } from '../../support/math/numbers.js';
import { expectNoLeak } from '../../support/memory.js';
import { dataIds, expectSame, filled, kernel, on, onWasm } from './both.js';

onWasm();

interface Case {
  readonly batch: number;
  readonly input: ReadonlyArray<number>;
  readonly window: ReadonlyArray<number>;
  readonly strides: ReadonlyArray<number>;
  readonly channels: number;
  readonly filters: number;
  readonly pad: 'same' | 'valid' | number | ReadonlyArray<ReadonlyArray<number>>;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: ReadonlyArray<number>;
  readonly dataFormat?: 'NHWC' | 'NCHW';
}

const axes = (rank: number, max: number) => fc.array(fc.integer({ min: 1, max }), { minLength: rank, maxLength: rank });
const few = fc.integer({ min: 1, max: 3 });
const sides = fc.tuple(few, few).map(([a, b]) => [a - 1, b - 1] as const);
const named = fc.constantFrom('same' as const, 'valid' as const);
const rounded = fc.record({ pad: fc.integer({ min: 0, max: 2 }), dimRoundingMode: fc.constantFrom('floor', 'round', 'ceil') });
const explicit = fc.tuple(sides, sides).map(([rows, columns]) => ({ pad: [[0, 0], rows, columns, [0, 0]] }));

/** Anything that tfjs takes, windows no larger than the input. */
const cases = (rank: 2 | 3): fc.Arbitrary<Case> =>
  fc
    .record({ batch: few, window: axes(rank, 3), more: axes(rank, 5), strides: axes(rank, 3), channels: few, filters: few })
    .chain(({ window, more, ...rest }) => {
      const input = window.map((n, i) => n + (more[i] as number) - 1);
      const padding =
        rank === 2
          ? fc.oneof(
              named.map((pad) => ({ pad })),
              rounded,
              explicit,
            )
          : named.map((pad) => ({ pad }));
      return padding.map((pads) => ({ ...rest, window, input, ...pads }) as Case);
    });

type Forward = 'Conv2D' | 'DepthwiseConv2dNative' | 'Conv3D';
const NAMES = {
  Conv2D: ['Conv2DBackpropFilter', 'Conv2DBackpropInput'],
  DepthwiseConv2dNative: ['DepthwiseConv2dNativeBackpropFilter', 'DepthwiseConv2dNativeBackpropInput'],
  Conv3D: ['Conv3DBackpropFilterV2', 'Conv3DBackpropInputV2'],
} as const;

/** The convolution of a case and its gradients, all by the kernels of the backend in use. */
function problem(forward: Forward, one: Case) {
  const { batch, input, window, strides, channels, filters, pad, dimRoundingMode, dilations = window.map(() => 1) } = one;
  const format = one.dataFormat ?? 'NHWC';
  const attrs = { strides, pad, dimRoundingMode, dilations, dataFormat: forward === 'Conv3D' ? 'NDHWC' : format };
  const inputShape = format === 'NCHW' ? [batch, channels, ...input] : [batch, ...input, channels];
  const filterShape = [...window, channels, filters];
  const convolve = (x: tf.Tensor, filter: tf.Tensor) => kernel(forward, { x, filter }, attrs);
  const [inFilter, inInput] = NAMES[forward];
  return {
    inputShape,
    filterShape,
    convolve,
    inFilter: (x: tf.Tensor, dy: tf.Tensor) => kernel(inFilter, { x, dy }, { ...attrs, filterShape }),
    inInput: (dy: tf.Tensor, filter: tf.Tensor) => kernel(inInput, { dy, filter }, { ...attrs, inputShape }),
  };
}

/** The shape of the convolution's result: WASM itself can't convolve channels first. */
async function gradientsOf(forward: Forward, one: Case) {
  const p = problem(forward, one);
  const { shape } = await on('cpu', () => p.convolve(filled(p.inputShape, 1), filled(p.filterShape, 2)));
  return {
    ...p,
    filter: () => p.inFilter(filled(p.inputShape, 1), filled(shape, 3)),
    input: () => p.inInput(filled(shape, 3), filled(p.filterShape, 2)),
    shape,
  };
}

/** Sums have fewer than 3 · 64 · 27 terms of one size: 5e-6 of the largest result, where a misplaced entry is off by a tenth. */
async function expectPlain(forward: Forward, one: Case): Promise<void> {
  const { filter, input, shape } = await gradientsOf(forward, one);
  if (shape.some((n) => n < 1)) return;
  await expectSame(filter, FLOAT32);
  await expectSame(input, FLOAT32);
}

async function expectAdjoint(forward: Forward, one: Case): Promise<void> {
  const p = await gradientsOf(forward, one);
  if (p.shape.some((n) => n < 1)) return;
  const dot = (a: number[], b: number[]): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
  const numbers = async (backend: 'cpu' | 'wasm', run: () => tf.Tensor) => (await on(backend, run)).numbers;
  const dy = await numbers('cpu', () => filled(p.shape, 3));
  for (const [gradient, moved, direction] of [
    [p.filter, () => p.convolve(filled(p.inputShape, 1), filled(p.filterShape, 4)), p.filterShape],
    [p.input, () => p.convolve(filled(p.inputShape, 4), filled(p.filterShape, 2)), p.inputShape],
  ] as const) {
    const expected = dot(dy, await numbers('cpu', moved));
    const found = dot(await numbers('wasm', gradient), await numbers('cpu', () => filled(direction, 4)));
    expect(Math.abs(found - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
  }
}

const settings = { numRuns: 60, seed: 7 };

it('in the plane they are those of the plain backend', async () => {
  await fc.assert(
    fc.asyncProperty(cases(2), (one) => expectPlain('Conv2D', one)),
    settings,
  );
});

it('channels first too', async () => {
  const first = cases(2).filter(({ pad }) => !Array.isArray(pad));
  await fc.assert(
    fc.asyncProperty(first, (one) => expectPlain('Conv2D', { ...one, dataFormat: 'NCHW' })),
    { ...settings, numRuns: 20 },
  );
});

it('of depthwise convolutions too', async () => {
  await fc.assert(
    fc.asyncProperty(cases(2), (one) => expectPlain('DepthwiseConv2dNative', one)),
    settings,
  );
});

it('in space too, where the backend has wrong ones', async () => {
  await fc.assert(
    fc.asyncProperty(cases(3), (one) => expectPlain('Conv3D', one)),
    { ...settings, numRuns: 40 },
  );
});

it('they are adjoints', async () => {
  await fc.assert(
    fc.asyncProperty(cases(2), (one) => expectAdjoint('Conv2D', one)),
    { ...settings, numRuns: 20 },
  );
  await fc.assert(
    fc.asyncProperty(cases(3), (one) => expectAdjoint('Conv3D', one)),
    { ...settings, numRuns: 20 },
  );
});

it.each(['same', 'valid'] as const)('of dilated depthwise ones too, which the plain backend gets wrong: %s', async (pad) => {
  const sizes = { batch: 2, input: [9, 8], window: [3, 2], strides: [1, 1], channels: 2, filters: 3 };
  await expectAdjoint('DepthwiseConv2dNative', { ...sizes, pad, dilations: [2, 3] });
});

it('of real layers: LeNet, and a block of a residual network', async () => {
  for (const one of [
    { batch: 4, input: [28, 28], window: [5, 5], strides: [1, 1], channels: 1, filters: 6, pad: 'same' as const },
    { batch: 2, input: [32, 32], window: [3, 3], strides: [2, 2], channels: 16, filters: 32, pad: 'same' as const },
  ]) {
    const { filter, input } = await gradientsOf('Conv2D', one);
    // Sums of 3136 terms: rounding grows with the root of their number.
    await expectSame(filter, 5e-5);
    await expectSame(input, FLOAT32);
  }
});

it('of no examples they are zero', () => {
  const p = problem('Conv2D', {
    batch: 0,
    input: [5, 5],
    window: [3, 3],
    strides: [1, 1],
    channels: 2,
    filters: 2,
    pad: 'valid',
  });
  expect(p.inFilter(tf.zeros([0, 5, 5, 2]), tf.zeros([0, 3, 3, 2])).dataSync()).toEqual(new Float32Array(36));
  expect(p.inInput(tf.zeros([0, 3, 3, 2]), filled([3, 3, 2, 2], 1)).shape).toEqual([0, 5, 5, 2]);
});

it('a NaN in dy is in every gradient that it enters, as on the plain backend', async () => {
  const one: Case = { batch: 2, input: [6, 6], window: [3, 3], strides: [1, 1], channels: 2, filters: 2, pad: 'valid' };
  const p = problem('Conv2D', one);
  const dy = () => tf.where(tf.equal(tf.reshape(tf.range(0, 64), [2, 4, 4, 2]), 21), Number.NaN, filled([2, 4, 4, 2], 1));
  for (const run of [() => p.inFilter(filled(p.inputShape, 1), dy()), () => p.inInput(dy(), filled(p.filterShape, 2))]) {
    const spoiled = () => tf.isNaN(run());
    const { numbers } = await on('wasm', spoiled);
    expect(numbers).toEqual((await on('cpu', spoiled)).numbers);
    expect(numbers).toContain(1);
    expect(numbers).toContain(0);
  }
});

it('frees all that it makes', async () => {
  const run = () =>
    tf.tidy(() => {
      for (const pad of ['same', 'valid'] as const) {
        for (const forward of ['Conv2D', 'DepthwiseConv2dNative', 'Conv3D'] as const) {
          const rank = forward === 'Conv3D' ? 3 : 2;
          const each = (n: number) => Array<number>(rank).fill(n);
          const one = { batch: 2, input: each(6), window: each(2), strides: each(2), channels: 2, filters: 2, pad };
          const p = problem(forward, one);
          const y = p.convolve(filled(p.inputShape, 1), filled(p.filterShape, 2));
          p.inFilter(filled(p.inputShape, 1), y);
          p.inInput(y, filled(p.filterShape, 2));
        }
      }
    });
  await expectNoLeak(run);
  const before = dataIds();
  run();
  expect(dataIds()).toBe(before);
});
