/**
 * Inputs of every dtype that a model takes: int32, as `tf.oneHot` and `tf.browser.fromPixels` make them, and bool. The numbers are those of
 * the same inputs as float32, to the last bit: an integer of a byte or of a vocabulary is exact in float32.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  activationSampling,
  categorical,
  crossCovariance,
  diagonal,
  expectedTime,
  type Factors,
  functionSampling,
  gaussian,
  jointDistribution,
  kfac,
  linearised,
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
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { dense, on, withWeights } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';
import { tensor } from '../support/networks.js';
import { withWasmKernels } from '../support/wasmKernels.js';

// Training a convolution or an embedding takes kernels that WASM lacks as it ships.
withWasmKernels();

const L = tf.layers;
const N = 6;
const LIKELIHOOD = gaussian({ noiseVariance: 0.5 });

/** Integers from 0 to `below` − 1, as float32. */
const integers = (shape: number[], below: number, seed: number): tf.Tensor =>
  tf.tidy(() => tf.floor(tf.mul(tf.randomUniform(shape, 0, 1, 'float32', seed), below)));

interface Case {
  readonly name: string;
  readonly build: () => tf.LayersModel;
  /** Whole numbers as float32, one tensor for each input. */
  readonly x: () => tf.Tensor[];
  /** The dtypes in which they are given. */
  readonly dtypes: ReadonlyArray<'int32' | 'bool'>;
}

const convolution = () => L.conv2d({ inputShape: [5, 5, 3], filters: 2, kernelSize: 3, activation: 'tanh' });

const CASES: ReadonlyArray<Case> = [
  {
    name: 'a chain of dense layers',
    build: () => tf.sequential({ layers: [dense(4, { inputShape: [3], activation: 'tanh' }), dense(2)] }),
    x: () => [integers([N, 3], 2, 3)],
    dtypes: ['int32', 'bool'],
  },
  {
    name: 'a convolution of image bytes',
    build: () =>
      tf.sequential({ layers: [L.rescaling({ scale: 1 / 255, inputShape: [5, 5, 3] }), convolution(), L.flatten(), dense(2)] }),
    x: () => [integers([N, 5, 5, 3], 256, 4)],
    dtypes: ['int32'],
  },
  {
    name: 'a convolution right on the inputs',
    build: () => tf.sequential({ layers: [convolution(), L.flatten(), dense(2)] }),
    x: () => [integers([N, 5, 5, 3], 2, 4)],
    dtypes: ['int32', 'bool'],
  },
  {
    name: 'an embedding',
    build: () => tf.sequential({ layers: [L.embedding({ inputDim: 7, outputDim: 3, inputLength: 4 }), L.flatten(), dense(2)] }),
    x: () => [integers([N, 4], 7, 5)],
    dtypes: ['int32'],
  },
  {
    name: 'several inputs',
    build: () => {
      const [tokens, values] = [tf.input({ shape: [4], name: 'tokens' }), tf.input({ shape: [3], name: 'values' })];
      const words = on(L.flatten(), on(L.embedding({ inputDim: 7, outputDim: 2 }), tokens));
      const both = on(L.concatenate(), words, on(dense(3, { activation: 'tanh' }), values), values);
      return tf.model({ inputs: [tokens, values], outputs: on(dense(2), both) });
    },
    x: () => [integers([N, 4], 7, 5), integers([N, 3], 9, 6)],
    dtypes: ['int32'],
  },
  {
    name: 'a dense layer on an input that is declared int32',
    build: () => {
      const x = tf.input({ shape: [3], dtype: 'int32' });
      return tf.model({ inputs: x, outputs: on(dense(2), on(dense(3, { activation: 'tanh' }), x)) });
    },
    x: () => [integers([N, 3], 9, 6)],
    dtypes: ['int32', 'bool'],
  },
  {
    name: 'an embedding and a recurrent layer on inputs that are declared int32',
    build: () => {
      const [tokens, steps] = [tf.input({ shape: [4], dtype: 'int32' }), tf.input({ shape: [3, 2], dtype: 'int32' })];
      const words = on(L.flatten(), on(L.embedding({ inputDim: 7, outputDim: 2 }), tokens));
      return tf.model({
        inputs: [tokens, steps],
        outputs: on(dense(2), on(L.concatenate(), words, on(L.lstm({ units: 2 }), steps))),
      });
    },
    x: () => [integers([N, 4], 7, 5), integers([N, 3, 2], 5, 7)],
    dtypes: ['int32'],
  },
];

