/** Sampled functions of the linearised network: f* + J δ by Jacobians written out, their moments, and predictions made of them. */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  bernoulli,
  type Classification,
  categorical,
  functionSampling,
  gaussian,
  heteroscedastic,
  jointDistribution,
  kfac,
  type Likelihood,
  linearised,
  outputDistribution,
  type Posterior,
  perStep,
  poisson,
  type Regression,
  type Rows,
  type SampledFunctions,
  type SampleFunctionsOptions,
  type Several,
  sampleFunctions,
  weightSampling,
} from 'tfjs-laplace';
import { type Network, readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { residentPosterior } from '../../src/predictive/device/device.js';
import { sampledFunctions } from '../../src/predictive/linearised/functions.js';
import { disposeWeights, drawWeights } from '../../src/predictive/sampling/weightSampling.js';
import { key } from '../../src/random/key.js';
import { noiseOf } from '../../src/random/noise.js';
import { pass } from '../support/factors.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { CURVATURES, FEW_TOKENS, type Linearised, linearisedCase, one, RECURRENT } from '../support/linearised.js';
import { outer } from '../support/math/dense64.js';
import { dataFor, factorsOf, posteriorFrom, predictOne, right } from '../support/math/laplace.js';
import { estimate, missedBy, STANDARD_ERRORS } from '../support/math/monteCarlo.js';
import { chain, dense, inputsFor, withWeights } from '../support/math/networks.js';
import { numbersOf, relativeError } from '../support/math/numbers.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO } from '../support/zoo.js';

withWasmKernels();

/**
 * Float32 passes on both sides, and a δ that is taken as the difference of two weights there: a few 1e-6 of the largest value. A
 * missing layer or use, or another draw, is off by 1e-1.
 */
const TOLERANCE = 5e-5;

const valuesAt = (
  model: tf.LayersModel,
  posterior: Posterior,
  x: tf.Tensor | tf.Tensor[],
  options?: SampleFunctionsOptions,
): Promise<SampledFunctions> => lastValueFrom(from([x]).pipe(sampleFunctions(model, posterior, options)));

/** W_s − M of every layer of the posterior, one after the other in the order of its weights. */
function deviations({ network, posterior }: Linearised, seed: number, s: number): number[][] {
  const device = residentPosterior(network, posterior, 1);
  const draw = drawWeights(device, noiseOf('independent', key(seed), s));
  const flat = device.layers.map(({ blocks }, l) => {
    const mean = posterior.layers[l]?.mean.data as Float64Array;
    return blocks
      .flatMap((block) => Array.from(draw.get(block)?.dataSync() as Float32Array))
      .map((w, i) => w - (mean[i] as number));
  });
  disposeWeights(draw);
  device.dispose();
  return flat;
}

describe.each([...ZOO, ...RECURRENT, FEW_TOKENS])('$name', (zoo) => {
  it.each(CURVATURES)('%s: is f* + J δ, with the draws of weight sampling', async (_, curvature) => {
    const own = await linearisedCase(zoo, curvature);
    const { network, posterior, inputs, jacobians } = own;
    const [x, J] = [inputs(3, 21), jacobians(3, 21)];
    const f = numbersOf(network.model.predict(one(x)) as tf.Tensor);
    const { mean, functions } = await valuesAt(network.model, posterior, one(x), { samples: 3, seed: 5 });
    expect(relativeError(mean, f)).toBeLessThan(TOLERANCE);
    expect(functions).toHaveLength(3);
    functions.forEach((values, s) => {
      const delta = deviations(own, 5, s);
      const expected = f.map((v, r) =>
        J.reduce((sum, layer, l) => layer[r]?.reduce((a, g, i) => a + g * (delta[l]?.[i] as number), sum) as number, v),
      );
      expect([values.length, values[0]?.length]).toEqual([3, network.outputs]);
      expect(relativeError(values, expected)).toBeLessThan(TOLERANCE);
    });
  });
});

async function subject(likelihood: Likelihood, widths: number[] = [4, 2], N = 8) {
  const model = chain(widths);
  const posterior = await posteriorFrom(await factorsOf(model, likelihood, dataFor(model, likelihood, N)), {
    priorPrecision: 2,
  });
  return { model, posterior };
}

it('are the sampled networks themselves where the network is linear in its weights', async () => {
  for (const likelihood of [categorical(), gaussian()]) {
    const { model, posterior } = await subject(likelihood, [3]);
    const [x] = inputsFor(model, 5, 2) as [tf.Tensor];
    const [functions, weights] = await Promise.all(
      [functionSampling, weightSampling].map((make) => predictOne(model, posterior, make({ samples: 6, seed: 9 }), x)),
    );
    for (const [field, values] of Object.entries(weights as object)) {
      if (Array.isArray(values) || ArrayBuffer.isView(values)) {
        expect(relativeError((functions as never)[field], values as never)).toBeLessThan(TOLERANCE);
      }
    }
  }
});

it('antithetic ones are mirror images about f*: means are exact, and the variance is unbiased all the same', async () => {
  const { model, posterior } = await subject(gaussian(), [5, 2], 12);
  const [x] = inputsFor(model, 4, 3) as [tf.Tensor];
  const { mean, functions } = await valuesAt(model, posterior, x, { samples: 4, seed: 1, design: 'antithetic' });
  const [a, b] = functions.map((rows) => numbersOf(rows)) as [number[], number[]];
  expect(
    relativeError(
      a.map((v, i) => (v + (b[i] as number)) / 2),
      numbersOf(mean),
    ),
  ).toBeLessThan(TOLERANCE);
  const design = { samples: 400, seed: 1, design: 'antithetic' } as const;
  const sampled = (await predictOne(model, posterior, functionSampling(design), x)) as Regression;
  const exact = (await predictOne(model, posterior, linearised(), x)) as Regression;
  expect(relativeError(sampled.mean, exact.mean)).toBeLessThan(TOLERANCE);
  // 200 pairs: a variance is known to √(2/200) = 10 %.
  numbersOf(sampled.epistemicVariance).forEach((v, i) => {
    expect(Math.abs(v / (numbersOf(exact.epistemicVariance)[i] as number) - 1)).toBeLessThan(0.1 * STANDARD_ERRORS);
  });
});

describe('as random functions', () => {
  it('have the mean and the joint covariance of the linearised outputs, within standard errors', async () => {
    const { model, posterior } = await subject(gaussian(), [5, 2], 12);
    const [x] = inputsFor(model, 4, 3) as [tf.Tensor];
    const { mean, covariance } = await jointDistribution(model, posterior, x);
    const { functions } = await valuesAt(model, posterior, x, { samples: 400, seed: 1 });
    const draws = functions.map((rows) => rows.flatMap((row) => Array.from(row)));
    expect(missedBy(draws, mean)).toBeLessThan(STANDARD_ERRORS);
    const products = draws.map((f) => {
      const d = f.map((v, i) => v - (mean[i] as number));
      return outer(d, d).flat();
    });
    expect(missedBy(products, numbersOf(covariance))).toBeLessThan(STANDARD_ERRORS);
  });

  it('are smooth: close inputs have close values', async () => {
    const { model, posterior } = await subject(gaussian(), [5, 1]);
    const x = tf.tensor2d([
      [0.3, -1, 0.7],
      [0.3001, -1, 0.7],
    ]);
    const { functions } = await valuesAt(model, posterior, x, { samples: 50 });
    const spread = estimate(functions.map(([a]) => a?.[0] as number)).standardError * Math.sqrt(50);
    for (const [a, b] of functions) expect(Math.abs((a?.[0] as number) - (b?.[0] as number))).toBeLessThan(0.01 * spread);
  });

  it('belong to the seed: the same in every batch and call, function s whatever the count', async () => {
    const { model, posterior } = await subject(categorical());
    const [x] = inputsFor(model, 7, 3) as [tf.Tensor];
    const whole = await valuesAt(model, posterior, x, { samples: 5, seed: 4 });
    const fewer = await valuesAt(model, posterior, x, { samples: 2, seed: 4 });
    expect(relativeError(fewer.functions, whole.functions.slice(0, 2))).toBeLessThan(1e-6);
    expect(
      relativeError((await valuesAt(model, posterior, x, { samples: 5, seed: 5 })).functions, whole.functions),
    ).toBeGreaterThan(0.1);
    const seen: SampledFunctions[] = [];
    const parts = [0, 3, 4].map((start, i) => tf.slice(x, start, [3, 1, 3][i] as number));
    await new Promise<void>((resolve, reject) => {
      from(parts)
        .pipe(sampleFunctions(model, posterior, { samples: 5, seed: 4, memoryBudget: 1 }))
        .subscribe({ next: (values) => seen.push(values), error: reject, complete: resolve });
    });
    const joined = whole.functions.map((_, s) => seen.flatMap(({ functions }) => functions[s] as Rows));
    expect(relativeError(joined, whole.functions)).toBeLessThan(1e-6);
  });

  it('keep their draws for the next batch, within half of the budget', async () => {
    const { model, posterior } = await subject(gaussian(), [16, 1]);
    const network = right(E.chain((read: Network) => withBlocks(read, 'all'))(readNetwork(model, gaussian())));
    const x = inputsFor(model, 3, 3);
    const weights = network.blocks.reduce((sum, { n, m }) => sum + n * m, 0);
    const keptUnder = async (memoryBudget: number): Promise<number> => {
      const options = { samples: 20, temperature: 1, seed: 1, design: 'independent' } as const;
      const drawn = sampledFunctions(network, posterior, options, memoryBudget);
      const before = tf.memory().numBytes;
      await drawn.run(x, (values) => ({ ...values }));
      const kept = tf.memory().numBytes - before;
      drawn.dispose();
      return kept;
    };
    const all = 4 * 20 * weights;
    expect(await keptUnder(Number.POSITIVE_INFINITY)).toBe(all);
    const some = await keptUnder(all);
    expect(some).toBeGreaterThan(all / 4);
    expect(some).toBeLessThanOrEqual(all / 2);
    expect(await keptUnder(1)).toBe(0);
  });

  it('scale with the root of the temperature, to the trained network at 0', async () => {
    const { model, posterior } = await subject(gaussian());
    const [x] = inputsFor(model, 3, 3) as [tf.Tensor];
    const changes = async (temperature: number) => {
      const { mean, functions } = await valuesAt(model, posterior, x, { samples: 3, temperature });
      return functions.map((rows) => rows.map((row, b) => row.map((v, c) => v - (mean[b]?.[c] as number))));
    };
    expect(numbersOf(await changes(0)).every((v) => v === 0)).toBe(true);
    expect(
      relativeError(
        (await changes(4)).map((f) => f.map((row) => row.map((v) => v / 2))),
        await changes(1),
      ),
    ).toBeLessThan(1e-5);
  });
});

describe('functionSampling', () => {
  /** Draws of weights take some milliseconds each: what matters to the digit is in the tests above. */
  const SAMPLES = 300;

  it.each([
    ['gaussian', gaussian({ noiseVariance: 0.3 }), [4, 2]],
    ['heteroscedastic', heteroscedastic(), [4, 4]],
    ['poisson', poisson(), [4, 2]],
  ] as const)('%s: has the closed form of linearised within standard errors', async (_, likelihood, widths) => {
    // Many examples: little variance, so that the heavy tails of rates do not hide their standard error.
    const { model, posterior } = await subject(likelihood, [...widths], 40);
    const [x] = inputsFor(model, 3, 3) as [tf.Tensor];
    const closed = (await predictOne(model, posterior, linearised(), x)) as Regression;
    const sampled = (await predictOne(model, posterior, functionSampling({ samples: SAMPLES, seed: 2 }), x)) as Regression;
    const { functions } = await valuesAt(model, posterior, x, { samples: SAMPLES, seed: 2 });
    const T = closed.mean[0]?.length as number;
    const rate = likelihood._tag === 'poisson' ? Math.exp : (f: number) => f;
    closed.mean.forEach((row, b) => {
      row.forEach((expected, t) => {
        const drawn = functions.map((f) => rate(f[b]?.[t] as number));
        const { mean, standardError } = estimate(drawn);
        // The report is the mean and variance of those functions.
        expect(sampled.mean[b]?.[t]).toBeCloseTo(mean, 4);
        expect(Math.abs((sampled.mean[b]?.[t] as number) - expected)).toBeLessThan(STANDARD_ERRORS * standardError);
        const squares = estimate(drawn.map((v) => (v - expected) ** 2));
        const found = sampled.epistemicVariance[b]?.[t] as number;
        expect(Math.abs(found - (closed.epistemicVariance[b]?.[t] as number))).toBeLessThan(
          STANDARD_ERRORS * squares.standardError,
        );
        if (likelihood._tag === 'gaussian') return;
        const noise = estimate(functions.map((f) => Math.exp(f[b]?.[likelihood._tag === 'poisson' ? t : T + t] as number)));
        expect(Math.abs((sampled.noiseVariance[b]?.[t] as number) - (closed.noiseVariance[b]?.[t] as number))).toBeLessThan(
          STANDARD_ERRORS * noise.standardError,
        );
      });
    });
  });

  it('bernoulli: has the mean probability and expected entropy of quadrature within standard errors', async () => {
    const { model, posterior } = await subject(bernoulli(), [4, 1]);
    const [x] = inputsFor(model, 3, 3) as [tf.Tensor];
    const { mean, covariance } = await outputDistribution(model, posterior, x);
    const sampled = (await predictOne(model, posterior, functionSampling({ samples: SAMPLES, seed: 3 }), x)) as Classification;
    const { functions } = await valuesAt(model, posterior, x, { samples: SAMPLES, seed: 3 });
    const sigmoid = (f: number): number => 1 / (1 + Math.exp(-f));
    const entropy = (f: number): number => -sigmoid(f) * Math.log(sigmoid(f)) - sigmoid(-f) * Math.log(sigmoid(-f));
    for (const [link, found] of [
      [sigmoid, sampled.probabilities.map((p) => p[0] as number)],
      [entropy, Array.from(sampled.expectedEntropy)],
    ] as const) {
      found.forEach((value, b) => {
        const expected = quadrature(link, mean[b]?.[0] as number, Math.sqrt(covariance[b]?.[0] as number));
        const { standardError } = estimate(functions.map((f) => link(f[b]?.[0] as number)));
        expect(Math.abs(value - expected)).toBeLessThan(STANDARD_ERRORS * standardError);
      });
    }
  });

  it('categorical: is the softmax of the functions, averaged', async () => {
    const { model, posterior } = await subject(categorical(), [4, 3]);
    const [x] = inputsFor(model, 3, 3) as [tf.Tensor];
    const sampled = (await predictOne(model, posterior, functionSampling({ samples: 30, seed: 3 }), x)) as Classification;
    const { functions } = await valuesAt(model, posterior, x, { samples: 30, seed: 3 });
    const expected = sampled.probabilities.map((p, b) => {
      const rows = functions.map((f) => {
        const exps = Array.from(f[b] as Float32Array, Math.exp);
        return exps.map((e) => e / exps.reduce((a, v) => a + v, 0));
      });
      return Array.from(p, (_, c) => rows.reduce((sum, row) => sum + (row[c] as number), 0) / 30);
    });
    expect(relativeError(sampled.probabilities, expected)).toBeLessThan(1e-5);
    for (const p of sampled.probabilities) expect(Array.from(p).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  it('goes to each head, and is that head alone', async () => {
    const { model } = twoHeads();
    const data = headData(model, 6);
    const posterior = await posteriorFrom(await pass(model, BOTH, data, kfac()), { priorPrecision: 0.5 });
    const { outputs } = (await predictOne(model, posterior, functionSampling({ samples: 8, seed: 3 }), data.x[0])) as Several;
    const { functions } = await valuesAt(model, posterior, data.x, { samples: 8, seed: 3 });
    const angle = outputs.angle as Regression;
    const means = angle.mean.map((_, b) => [3, 4].map((c) => estimate(functions.map((f) => f[b]?.[c] as number)).mean));
    expect(relativeError(angle.mean, means)).toBeLessThan(1e-5);
    expect((outputs.digit as Classification).probabilities.map((p) => p.length)).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it('reports every step of a sequence by itself', async () => {
    const build = () => withWeights(tf.sequential({ layers: [dense(3, { inputShape: [4, 2] })] }), 5);
    const model = build();
    const likelihood = perStep(categorical());
    const [x] = inputsFor(model, 5, 3) as [tf.Tensor];
    const y = tf.tidy(() => tf.oneHot(tf.reshape(tf.mod(tf.range(0, 20), 3), [5, 4]).toInt(), 3).toFloat());
    const posterior = await posteriorFrom(await pass(model, likelihood, { x, y }, kfac()), { priorPrecision: 2 });
    const [functions, weights] = (await Promise.all(
      [functionSampling, weightSampling].map((make) => predictOne(model, posterior, make({ samples: 4, seed: 1 }), x)),
    )) as [Classification, Classification];
    expect(functions.probabilities).toHaveLength(20);
    // Linear in its weights: the same networks.
    expect(relativeError(functions.probabilities, weights.probabilities)).toBeLessThan(TOLERANCE);
  });
});

/** E[link(f)] for f ~ N(mu, s²), by the trapezoidal rule over ten deviations on each side: exact to 1e-12 for such smooth links. */
function quadrature(link: (f: number) => number, mu: number, s: number): number {
  const step = s / 20;
  let sum = 0;
  for (let i = -200; i <= 200; i++) sum += Math.exp(-0.5 * ((i * step) / s) ** 2) * link(mu + i * step);
  return (sum * step) / (s * Math.sqrt(2 * Math.PI));
}
