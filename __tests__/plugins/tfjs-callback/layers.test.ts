/**
 * `empirical` curvature of every kind of layer as a by-product of training: with a learning rate of 0 the callback's factors are those
 * of a pass over the same data. Where a step's gradients are not those of single examples, the callback takes a pass of its own.
 */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { everyEpoch, type Factors, kfac, type ObservedBatch } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { distance, matricesOf, pass } from '../../support/factors.js';
import { kronecker } from '../../support/kronecker.js';
import { COUPLED, DROPPING, type LayerCase, prepared, SHOWN } from '../../support/layers.js';
import { expectNoLeak } from '../../support/memory.js';

/** See byProduct.test.ts: roundings, and the 1e-7 at which tfjs's cross-entropies clip. */
const TOLERANCE = 1e-5;

const EMPIRICAL = kfac({ fisher: 'empirical' });

type Prepared = ReturnType<typeof prepared>;

/** Factors of one epoch of training, and which blocks' rows each step showed. */
async function trained({ model, data, likelihood }: Prepared, curvature = EMPIRICAL) {
  const callback = laplaceCallback({ likelihood, curvature, epochs: everyEpoch() });
  const shown: Array<ReadonlyArray<string>> = [];
  callback.batches$.subscribe((batch: ObservedBatch) =>
    batch.use(({ rows }) => {
      shown.push([...(rows?.keys() ?? [])]);
      return [];
    }),
  );
  await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
  return { factors: await lastValueFrom(callback.factors$), shown };
}

/** The same layers, counts and sums, entries within the tolerance of their sum's largest. */
function expectSameSums(found: Factors, expected: Factors): void {
  expect(found.layout).toEqual(expected.layout);
  expect(found.count).toBe(expected.count);
  expected.layers.forEach((layer, i) => {
    const own = matricesOf(found.layers[i]);
    for (const [part, sum] of Object.entries(matricesOf(layer))) {
      expect(distance(own[part]?.data ?? [], sum.data)).toBeLessThan(TOLERANCE);
    }
  });
}

describe('equals a pass over the same data', () => {
  it.each(SHOWN)('$name', async (own: LayerCase) => {
    const given = prepared(own);
    const expected = await pass(given.model, given.likelihood, given.data, EMPIRICAL);
    const { factors, shown } = await trained(given);
    if (!own.name.startsWith('BatchNormalization')) expectSameSums(factors, expected);
    expect(shown).toEqual([0, 1, 2].map(() => expect.arrayContaining(factors.layout.layers.map(({ name }) => name))));
  });

  it.each(SHOWN)('with weight sharing reduced: $name', async (own: LayerCase) => {
    const given = prepared(own);
    const curvature = kfac({ fisher: 'empirical', weightSharing: 'reduce' });
    const expected = await pass(given.model, given.likelihood, given.data, curvature);
    if (!own.name.startsWith('BatchNormalization')) expectSameSums((await trained(given, curvature)).factors, expected);
  });

  it.each(SHOWN)('frees what it holds: $name', async (own: LayerCase) => {
    const given = prepared(own);
    await expectNoLeak(async () => void (await trained(given)));
  });
});

describe('takes a pass of its own, in inference mode, where batch statistics couple examples', () => {
  it.each(COUPLED)('$name', async (own: LayerCase) => {
    const given = prepared(own);
    const { factors, shown } = await trained(given);
    expect(shown).toEqual([[], [], []]);
    // The moving statistics moved with each step, before its pass: the last step's are those of the trained model.
    const { data, likelihood } = given;
    const whole = prepared(own);
    const one = laplaceCallback({ likelihood, curvature: EMPIRICAL });
    await whole.model.fit(data.x, data.y, { epochs: 1, batchSize: 10, shuffle: false, verbose: 0, callbacks: one });
    expectSameSums(await lastValueFrom(one.factors$), await pass(whole.model, likelihood, data, EMPIRICAL));
    expect(factors.count).toBe(10);
  });
});

it('takes a pass of its own, in inference mode, where a recurrent layer drops some of its inputs and states', async () => {
  const given = prepared(DROPPING);
  const expected = await pass(given.model, given.likelihood, given.data, EMPIRICAL);
  const { factors, shown } = await trained(given);
  expect(shown).toEqual([[], [], []]);
  expectSameSums(factors, expected);
});

describe('sees batch statistics below the covered layers as training does', () => {
  it('inputs of a convolution', async () => {
    const { layers } = tf;
    const model = tf.sequential({
      layers: [
        layers.batchNormalization({ inputShape: [3], momentum: 0.5 }),
        layers.dense({ units: 3, useBias: false, activation: 'softmax', name: 'top' }),
      ],
    });
    model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
    const given = { ...prepared({ name: '', make: () => model, shape: [3] }), model };
    const { factors } = await trained(
      { ...given, data: { x: given.data.x.slice(0, 4), y: given.data.y.slice(0, 4) } },
      kfac({ fisher: 'empirical', layers: ['top'] }),
    );
    const [gamma, beta] = (model.layers[0] as tf.layers.Layer).getWeights() as [tf.Tensor, tf.Tensor];
    const x = given.data.x.slice(0, 4);
    const { mean, variance } = tf.moments(x, 0);
    const a = x.sub(mean).div(variance.add(1e-3).sqrt()).mul(gamma).add(beta);
    const [layer] = factors.layers;
    expect(distance(kronecker(layer).input.data, a.transpose().matMul(a).dataSync())).toBeLessThan(TOLERANCE);
  });
});
