/**
 * `memoryBudget`: what the linearised predictive allocates stays below it, for every kind of layer, and says the same however it is cut.
 * Allocation is counted in buffers, from the subscription to the end: the posterior's copies too, not what a kernel uses on its own.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  activationSampling,
  type Curvature,
  categorical,
  diagonal,
  full,
  gaussian,
  kfac,
  type LaplaceError,
  linearised,
  type Posterior,
  type Prediction,
  type Predictive,
  predict,
  type SampledFunctions,
  sampleFunctions,
  weightSampling,
} from 'tfjs-laplace';
import { peakOf } from '../../bench/memory.js';
import { expectRefusal } from '../support/errors.js';
import { factorsOf, posteriorFrom } from '../support/math/laplace.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { withFixedWeights } from '../support/networks.js';
import { noise, ZOO, type ZooCase, zooInputs } from '../support/zoo.js';

/** Of the same float32 sums in another order; entropies are differences of numbers near 1. */
const SAME = 2e-5;
const EXAMPLES = 12;

const withBudget = (model: tf.LayersModel, posterior: Posterior, x: tf.Tensor[], memoryBudget: number): Promise<Prediction> =>
  lastValueFrom(from([x]).pipe(predict(model, posterior, linearised(), { memoryBudget })));

/** The least budget, as the error for a smaller one states it. */
async function least(model: tf.LayersModel, posterior: Posterior, x: tf.Tensor[]): Promise<number> {
  const error: LaplaceError = await withBudget(model, posterior, x, 1).then(
    () => Promise.reject(new Error('one byte was enough')),
    (reason) => reason,
  );
  expect([error.kind, error.field]).toEqual(['InvalidOption', 'memoryBudget']);
  return Number(/at least (\d+) bytes/.exec(error.expected ?? '')?.[1]);
}

/** Every array of a prediction, end to end. */
const numbersIn = (prediction: Prediction): number[] =>
  Object.values(prediction as object).flatMap((value) =>
    Array.isArray(value) ? value.flatMap((row) => [...row]) : value instanceof Float32Array ? [...value] : [],
  );

/** Several budgets from the least to plenty: all kept, all the same. */
async function expectKept(model: tf.LayersModel, posterior: Posterior, x: tf.Tensor[]): Promise<void> {
  let whole: number[] = [];
  const { bytes: most } = await peakOf(async () => {
    whole = numbersIn(await withBudget(model, posterior, x, Number.POSITIVE_INFINITY));
  });
  const fewest = await least(model, posterior, x);
  for (const share of [0, 0.03, 0.2, 0.6]) {
    const memoryBudget = Math.ceil(fewest + share * Math.max(0, most - fewest));
    let found: Prediction | undefined;
    const { bytes } = await peakOf(async () => {
      found = await withBudget(model, posterior, x, memoryBudget);
    });
    expect(bytes).toBeLessThanOrEqual(memoryBudget);
    expect(relativeError(numbersIn(found as unknown as Prediction), whole)).toBeLessThan(SAME);
  }
}

async function fitted(
  kind: ZooCase,
  curvature: Curvature,
): Promise<{ model: tf.LayersModel; posterior: Posterior; x: tf.Tensor[] }> {
  const model = kind.build();
  const C = model.outputs[0]?.shape[1] as number;
  const x = zooInputs(kind, model, 6, 3);
  const posterior = await posteriorFrom(await factorsOf(model, gaussian(), { x, y: noise([6, C], 4) }, curvature), {
    priorPrecision: 2,
  });
  return { model, posterior, x: zooInputs(kind, model, EXAMPLES, 5) };
}

describe.each(ZOO)('$name', (kind) => {
  it.each([kfac(), diagonal(), full()])('$_tag', async (curvature) => {
    const { model, posterior, x } = await fitted(kind, curvature);
    await expectKept(model, posterior, x);
  });
});

it('full covers a single layer, the last one', async () => {
  const model = withFixedWeights(tf.sequential({ layers: [tf.layers.dense({ inputShape: [20], units: 5 })] }));
  const data = { x: [noise([6, 20], 1)], y: noise([6, 5], 2) };
  const posterior = await posteriorFrom(await factorsOf(model, gaussian(), data, full()), { priorPrecision: 2 });
  await expectKept(model, posterior, [noise([EXAMPLES, 20], 3)]);
});