const TABLE = CASES.flatMap((own) => own.dtypes.map((dtype) => ({ ...own, dtype, title: `${own.name}, ${dtype}` })));

describe.each(TABLE)('$title', ({ build, x: make, dtype }) => {
  let model: tf.LayersModel;
  let floats: tf.Tensor[];
  let given: tf.Tensor[];
  let y: tf.Tensor;
  let posterior: Posterior;
  const both = <A>(f: (x: tf.Tensor[]) => A): [given: A, floats: A] => [f(given), f(floats)];
  const same = async (f: (x: tf.Tensor[]) => Promise<unknown>): Promise<void> => {
    const [found, expected] = await Promise.all(both(f));
    expect(found).toEqual(expected);
  };

  beforeAll(async () => {
    model = withWeights(build(), 7);
    floats = tf.tidy(() => make().map((t) => (dtype === 'bool' ? tf.cast(tf.cast(t, 'bool'), 'float32') : tf.clone(t))));
    given = tf.tidy(() => floats.map((t) => tf.cast(t, dtype)));
    y = tensor([N, 2], 8);
    posterior = await lastValueFrom(of(await pass(model, LIKELIHOOD, { x: floats, y })).pipe(toPosterior({ priorPrecision: 2 })));
  });

  it('observe', async () => {
    for (const curvature of [kfac(), diagonal(), kfac({ fisher: 'monteCarlo', weightSharing: 'reduce' })]) {
      const [found, expected] = both((x) => pass(model, LIKELIHOOD, { x, y }, curvature));
      expectSameFactors(await found, await expected, 0);
    }
    await expectNoLeak(() => pass(model, LIKELIHOOD, { x: given, y }));
  });

  it('the mean is what the model itself predicts', async () => {
    const { mean } = await outputDistribution(model, posterior, given);
    const expected = (model.predict(given) as tf.Tensor2D).arraySync();
    // Sums of products in another order: roundings of float32, relative to outputs of size 1.
    mean.forEach((row, b) => row.forEach((v, c) => expect(Math.abs(v - (expected[b]?.[c] as number))).toBeLessThan(1e-5)));
  });

  it('predict and predictRunning', async () => {
    const samples = { samples: 4, seed: 3 };
    const predictives = [linearised(), activationSampling(samples), weightSampling(samples), functionSampling(samples)];
    for (const predictive of predictives) await same((x) => lastValueFrom(from([x]).pipe(predict(model, posterior, predictive))));
    const [, sampled] = predictives;
    await same((x) => lastValueFrom(from([x]).pipe(predictRunning(model, posterior, sampled), toArray())));
    await expectNoLeak(() => lastValueFrom(from([given]).pipe(predict(model, posterior))));
  });

  it('distributions and functions', async () => {
    await same((x) => outputDistribution(model, posterior, x));
    await same((x) => jointDistribution(model, posterior, x));
    await same((x) => crossCovariance(model, posterior, floats, x));
    await same((x) => lastValueFrom(from([x]).pipe(sampleFunctions(model, posterior, { samples: 3 }))));
    await expectNoLeak(() => jointDistribution(model, posterior, given));
  });

  it('sampled networks', async () => {
    const members = await lastValueFrom(of(posterior).pipe(sampleModels(model, { samples: 2 }), toArray()));
    for (const member of members) {
      const [found, expected] = both((x) => Array.from((member.predict(x) as tf.Tensor).dataSync()));
      expect(found).toEqual(expected);
      member.dispose();
    }
  });

  it('the training callback', async () => {
    const own = build();
    for (const fisher of ['empirical', 'exact'] as const) {
      const factors = [];
      for (const x of [given, floats]) {
        withWeights(own, 7);
        own.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
        const callback = laplaceCallback({ likelihood: LIKELIHOOD, curvature: kfac({ fisher }) });
        await own.fit(x, y, { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
        factors.push(await lastValueFrom(callback.factors$));
      }
      expectSameFactors(factors[0] as never, factors[1] as never, 0);
    }
  });

  it('laplaceApproximation', async () => {
    const laplace = laplaceApproximation(model, { likelihood: LIKELIHOOD });
    await laplace.fit({ x: given, y });
    const found = await laplace.predict(given);
    await laplace.fit({ x: floats, y });
    expect(found).toEqual(await laplace.predict(floats));
  });
});

it('labels of other dtypes, in training and in a pass', async () => {
  const model = withWeights(tf.sequential({ layers: [dense(3, { inputShape: [3], activation: 'softmax' })] }), 7);
  const x = integers([N, 3], 9, 6);
  const factors: Factors[] = [];
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    withWeights(model, 7);
    model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
    const y = tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3), dtype);
    const callback = laplaceCallback({ likelihood: categorical() });
    await model.fit(tf.cast(x, 'int32'), y, { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, callbacks: callback });
    factors.push(await lastValueFrom(callback.factors$), await pass(model, categorical(), { x, y }));
  }
  for (const [i, found] of factors.entries()) expectSameFactors(found, factors[i % 2] as Factors, 0);
});

