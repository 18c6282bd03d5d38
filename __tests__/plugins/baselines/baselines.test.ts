/** What each baseline predicts, against formulas on the host, closed forms, and Monte Carlo within five standard errors. */
import * as tf from '@tensorflow/tfjs';
import { bernoulli, type Classification, fitCalibrator, gaussian, type Regression } from 'tfjs-laplace';
import { key } from 'tfjs-laplace/extend';
import {
  type Baseline,
  type BaselinePrediction,
  calibrated,
  deepEnsemble,
  mcDropout,
  type Snapshot,
  snapshotOf,
  swag,
  trainedNetwork,
} from 'tfjs-laplace/plugins/baselines';
import { drawSwag, swagWeights } from '../../../plugins/baselines/swagWeights.js';
import { expectRejection } from '../../support/errors.js';
import { right } from '../../support/math/laplace.js';
import { expectNoLeak, leftBehind } from '../../support/memory.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

const { dense, dropout } = tf.layers;
const classifier = (seed = 1): tf.LayersModel =>
  withFixedWeights(
    tf.sequential({
      layers: [dense({ units: 5, activation: 'relu', inputShape: [4] }), dense({ units: 3, activation: 'softmax' })],
    }),
    seed,
  );
const regressor = (seed = 1): tf.LayersModel =>
  withFixedWeights(tf.sequential({ layers: [dense({ units: 2, inputShape: [4] })] }), seed);
let x: tf.Tensor;
beforeAll(() => {
  x = tensor([6, 4], 9);
});
const halves = [() => tf.slice(x, [0, 0], [4, 4]), () => tf.slice(x, [4, 0], [2, 4])];

async function predictions(baseline: Baseline, inputs: Parameters<Awaited<ReturnType<Baseline['prepare']>>['predict']>[0]) {
  const own = await baseline.prepare();
  return own.predict(inputs).finally(own.dispose);
}
const one = async <P>(baseline: Baseline, input: tf.Tensor = x): Promise<P> => {
  const [prediction] = await predictions(baseline, [input]);
  return prediction as P;
};
const arrays = (model: tf.LayersModel, input = x): number[][] => tf.tidy(() => (model.predict(input) as tf.Tensor2D).arraySync());
const weightsOf = (model: tf.LayersModel) => model.getWeights().map((w) => Array.from(w.dataSync()));
const rows = (given: ReadonlyArray<ArrayLike<number>>): number[][] => given.map((row) => Array.from(row));
const near = (found: ReadonlyArray<ArrayLike<number>>, expected: number[][], digits = 5): void =>
  rows(found).forEach((row, b) => {
    expect(row).toEqual((expected[b] as number[]).map((v) => expect.closeTo(v, digits)));
  });

// Outputs come in float32: values near 1 agree to 5 digits.
describe('the trained network', () => {
  it('predicts what the model predicts, batch by batch', async () => {
    const model = classifier();
    const parts = (await predictions(trainedNetwork(model, 'categorical'), halves)) as ReadonlyArray<Classification>;
    expect(parts.map(({ probabilities }) => probabilities.length)).toEqual([4, 2]);
    near(
      parts.flatMap(({ probabilities }) => probabilities),
      arrays(model),
    );
    for (const { mutualInformation, standardDeviations } of parts) {
      expect(Math.max(...mutualInformation)).toBeLessThan(1e-6);
      expect(standardDeviations.every((row) => row.every((v) => v === 0))).toBe(true);
    }
  });

  it('has the noise of the likelihood as its only variance', async () => {
    const model = regressor();
    const { mean, epistemicVariance, totalVariance } = await one<Regression>(
      trainedNetwork(model, gaussian({ noiseVariance: [0.25, 4] })),
    );
    near(mean, arrays(model));
    expect(epistemicVariance.every((row) => row.every((v) => v === 0))).toBe(true);
    expect(rows(totalVariance)).toEqual(Array(6).fill([0.25, 4]));
  });

  it('gives one column for yes-or-no labels', async () => {
    const model = withFixedWeights(tf.sequential({ layers: [dense({ units: 1, activation: 'sigmoid', inputShape: [4] })] }));
    near((await one<Classification>(trainedNetwork(model, bernoulli()))).probabilities, arrays(model));
  });
});

