/**
 * Weights that change while a posterior of them is in use. The stream ends with `Mismatch` before anything of the new weights goes out.
 * Weights that do not change cost nothing, and weights that are set to their own values are told from others.
 */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, type OperatorFunction, of, Subject } from 'rxjs';
import {
  activationSampling,
  categorical,
  crossCovariance,
  functionSampling,
  type InputSource,
  jointDistribution,
  kfac,
  linearised,
  mapSamples,
  outputDistribution,
  type Posterior,
  predict,
  predictRunning,
  sampleFunctions,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { laplaceApproximation } from 'tfjs-laplace/plugins/laplace-approximation';
import { expectRejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { withWeights } from '../support/math/networks.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { INPUTS, tensor } from '../support/networks.js';

const LIKELIHOOD = categorical();
const N = 6;

/** Only the last layer is covered, so that most weights are not the posterior's. */
function network(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 4, inputShape: [INPUTS], activation: 'tanh' }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
  return withWeights(model, 3);
}

let model: tf.LayersModel;
let posterior: Posterior;
let x: tf.Tensor;
let y: tf.Tensor;
beforeAll(async () => {
  model = network();
  x = tensor([N, INPUTS], 4);
  y = tf.tidy(() => tf.oneHot(tf.range(0, N).mod(3).toInt(), 3).toFloat());
  const factors = await pass(model, LIKELIHOOD, { x, y }, kfac({ layers: 'last' }));
  posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
});
afterEach(() => void withWeights(model, 3));

type Operator = () => OperatorFunction<InputSource, unknown>;
const OPERATORS: ReadonlyArray<[string, Operator]> = [
  ['predict, linearised', () => predict(model, posterior, linearised())],
  ['predict, activation sampling', () => predict(model, posterior, activationSampling({ samples: 3 }))],
  ['predict, weight sampling', () => predict(model, posterior, weightSampling({ samples: 3 }))],
  ['predict, function sampling', () => predict(model, posterior, functionSampling({ samples: 3 }))],
  ['predictRunning', () => predictRunning(model, posterior, activationSampling({ samples: 3 }))],
  ['sampleFunctions', () => sampleFunctions(model, posterior, { samples: 3 })],
];

/** A live subscription: `send` a batch and wait until it is worked off; then see what came of it. */
function live(operator: Operator) {
  const source = new Subject<InputSource>();
  const seen: unknown[] = [];
  const errors: unknown[] = [];
  const subscription = source.pipe(operator()).subscribe({ next: (value) => seen.push(value), error: (e) => errors.push(e) });
  const send = async (batch: InputSource = x): Promise<void> => {
    source.next(batch);
    await settled();
  };
  return { send, seen, errors, close: () => subscription.unsubscribe() };
}

/** Adds a number to one weight of the model. */
const shift = (weight: number): void =>
  tf.tidy(() => model.setWeights(model.getWeights().map((w, i) => (i === weight ? tf.add(w, 0.5) : w))));

/** Sets all weights to copies of what they are. */
const sameAgain = (): void =>
  tf.tidy(() => model.setWeights(model.getWeights().map((w) => tf.tensor(Float32Array.from(w.dataSync()), w.shape))));

const MISMATCH = expect.objectContaining({
  kind: 'Mismatch',
  field: 'fingerprint',
  remedy: expect.stringContaining('Observe the model again'),
});

describe.each(OPERATORS)('%s', (_, operator) => {
  it.each<[string, () => unknown]>([
    ['a covered weight is set', () => shift(6)],
    ['a weight that is not covered is set', () => shift(0)],
    ['a moving mean of a normalisation is set', () => shift(model.getWeights().length - 2)],
    ['the model is trained on', () => model.fit(x, y, { epochs: 1, verbose: 0 })],
    [
      'an optimizer takes a step',
      () => tf.train.sgd(0.1).minimize(() => tf.mean(tf.square(model.apply(x) as tf.Tensor)) as tf.Scalar),
    ],
  ])('ends when %s between two batches', async (__, change) => {
    const stream = live(operator);
    await stream.send();
    const before = stream.seen.length;
    expect(before).toBeGreaterThan(0);
    await change();
    await stream.send();
    expect(stream.errors).toEqual([MISMATCH]);
    expect(stream.seen).toHaveLength(before);
  });

  it('ends when a weight changes while a batch is in work', async () => {
    const stream = live(operator);
    await stream.send();
    const before = stream.seen.length;
    // The batch is made right before it is computed on. The microtask runs as soon as the work waits for the device.
    await stream.send(() => {
      queueMicrotask(() => shift(0));
      return tf.clone(x);
    });
    expect(stream.errors).toEqual([MISMATCH]);
    expect(stream.seen).toHaveLength(before);
  });

  it('goes on when the weights are set to what they were, or a layer is frozen', async () => {
    const stream = live(operator);
    await stream.send();
    sameAgain();
    await stream.send();
    const [first] = model.layers as [tf.layers.Layer];
    first.trainable = false;
    await stream.send();
    first.trainable = true;
    expect(stream.errors).toEqual([]);
    stream.close();
  });

  it('reads no weight while none changes, and each once when they are set again', async () => {
    const stream = live(operator);
    await stream.send();
    const read = jest.spyOn(tf.engine(), 'read');
    /** How many weights are read for a batch. The layers' own reads of other tensors are left out. */
    const reads = async (): Promise<number> => {
      read.mockClear();
      await stream.send();
      const own = new Set<object>(model.weights.map((w) => w.read().dataId));
      return read.mock.calls.filter(([dataId]) => own.has(dataId)).length;
    };
    try {
      expect(await reads()).toBe(0);
      sameAgain();
      expect(await reads()).toBe(model.weights.length);
      expect(await reads()).toBe(0);
    } finally {
      read.mockRestore();
      stream.close();
    }
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      const stream = live(operator);
      await stream.send();
      shift(0);
      await stream.send();
      expect(stream.errors).toEqual([MISMATCH]);
      withWeights(model, 3);
    });
  });
});

