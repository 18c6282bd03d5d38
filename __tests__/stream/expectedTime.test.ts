/** What a pass will take, told beforehand. The clock is a fake one: it moves by one step whenever it is read. */
import * as tf from '@tensorflow/tfjs';
import {
  type Curvature,
  categorical,
  customLikelihood,
  diagonal,
  type ExpectedTimeOptions,
  ekfac,
  empirical,
  expectedTime,
  full,
  gaussian,
  heteroscedastic,
  kfac,
  kfra,
  type Likelihood,
  lowRank,
  perOutput,
  perStep,
  truncated,
} from 'tfjs-laplace';
import { javascriptEngine } from '../../src/linalg/javascript.js';
import { expectRejection } from '../support/errors.js';
import { chain } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';
import { noise, ZOO } from '../support/zoo.js';

const L = tf.layers;

/** Seconds between two readings of the clock. Longer than the patience of a rehearsal, which so times one batch. */
const TICK = 2;

let restore = (): void => {};
beforeEach(() => {
  let now = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => {
    now += 1000 * TICK;
    return now;
  });
  restore = () => clock.mockRestore();
});
afterEach(() => restore());

const ask = (model: tf.LayersModel, options: Partial<ExpectedTimeOptions> = {}) =>
  expectedTime(model, { likelihood: categorical(), curvature: kfac(), examples: 10, ...options });

it('is a batch times the number of batches, and one reading of the sums', async () => {
  const model = chain([6, 3]);
  for (const [examples, batch, batches] of [
    [64, 32, 2],
    [96, 8, 12],
    [1, 4, 1 / 4],
  ] as const) {
    expect((await ask(model, { examples, batch })).pass).toBeCloseTo(batches * TICK + TICK);
  }
  expect((await ask(model, { examples: 64 })).pass).toBeCloseTo(3 * TICK);
  // ekfac takes two passes.
  expect((await ask(model, { examples: 64, curvature: ekfac() })).pass).toBeCloseTo(2 * 3 * TICK);
});

it('takes a batch of the data, whose examples it counts', async () => {
  const batch = { x: noise([5, 4], 1), y: tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1], 'int32'), 3) };
  const model = chain([6, 3], { inputs: 4 });
  expect((await ask(model, { examples: 20, batch })).pass).toBeCloseTo(5 * TICK);
  expect((await ask(model, { examples: 20, batch: { xs: batch.x, ys: batch.y } })).pass).toBeCloseTo(5 * TICK);
});

it('says how long the decompositions take by the engine that is named, and nothing where there are none', async () => {
  const model = chain([6, 3], { inputs: 4 });
  // 9 n³ operations of sides 5 and 6, 7 and 3, at the speed of one of side 256.
  const sides = [5, 6, 7, 3].reduce((sum, n) => sum + n ** 3, 0);
  expect((await ask(model, { engine: javascriptEngine })).decompositions).toBeCloseTo((TICK * sides) / 256 ** 3);
  expect((await ask(model, { curvature: diagonal() })).decompositions).toBe(0);
});

describe('sends batches of zeros, with labels that are in range, through every kind of model', () => {
  const runs = async (model: tf.LayersModel, likelihood: Likelihood, curvature: Curvature = kfac()): Promise<void> =>
    expect((await ask(model, { likelihood, curvature, batch: 2 })).pass).toBeGreaterThan(0);

  it.each(ZOO)('$name', (kind) => runs(kind.build(), gaussian()));

  it.each([
    ekfac(),
    diagonal(),
    full(),
    kfac({ fisher: truncated() }),
    kfac({ fisher: empirical() }),
    kfra(),
    lowRank({ rank: 2 }),
  ])('$_tag', (curvature) => runs(chain([6, 3]), categorical(), curvature));

  it('ekfac on an embedding', () =>
    runs(
      tf.sequential({
        layers: [L.embedding({ inputDim: 9, outputDim: 3, inputLength: 4 }), L.flatten(), L.dense({ units: 3 })],
      }),
      categorical(),
      ekfac(),
    ));

  it('steps of a sequence', async () => {
    const model = tf.sequential({
      layers: [L.lstm({ inputShape: [4, 2], units: 3, returnSequences: true }), L.dense({ units: 4 })],
    });
    for (const each of [categorical(), gaussian(), heteroscedastic()]) await runs(model, perStep(each));
  });

  it('several outputs', async () => {
    const input = tf.input({ shape: [3] });
    const [a, b] = ['a', 'b'].map((name, i) => L.dense({ units: 2 + i, name }).apply(input) as tf.SymbolicTensor);
    const model = tf.model({ inputs: input, outputs: [a, b] as tf.SymbolicTensor[] });
    await runs(model, perOutput({ a: heteroscedastic(), b: categorical() }));
  });
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d examples', (examples) =>
  expectRejection(ask(chain([3]), { examples }), 'InvalidOption', { field: 'examples' }),
);

it.each([0, -1, 1.5, Number.NaN])('refuses a batch of %d', (batch) =>
  expectRejection(ask(chain([3]), { batch }), 'InvalidOption', { field: 'batch' }),
);

it('wants a batch where the model alone does not tell what one looks like', async () => {
  const open = tf.sequential({
    layers: [
      L.conv1d({ inputShape: [null as unknown as number, 2], filters: 3, kernelSize: 2 }),
      L.globalAveragePooling1d({}),
      L.dense({ units: 3 }),
    ],
  });
  await expectRejection(ask(open), 'InvalidOption', { field: 'batch' });
  const y = tf.oneHot(tf.tensor1d([0, 1], 'int32'), 3);
  expect((await ask(open, { batch: { x: noise([2, 5, 2], 1), y } })).pass).toBeGreaterThan(0);
  const own = customLikelihood({
    name: 'squares',
    nll: (f, labels) => tf.sum(tf.square(tf.sub(f, labels)), 1) as tf.Tensor1D,
    hessianRoot: (f) => tf.reshape(tf.mul(tf.ones([f.shape[0], 1]), Math.SQRT2), [1, f.shape[0], 1]) as tf.Tensor3D,
  });
  await expectRejection(ask(chain([1]), { likelihood: own }), 'InvalidOption', { field: 'batch' });
});

it('rejects as the pass would', async () => {
  await expectRejection(ask(chain([3]), { likelihood: heteroscedastic() }), 'InvalidModel');
  await expectRejection(ask(chain([6, 3]), { curvature: kfac({ layers: ['none'] }) }), 'NoBayesianLayer');
  await expectRejection(ask(chain([3], { inputs: 4 }), { batch: { x: noise([2, 5], 1), y: noise([2, 3], 2) } }), 'InvalidInput');
  await expectRejection(ask(chain([3]), { engine: 'none' as 'wasm' }), 'InvalidOption');
});

it.each([kfac(), ekfac(), diagonal()])('leaks nothing: $_tag', (curvature) => {
  const model = chain([3]);
  return expectNoLeak(async () => void (await ask(model, { curvature, batch: 2 })));
});