describe('deep ensembles', () => {
  it('average probabilities, and have the entropies of this mixture', async () => {
    const models = [1, 2, 3].map(classifier);
    const found = await one<Classification>(deepEnsemble('categorical', { models }));
    const all = models.map((model) => arrays(model));
    const mean = (all[0] as number[][]).map((row, b) => row.map((_, c) => all.reduce((s, p) => s + (p[b]?.[c] ?? 0) / 3, 0)));
    const H = (p: number[]) => -p.reduce((s, q) => s + q * Math.log(q), 0);
    near(found.probabilities, mean);
    near([found.entropy], [mean.map(H)]);
    near([found.expectedEntropy], [mean.map((_, b) => all.reduce((s, p) => s + H(p[b] as number[]) / 3, 0))]);
  });

  it('have the variance of a mixture: between the members, over their number, and the noise', async () => {
    const models = [1, 2, 3].map(regressor);
    const { mean, epistemicVariance, totalVariance } = await one<Regression>(
      deepEnsemble(gaussian({ noiseVariance: 0.5 }), { models }),
    );
    const all = models.map((model) => arrays(model));
    const at = (b: number, t: number) => all.map((f) => f[b]?.[t] as number);
    const centre = (v: number[]) => v.reduce((s, u) => s + u / v.length, 0);
    const spread = (v: number[]) => centre(v.map((u) => (u - centre(v)) ** 2));
    const expected = (of: (v: number[]) => number) => Array.from({ length: 6 }, (_, b) => [0, 1].map((t) => of(at(b, t))));
    near(mean, expected(centre));
    near(epistemicVariance, expected(spread));
    near(
      totalVariance,
      expected((v) => spread(v) + 0.5),
    );
  });

  it('train their members from consecutive seeds, and dispose them', async () => {
    const seeds: number[] = [];
    const train = (seed: number) => {
      seeds.push(seed);
      return classifier(seed);
    };
    const trained = deepEnsemble('categorical', { train, members: 3, seed: 4 });
    expect(trained).toMatchObject({ name: 'ensemble of 3', trainings: 3 });
    await expectNoLeak(() => one(trained));
    expect(seeds).toEqual([4, 5, 6, 4, 5, 6]);
  });

  it('leave nothing behind if a training fails or returns no model', async () => {
    const failing = async (seed: number) => {
      if (seed === 2) throw new Error('out of data');
      return classifier(seed);
    };
    await expectNoLeak(() => expect(one(deepEnsemble('categorical', { train: failing }))).rejects.toThrow('out of data'));
    const none = (seed: number) => (seed === 1 ? (undefined as never) : classifier(seed));
    await expectNoLeak(() => expectRejection(one(deepEnsemble('categorical', { train: none })), 'InvalidModel'));
  });
});