describe('a classifier, whose covariances are wanted', () => {
  const CLASSES = 7;
  let model: tf.LayersModel;
  let posterior: Posterior;
  let x: tf.Tensor[];
  beforeAll(async () => {
    model = withFixedWeights(
      tf.sequential({
        layers: [
          tf.layers.conv2d({ inputShape: [6, 6, 2], filters: 4, kernelSize: 3, activation: 'tanh' }),
          tf.layers.flatten(),
          tf.layers.dense({ units: 120, activation: 'relu' }),
          tf.layers.dense({ units: CLASSES }),
        ],
      }),
    );
    const data = {
      x: [noise([12, 6, 6, 2], 1)],
      y: tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 0, 2, 4, 6, 1], 'int32'), CLASSES),
    };
    posterior = await posteriorFrom(await factorsOf(model, categorical(), data, kfac()), { priorPrecision: 1 });
    x = [noise([8, 6, 6, 2], 2)];
  });

  it('has the same ones however few outputs go back together', async () => {
    await expectKept(model, posterior, x);
  });

  it('leaves nothing behind, at the least budget', async () => {
    const fewest = await least(model, posterior, x);
    await expectNoLeak(() => withBudget(model, posterior, x, fewest));
  });

  it.each([0, -1, Number.NaN])('refuses a budget of %p', (memoryBudget) => {
    expectRefusal(() => predict(model, posterior, linearised(), { memoryBudget }), 'memoryBudget');
  });
});

describe('sampled predictives', () => {
  const B = 400;
  let model: tf.LayersModel;
  let posterior: Posterior;
  let x: tf.Tensor;
  beforeAll(async () => {
    const L = tf.layers;
    const layers = [
      L.conv2d({ inputShape: [8, 8, 1], filters: 6, kernelSize: 3, activation: 'relu' }),
      L.flatten(),
      L.dense({ units: 64, activation: 'relu' }),
      L.dense({ units: 3 }),
    ];
    model = withFixedWeights(tf.sequential({ layers }));
    const data = { x: [noise([6, 8, 8, 1], 1)], y: tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3) };
    posterior = await posteriorFrom(await factorsOf(model, categorical(), data, kfac()), { priorPrecision: 1 });
    x = noise([B, 8, 8, 1], 2);
  });

  const sampled = (predictive: Predictive, memoryBudget: number): Promise<Prediction> =>
    lastValueFrom(from([x]).pipe(predict(model, posterior, predictive, { memoryBudget })));

  it.each([activationSampling({ samples: 4 }), weightSampling({ samples: 4 })])('keep to it: $_tag', async (predictive) => {
    // What is beside the budget, and what one example takes: all that a single example makes in four draws.
    const one = tf.slice(x, 0, 1);
    const { bytes: beside } = await peakOf(() =>
      lastValueFrom(from([one]).pipe(predict(model, posterior, predictive, { memoryBudget: 1 }))),
    );
    const { bytes: unbounded } = await peakOf(() => sampled(predictive, Number.POSITIVE_INFINITY));
    for (const memoryBudget of [2 ** 18, 2 ** 20]) {
      const { bytes } = await peakOf(() => sampled(predictive, memoryBudget));
      expect(bytes).toBeLessThanOrEqual(memoryBudget + beside);
      expect(bytes).toBeLessThan(unbounded);
    }
  });

  it('draw the same networks however a batch is cut', async () => {
    const predictive = weightSampling({ samples: 4, seed: 6 });
    const whole = numbersIn(await sampled(predictive, Number.POSITIVE_INFINITY));
    expect(relativeError(numbersIn(await sampled(predictive, 2 ** 18)), whole)).toBeLessThan(SAME);
  });
});

it('sampled functions keep to it', async () => {
  const L = tf.layers;
  const model = withFixedWeights(
    tf.sequential({ layers: [L.dense({ inputShape: [2], units: 32, activation: 'tanh' }), L.dense({ units: 1 })] }),
  );
  const data = { x: [noise([6, 2], 1)], y: noise([6, 1], 3) };
  const posterior = await posteriorFrom(await factorsOf(model, gaussian(), data, kfac()), { priorPrecision: 1 });
  // For two examples, the changes of the hidden layer under 128 functions already fill the whole budget.
  const [x, samples, memoryBudget] = [noise([40, 2], 2), 128, 2 ** 15];
  const values = (at: tf.Tensor, bytes: number): Promise<SampledFunctions> =>
    lastValueFrom(from([at]).pipe(sampleFunctions(model, posterior, { samples, memoryBudget: bytes })));
  const { bytes: beside } = await peakOf(() => values(tf.slice(x, 0, 1), 1));
  const whole = await values(x, Number.POSITIVE_INFINITY);
  let found: SampledFunctions | undefined;
  const { bytes } = await peakOf(async () => {
    found = await values(x, memoryBudget);
  });
  expect(bytes).toBeLessThanOrEqual(memoryBudget + beside);
  expect(relativeError(found?.functions.flat(2) as never, whole.functions.flat(2) as never)).toBeLessThan(SAME);
});