describe('sampleModels', () => {
  /** Draws networks for ever, and changes the model when the third one comes. */
  const drawn = async (change: () => unknown, each: (member: tf.LayersModel) => unknown = (member) => member.dispose()) => {
    let count = 0;
    const error = await new Promise((resolve) => {
      const stream = of(posterior).pipe(sampleModels(model, { samples: Infinity }));
      const subscription = stream.subscribe({
        next: (member) => {
          each(member);
          count += 1;
          if (count === 3) change();
          if (count < 6) return;
          subscription.unsubscribe();
          resolve('none');
        },
        error: resolve,
      });
    });
    return { count, error };
  };

  it('ends when the weights change between two networks', async () => {
    const run = () => drawn(() => shift(0));
    expect(await run()).toEqual({ count: 3, error: MISMATCH });
    withWeights(model, 3);
    await expectNoLeak(async () => {
      await run();
      withWeights(model, 3);
    });
  });

  it('goes on when they are set to what they were', async () => {
    expect(await drawn(sameAgain)).toEqual({ count: 6, error: 'none' });
  });

  /** Shifts a weight after the next check of the weights, before anything else reads them. */
  const shiftAfterCheck = () => {
    const weight = model.weights[0] as (typeof model.weights)[number];
    const read = weight.read;
    weight.read = () => {
      weight.read = read;
      queueMicrotask(() => shift(0));
      return read.call(weight);
    };
  };

  it('ends when they change while a network is copied, and neither emits nor keeps the copy', async () => {
    const run = () => drawn(shiftAfterCheck);
    expect(await run()).toEqual({ count: 3, error: MISMATCH });
    withWeights(model, 3);
    await expectNoLeak(async () => {
      await run();
      withWeights(model, 3);
    });
  });

  it('mapSamples goes on: its working copy keeps the weights that it was made of', async () => {
    const networks = async (change: () => unknown) => {
      const found: number[][] = [];
      const project = (sample: tf.LayersModel, s: number) => {
        found.push(sample.getWeights().flatMap((w) => Array.from(w.dataSync())));
        if (s === 0) change();
      };
      await lastValueFrom(of(posterior).pipe(mapSamples(model, { samples: 3 }, project)));
      return found;
    };
    const found = await networks(() => shift(0));
    withWeights(model, 3);
    expect(found).toEqual(await networks(() => {}));
  });
});

describe('functions that answer once', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['outputDistribution', () => outputDistribution(model, posterior, x)],
    ['jointDistribution', () => jointDistribution(model, posterior, x)],
    ['crossCovariance', () => crossCovariance(model, posterior, x, x)],
  ])('%s rejects when the weights change while it works', async (_, run) => {
    const changed = async () => {
      // The fingerprint is read at the call: the change comes after it, and before the pass.
      const result = run();
      shift(0);
      await expectRejection(result, 'Mismatch', { field: 'fingerprint' });
      withWeights(model, 3);
    };
    await changed();
    await expectNoLeak(changed);
    await run();
  });
});

it('laplaceApproximation refuses to predict with weights that moved since, and to sample around them', async () => {
  const laplace = laplaceApproximation(model, { likelihood: LIKELIHOOD, warn: () => {} });
  await laplace.fit({ x, y });
  await laplace.predict(x);
  shift(0);
  await expectRejection(laplace.predict(x), 'Mismatch', { field: 'fingerprint' });
  await expectRejection(laplace.sampleModels(2), 'Mismatch', { field: 'fingerprint' });
  await laplace.computePosterior({ x, y });
  await laplace.predict(x);
});