describe('Monte Carlo dropout', () => {
  /** f = Σ_j w_j x_j mask_j / (1 − rate): mean w·x and variance Σ_j (w_j x_j)² rate / (1 − rate). */
  const linear = (rate: number) =>
    withFixedWeights(tf.sequential({ layers: [dropout({ rate, inputShape: [4] }), dense({ units: 1, useBias: false })] }));
  const same = () => tf.tile(tf.slice(x, [0, 0], [1, 4]), [5, 1]);

  it.each(['fresh', 'shared'] as const)('has the moments of its masks: %s', async (masks) => {
    const [rate, passes] = [0.3, 400];
    const model = linear(rate);
    const found = await one<Regression>(mcDropout(model, gaussian(), { passes, masks, seed: 5 }));
    const w = weightsOf(model)[0] as number[];
    (x.arraySync() as number[][]).forEach((row, b) => {
      const parts = row.map((v, j) => v * (w[j] as number));
      const variance = parts.reduce((s, p) => s + p * p, 0) * (rate / (1 - rate));
      const error = Math.sqrt(variance / passes);
      expect(Math.abs((found.mean[b]?.[0] as number) - parts.reduce((s, p) => s + p, 0))).toBeLessThan(5 * error);
      // A sum of such masks has a kurtosis below 3: the relative error of its variance is at most √(2 / passes).
      expect(Math.abs((found.epistemicVariance[b]?.[0] as number) / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / passes));
    });
  });

  it('shares masks across the examples and batches of a pass only if told to', async () => {
    const means = async (masks: 'fresh' | 'shared') =>
      (await predictions(mcDropout(linear(0.5), gaussian(), { passes: 3, masks }), [same, same])).flatMap((own) =>
        rows((own as Regression).mean).flat(),
      );
    expect(new Set(await means('shared')).size).toBe(1);
    expect(new Set(await means('fresh')).size).toBeGreaterThan(3);
  });

  it('draws the same masks from the same seed', async () => {
    const own = (seed: number) => one<Regression>(mcDropout(linear(0.5), gaussian(), { passes: 2, seed }));
    expect(await own(1)).toEqual(await own(1));
    expect(await own(1)).not.toEqual(await own(2));
  });

  it('keeps to the shape of the noise: whole features of a sequence', async () => {
    const shaped = (layer: tf.layers.Layer) =>
      withFixedWeights(
        tf.sequential({ layers: [layer, tf.layers.flatten(), dense({ units: 4, useBias: false, kernelInitializer: 'ones' })] }),
      );
    const model = shaped(tf.layers.spatialDropout1d({ rate: 0.5, inputShape: [3, 1] } as never));
    const kernel = tf.ones([3, 4]);
    model.setWeights([kernel]);
    const { mean } = await one<Regression>(mcDropout(model, gaussian(), { passes: 1 }), tf.ones([40, 3, 1]));
    // All three steps are kept, each doubled, or none.
    expect(new Set(mean.map((row) => row[0]))).toEqual(new Set([0, 6]));
  });

  it('leaves batch normalisation at its averages, and the model as it was', async () => {
    const layers = () => [
      dense({ units: 5, inputShape: [4] }),
      tf.layers.batchNormalization(),
      dropout({ rate: 0 }),
      dense({ units: 3, activation: 'softmax' }),
    ];
    const model = tf.sequential({ layers: layers() });
    const before = weightsOf(model);
    const own = mcDropout(model, 'categorical', { passes: 4 });
    await expectNoLeak(() => one(own));
    near((await one<Classification>(own)).probabilities, arrays(model));
    expect(weightsOf(model)).toEqual(before);
  });

  it('refuses models without dropout, and with other noise', async () => {
    await expectRejection(one(mcDropout(classifier(), 'categorical')), 'UnsupportedLayer', { found: 'no dropout layer' });
    const noisy = tf.sequential({
      layers: [tf.layers.gaussianNoise({ stddev: 1, inputShape: [4] }), dropout({ rate: 0.5 }), dense({ units: 3 })],
    });
    const error = await expectRejection(one(mcDropout(noisy, 'categorical')), 'UnsupportedLayer');
    expect(error.found).toContain('GaussianNoise');
  });
});

