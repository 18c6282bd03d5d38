/** The scale s of a predictive multiplies the outputs of the trained network, f ~ N(s f*, Σ), for classes and labels alone. */
import * as tf from '@tensorflow/tfjs';
import {
  activationSampling,
  bernoulli,
  type Classification,
  categorical,
  functionSampling,
  gaussian,
  heteroscedastic,
  kfac,
  linearised,
  outputDistribution,
  poisson,
  type Several,
  weightSampling,
} from 'tfjs-laplace';
import { linkRule } from '../../src/predictive/links/index.js';
import { outputCovariance } from '../../src/predictive/links/outputCovariance.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { fittedChain, posteriorFrom, predictOne } from '../support/math/laplace.js';
import { sigmoid, softmax } from '../support/math/likelihoods64.js';
import { FLOAT32, relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';

const SCALE = 2.5;

describe.each(['probit', 'multiclassProbit', 'monteCarlo', 'laplaceBridge'] as const)('%s', (link) => {
  it.each([categorical(), bernoulli()])('links s f* with the covariance as it is: $_tag', async (likelihood) => {
    const { model, posterior, x } = await fittedChain(likelihood);
    const { mean, covariance } = await outputDistribution(model, posterior, x);
    const found = (await predictOne(model, posterior, linearised({ link, scale: SCALE }), x)) as Classification;
    const options = { samples: 128, seed: 0 };
    const expected = mean.map((row, b) => {
      const f = Float64Array.from(row, (v) => SCALE * v);
      const own = outputCovariance(covariance[b] as Float32Array, f.length);
      const rule = linkRule(link);
      return likelihood._tag === 'categorical' ? rule.classes(f, own, options) : rule.labels(f, own.variance, options);
    });
    // The outputs of two passes differ by float32 roundings, which the scale multiplies.
    const close = SCALE * FLOAT32;
    expect(
      relativeError(
        found.probabilities,
        expected.map((e) => e.probabilities),
      ),
    ).toBeLessThan(close);
    expect(
      relativeError(
        found.standardDeviations,
        expected.map((e) => e.standardDeviations),
      ),
    ).toBeLessThan(10 * close);
  });
});

/** Every predictive, with one draw if it has draws. */
const EVERY = {
  linearised,
  activationSampling: (options: { scale?: number; temperature?: number }) => activationSampling({ ...options, samples: 1 }),
  weightSampling: (options: { scale?: number; temperature?: number }) => weightSampling({ ...options, samples: 1 }),
  functionSampling: (options: { scale?: number; temperature?: number }) => functionSampling({ ...options, samples: 1 }),
} as const;
const NAMES = Object.keys(EVERY) as ReadonlyArray<keyof typeof EVERY>;
const SAMPLED = NAMES.filter((name) => name !== 'linearised');

describe.each(SAMPLED)('%s', (name) => {
  it('adds (s − 1) f* to every draw', async () => {
    for (const likelihood of [categorical(), bernoulli()]) {
      const { model, posterior, x } = await fittedChain(likelihood);
      const [scaled, plain] = (await Promise.all(
        [SCALE, 1].map((scale) => predictOne(model, posterior, EVERY[name]({ scale }), x)),
      )) as [Classification, Classification];
      const own = (model.predict(x) as tf.Tensor2D).arraySync() as number[][];
      const expected = plain.probabilities.map((p, b) => {
        // The logits of the draw, up to a constant that a softmax does not see.
        const logits = Array.from(p, (v) => (likelihood._tag === 'categorical' ? Math.log(v) : Math.log(v / (1 - v))));
        const f = logits.map((v, c) => v + (SCALE - 1) * (own[b]?.[c] as number));
        return likelihood._tag === 'categorical' ? softmax(f) : f.map(sigmoid);
      });
      // The logarithm of a small probability has the roundings of the logits, which grow with them.
      expect(relativeError(scaled.probabilities, expected)).toBeLessThan(4 * SCALE * FLOAT32);
    }
  });

  it('averages draws that are scaled one by one, in batches and in pieces alike', async () => {
    const { model, posterior, x } = await fittedChain(categorical());
    const options = { samples: 6, scale: SCALE, temperature: 0.5 } as const;
    const make = { activationSampling, weightSampling, functionSampling }[name as 'weightSampling'];
    const whole = (await predictOne(model, posterior, make(options), x)) as Classification;
    expect(whole.samples).toBe(6);
    await expectNoLeak(() => predictOne(model, posterior, make(options), x));
    if (name === 'activationSampling') return;
    const [first] = tf.split(x, [1, x.shape[0] - 1]);
    const alone = (await predictOne(model, posterior, make(options), first as tf.Tensor2D)) as Classification;
    expect(relativeError([alone.probabilities[0] as Float32Array], [whole.probabilities[0] as Float32Array])).toBeLessThan(
      SCALE * FLOAT32,
    );
  });
});

it.each(NAMES)('is the inverse temperature of a softmax at temperature 0: %s', async (name) => {
  const { model, posterior, x } = await fittedChain(categorical());
  const found = (await predictOne(model, posterior, EVERY[name]({ temperature: 0, scale: SCALE }), x)) as Classification;
  const own = ((model.predict(x) as tf.Tensor2D).arraySync() as number[][]).map((f) => softmax(f.map((v) => SCALE * v)));
  expect(relativeError(found.probabilities, own)).toBeLessThan(SCALE * FLOAT32);
});

it('is the probit formula of MacKay with s before it', async () => {
  const { model, posterior, x } = await fittedChain(bernoulli());
  const { mean, covariance } = await outputDistribution(model, posterior, x);
  const found = (await predictOne(model, posterior, linearised({ scale: SCALE }), x)) as Classification;
  const C = 3;
  const expected = mean.map((row, b) =>
    Array.from(row, (v, c) => {
      const variance = (covariance[b] as Float32Array)[c * C + c] as number;
      return sigmoid((SCALE * v) / Math.sqrt(1 + (Math.PI / 8) * variance));
    }),
  );
  expect(relativeError(found.probabilities, expected)).toBeLessThan(SCALE * FLOAT32);
});

it.each([gaussian(), heteroscedastic(), poisson()])('of a regression is an error: $_tag', async (likelihood) => {
  const { model, posterior, x } = await fittedChain(likelihood, 2);
  const refused = predictOne(model, posterior, linearised({ scale: SCALE }), x);
  await expect(refused).rejects.toMatchObject({ kind: 'InvalidOption', field: 'predictive.scale', found: '2.5' });
  for (const make of [activationSampling, weightSampling, functionSampling])
    await expect(predictOne(model, posterior, make({ scale: SCALE, samples: 4 }), x)).rejects.toMatchObject({
      kind: 'InvalidOption',
      field: 'predictive.scale',
    });
  await expect(predictOne(model, posterior, linearised({ scale: 1 }), x)).resolves.toMatchObject({ _tag: 'regression' });
});

it.each(['linearised', 'weightSampling', 'functionSampling'] as const)(
  'is that of the outputs with classes, beside a regression: %s',
  async (name) => {
    const { model } = twoHeads();
    const { x, y } = headData(model, 6);
    const posterior = await posteriorFrom(await pass(model, BOTH, { x, y }, kfac()), { priorPrecision: 0.5 });
    const [own, plain] = (await Promise.all(
      [SCALE, 1]
        .map((scale) => ({ linearised, weightSampling, functionSampling })[name]({ scale, samples: 4 }))
        .map((predictive) => predictOne(model, posterior, predictive, x[0] as tf.Tensor)),
    )) as [Several, Several];
    expect(own.outputs.angle).toEqual(plain.outputs.angle);
    expect(own.outputs.digit).not.toEqual(plain.outputs.digit);
  },
);

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (scale) => {
  expect(() => linearised({ scale })).toThrow(expect.objectContaining({ kind: 'InvalidOption', field: 'scale' }));
});