it('expectedTime takes a batch of them', async () => {
  const { build, x: make } = CASES[4] as Case;
  const batch = { x: tf.tidy(() => make().map((t) => tf.cast(t, 'int32'))), y: tensor([N, 2], 8) };
  const { pass: seconds } = await expectedTime(build(), { likelihood: LIKELIHOOD, curvature: kfac(), examples: N, batch });
  expect(seconds).toBeGreaterThan(0);
});

it('makes batches of zeros for an input of any dtype', async () => {
  const { build } = CASES.at(-1) as Case;
  const { pass: seconds } = await expectedTime(build(), { likelihood: LIKELIHOOD, curvature: kfac(), examples: N, batch: 2 });
  expect(seconds).toBeGreaterThan(0);
});

describe('an input that is declared int32', () => {
  const { build } = CASES[5] as Case;
  let data: { x: tf.Tensor; y: tf.Tensor };
  let model: tf.LayersModel;
  let posterior: Posterior;
  beforeAll(async () => {
    data = { x: tf.tensor2d([[1.7, -2.7, 0.2]]).tile([N, 1]), y: tensor([N, 2], 8) };
    model = withWeights(build(), 7);
    posterior = await lastValueFrom(of(await pass(model, LIKELIHOOD, data)).pipe(toPosterior({ priorPrecision: 2 })));
  });

  it('cuts fractions off, as the model does', async () => {
    const { mean } = await outputDistribution(model, posterior, data.x);
    const [row] = (model.predict(data.x) as tf.Tensor2D).arraySync() as [number[]];
    // The same products in the same order, but for the addition of the bias: a rounding of float32.
    mean[0]?.forEach((v, c) => expect(v).toBeCloseTo(row[c] as number, 5));
    expect(mean).toEqual((await outputDistribution(model, posterior, tf.tensor2d([[1, -2, 0]]).tile([N, 1]))).mean);
  });

  it('does not hide a NaN by the cast', async () => {
    const x = tf.tensor2d([[1, Number.NaN, 2]]);
    await expectRejection(lastValueFrom(from([x]).pipe(predict(model, posterior))), 'NotFinite', { field: 'x' });
    await expectRejection(pass(model, LIKELIHOOD, { x, y: tensor([1, 2], 8) }), 'NotFinite', { field: 'x' });
  });
});