describe('SWAG', () => {
  const snapshots: ReadonlyArray<Snapshot> = [
    [Float32Array.of(1, 2), Float32Array.of(0)],
    [Float32Array.of(3, 1), Float32Array.of(1)],
    [Float32Array.of(2, 4), Float32Array.of(0.5)],
  ];

  it('fits mean, variance and columns as in Algorithm 1', () => {
    const { mean, deviation, columns } = swagWeights(snapshots);
    // By hand: means of the first k snapshots are 1, 2, 2 for the first weight, and 2, 1.5, 7/3 for the second.
    near(mean, [[2, 7 / 3], [0.5]], 10);
    near(deviation, [[Math.sqrt(2 / 3), Math.sqrt((4 + 1 + 16) / 3 - 49 / 9)], [Math.sqrt(1.25 / 3 - 0.25)]], 10);
    near(columns.flat(), [[0, 0], [0], [1, -0.5], [0.5], [0, 4 - 7 / 3], [0]], 10);
  });

  it('draws from the normal distribution of equation 1', () => {
    const weights = swagWeights(snapshots);
    const S = 20_000;
    const draws = Array.from({ length: S }, (_, s) => drawSwag(weights, { ...key(3), lo: s }).flatMap((w) => Array.from(w)));
    const mean = weights.mean.flatMap((w) => Array.from(w));
    const deviation = weights.deviation.flatMap((w) => Array.from(w));
    const columns = weights.columns.map((column) => column.flatMap((w) => Array.from(w)));
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j <= i; j++) {
        const wide = columns.reduce((s, c) => s + (c[i] as number) * (c[j] as number), 0) / 2;
        const expected = 0.5 * ((i === j ? (deviation[i] as number) ** 2 : 0) + wide);
        const products = draws.map((w) => ((w[i] as number) - (mean[i] as number)) * ((w[j] as number) - (mean[j] as number)));
        const centre = products.reduce((s, v) => s + v / S, 0);
        const error = Math.sqrt(products.reduce((s, v) => s + (v - centre) ** 2, 0)) / S;
        expect(Math.abs(centre - expected)).toBeLessThan(5 * error);
      }
    }
  });

  it('is the network itself if the snapshots do not differ, and leaves the model as it is', async () => {
    const model = classifier();
    const own = await snapshotOf(model);
    const before = weightsOf(model);
    near((await one<Classification>(swag(model, 'categorical', [own, own], { samples: 3 }))).probabilities, arrays(model));
    const other = await snapshotOf(classifier(2));
    await expectNoLeak(() => one(swag(model, 'categorical', [own, other], { samples: 3 })));
    expect(weightsOf(model)).toEqual(before);
  });

  it('refuses too few snapshots, those of another model, and batch normalisation', async () => {
    const model = classifier();
    const own = await snapshotOf(model);
    await expectNoLeak(() => expectRejection(one(swag(model, 'categorical', [own])), 'Empty', { field: 'snapshots' }));
    const other = await snapshotOf(regressor());
    await expectRejection(one(swag(model, 'categorical', [own, other])), 'Mismatch', { field: 'snapshots[1]' });
    const normalised = tf.sequential({
      layers: [dense({ units: 2, inputShape: [4] }), tf.layers.batchNormalization(), dense({ units: 3 })],
    });
    const taken = await snapshotOf(normalised);
    await expectRejection(one(swag(normalised, 'categorical', [taken, taken])), 'UnsupportedLayer');
  });
});

describe('a calibrated baseline', () => {
  const labels = [0, 1, 2, 0, 1, 2];

  it('divides the logits by the temperature that was fitted on held-out predictions', async () => {
    const model = classifier();
    const found = await one<BaselinePrediction & { probabilities: number[][]; entropy: number[] }>(
      calibrated(trainedNetwork(model, 'categorical'), { inputs: halves, labels }),
    );
    const p = arrays(model);
    const { map } = right(
      fitCalibrator(
        p.map((row) => Float64Array.from(row)),
        labels,
      ),
    );
    const T = (map as { temperature: number }).temperature;
    const expected = p.map((row) => {
      const powers = row.map((v) => v ** (1 / T));
      const sum = powers.reduce((a, b) => a + b, 0);
      return powers.map((v) => v / sum);
    });
    near(found.probabilities, expected);
    near([found.entropy], [expected.map((row) => -row.reduce((s, q) => s + q * Math.log(q), 0))]);
  });

  it('refuses regressions and labels that do not fit, and frees what its baseline has made', async () => {
    const numbers = deepEnsemble('gaussian', { train: regressor, members: 2 });
    await expectNoLeak(() => expectRejection(one(calibrated(numbers, { inputs: [x], labels })), 'InvalidInput', { field: 'of' }));
    const classes = deepEnsemble('categorical', { train: classifier, members: 2 });
    await expectNoLeak(() =>
      expectRejection(one(calibrated(classes, { inputs: [x], labels: [0] })), 'InvalidInput', { field: 'labels' }),
    );
  });
});

it('rejects inputs that do not fit, and leaves nothing behind', async () => {
  const baseline = trainedNetwork(classifier(), 'categorical');
  const wrong = tf.zeros([2, 3]);
  const left = await leftBehind(() => expectRejection(predictions(baseline, [x, wrong]), 'InvalidInput'));
  expect(left).toEqual({ tensors: 0, bytes: 0 });
});
