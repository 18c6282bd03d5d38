/**
 * Regression on small data: 10-50-1, tanh, on standardised inputs and targets. All networks train with `evidenceCallback`, which estimates
 * the noise variance σ² and the prior precision τ from the training data alone (Immer, Bauer, Fortuin, Rätsch & Khan 2021). One of them
 * leaves a fifth of the training rows out, and `tune` chooses σ² and τ again on these. Bar 3 of the plan, for both: coverage 0.90 ± 0.03 at
 * 90 %, and an NLL below that of the MAP, the network of all rows with its noise estimated from the training residuals.
 */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { lastValueFrom } from 'rxjs';
import { batches, gaussian, intervalCoverage, orThrow, type Posterior, tune } from 'tfjs-laplace';
import {
  type Baseline,
  compareBaselines,
  deepEnsemble,
  posteriorPredictive,
  trainedNetwork,
} from 'tfjs-laplace/plugins/baselines';
import { evidenceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import type { Bar } from '../harness.js';
import { DATA, type Rows } from './regressionData.js';
import { gains, mean, type Numbers, numbersOf, over, type Part, type Seeds, tableOf } from './scores.js';

/**
 * How often σ² and the τ of each layer are estimated, and the epochs between two estimates. Laplace's method presumes weights at their mode.
 * So the weights need that many epochs after each change of their decay: with 50, σ² is estimated much too large.
 */
const [ROUNDS, STEPS] = [10, 200];
const MAP = 'MAP, σ² of residuals';
const EVIDENCE = 'linearised, σ² and τ by evidence';
const TUNED = 'linearised, σ² and τ tuned on a fifth';

function network(seed: number): LayersModel {
  const dense = (units: number, layer: number) => ({
    units,
    kernelInitializer: initializers.glorotNormal({ seed: 10 * seed + layer }),
  });
  return sequential({
    layers: [layers.dense({ ...dense(50, 1), activation: 'tanh', inputShape: [10] }), layers.dense(dense(1, 2))],
  });
}

const column = (y: ReadonlyArray<number>): tf.Tensor2D => tf.tensor2d([...y], [y.length, 1]);
const inputsOf = ({ x }: Rows) => [() => tf.tensor2d(x.map((row) => [...row]))];

/** The sum of squared residuals on the training rows. */
const residuals = (model: LayersModel, { x, y }: Rows): number =>
  tf.tidy(() =>
    tf.sum(tf.squaredDifference(model.predict(tf.tensor2d(x.map((row) => [...row]))) as tf.Tensor, column(y))).dataSync(),
  )[0] as number;

/** A trained network, and its posterior under the noise and prior of the best evaluation. */
interface Trained {
  readonly model: LayersModel;
  readonly posterior: Posterior;
}

async function trained(data: Rows, seed: number): Promise<Trained> {
  const model = network(seed);
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  const bayes = evidenceCallback({ likelihood: gaussian({ noiseVariance: 0.5 }), per: 'layer', every: STEPS, burnIn: STEPS });
  const [x, y] = [tf.tensor2d(data.x.map((row) => [...row])), column(data.y)];
  const all = { epochs: ROUNDS * STEPS, batchSize: data.y.length, shuffle: false, verbose: 0, yieldEvery: 'never' } as const;
  await model.fit(x, y, { ...all, callbacks: bayes }).finally(() => tf.dispose([x, y]));
  return { model, posterior: await lastValueFrom(bayes.posterior$) };
}

/** The rows from one share of them to another. */
const between = ({ x, y }: Rows, from: number, to: number): Rows => {
  const [first, last] = [Math.round(from * y.length), Math.round(to * y.length)];
  return { x: x.slice(first, last), y: y.slice(first, last) };
};

/** A network of four fifths of the rows, with σ² and τ that suit the last fifth. */
async function tunedOn(data: Rows, seed: number): Promise<{ readonly model: LayersModel; readonly own: Baseline }> {
  const { model, posterior } = await trained(between(data, 0, 0.8), seed);
  const held = between(data, 0.8, 1);
  const [x, y] = [tf.tensor2d(held.x.map((row) => [...row])), column(held.y)];
  const found = await tune(model, posterior, batches({ x, y }, held.y.length)).finally(() => tf.dispose([x, y]));
  return { model, own: posteriorPredictive(TUNED, model, found.posterior, found.predictive) };
}

async function ofSeed(seed: number, name: keyof typeof DATA): Promise<Readonly<Record<string, Numbers>>> {
  const { training, test } = (DATA[name] as (typeof DATA)[string])(seed);
  const { model, posterior } = await trained(training, seed);
  const models = [model];
  for (let m = 1; m < 5; m++) models.push((await trained(training, 100 * seed + m)).model);
  const tuned = await tunedOn(training, seed);
  const noiseVariance = residuals(model, training) / training.y.length;
  const own: Baseline[] = [
    { ...trainedNetwork(model, gaussian({ noiseVariance })), name: MAP },
    { ...deepEnsemble(gaussian({ noiseVariance }), { models }), name: 'ensemble of 5, σ² of residuals' },
    posteriorPredictive(EVIDENCE, model, posterior),
    tuned.own,
  ];
  const targets = test.y.map((v) => [v]);
  const compared = await compareBaselines(own, inputsOf(test), targets, { resamples: 2 });
  for (const each of [...models, tuned.model]) each.dispose();
  const numbers = numbersOf(compared);
  return Object.fromEntries(
    compared.map(({ name: method, predictions }) => {
      const [only] = predictions;
      if (only?._tag !== 'regression') throw new Error('numbers give regressions');
      const coverage = orThrow(intervalCoverage({ targets, mean: only.mean, variance: only.totalVariance }, { level: 0.9 }));
      return [method, { ...numbers[method], coverage }];
    }),
  );
}

export async function regression(seeds: ReadonlyArray<number>): Promise<Part> {
  const parts: Part[] = [];
  for (const name of Object.keys(DATA)) {
    const found: Array<Seeds[number]> = [];
    for (const seed of seeds) found.push(await ofSeed(seed, name));
    const bars = [EVIDENCE, TUNED].flatMap((method): ReadonlyArray<Bar> => {
      const off = Math.abs(mean(over(found, method, 'coverage')) - 0.9);
      const lower = mean(gains(found, 'gaussianNll', method, MAP));
      return [
        { name: `3. ${name}, ${method}: |coverage at 90 % − 0.90|`, value: off, limit: 0.03, atMost: true },
        { name: `3. ${name}, ${method}: NLL less that of the MAP`, value: lower, limit: 0, atMost: true },
      ];
    });
    const table = tableOf(`${name}, ${seeds.length} splits`, found, [
      ['NLL', 'gaussianNll'],
      ['coverage at 90 %', 'coverage', 3],
      ['RMSE', 'rmse', 3],
      ['CRPS', 'gaussianCrps', 3],
    ]);
    parts.push({ tables: [table], bars, notes: [] });
  }
  return {
    tables: parts.flatMap(({ tables }) => tables),
    bars: parts.flatMap(({ bars }) => bars),
    notes: [],
  };
}
