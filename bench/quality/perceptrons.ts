/**
 * 784-256-256-10 on 6,000 images, 10 epochs, which overfits; and 784-1200-1200-10 on 57,000, 2 epochs. All choices are made on 1,000
 * validation images. Bars 1 and 2 of the plan, and the table of bar 4.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { kfac, type Posterior, type TuningRule, truncated, tune, weightSampling } from 'tfjs-laplace';
import {
  type Baseline,
  calibrated,
  compareBaselines,
  deepEnsemble,
  mcDropout,
  posteriorPredictive,
  type Snapshot,
  snapshotOf,
  swag,
  trainedNetwork,
} from 'tfjs-laplace/plugins/baselines';
import { createNetwork } from '../../recipes/mnist/network.js';
import { trainOn } from '../../recipes/mnist/plainTraining.js';
import type { Bar } from '../harness.js';
import { allClasses, type Images, inputs, labelled, leftOut, type Sizes, withoutTwo } from './images.js';
import { choicesOf, linearisedAt, linearisedBy, tunedPosterior, tunedPredictive } from './laplace.js';
import { CLASSES, gains, mean, noWorse, numbersOf, over, type Part, type Seeds, tableOf, tell, together } from './scores.js';

export const MAP_T = 'MAP, temperature';
export const TUNED = 'linearised, widest';
const ENSEMBLE = 'ensemble of 5';
const RULES: ReadonlyArray<TuningRule> = ['best', 'evidence'];
/** What the precision with the highest evidence is multiplied by, to see what the width of a posterior does. */
const WIDTHS = [0.001, 0.01, 0.1, 10];

const SMALL = { hidden: 256, epochs: 10, sizes: { training: 6000, validation: 1000, test: 10_000, foreign: 2000 } };
const LARGE = { hidden: 1200, epochs: 2, sizes: { training: 57_000, validation: 1000, test: 10_000, foreign: 2000 } };
const MEMBERS = 5;
/** The seeds of the members that are not the network itself. */
const member = (seed: number, m: number): number => (m === 0 ? seed : 100 * seed + m);

/** Scores the baselines on the test images, and by how they tell foreign images. */
export const scored = async (baselines: ReadonlyArray<Baseline>, { test, foreign }: Images) =>
  numbersOf(
    await compareBaselines(baselines, inputs(test), test.labels, {
      resamples: 2,
      foreign: Object.fromEntries(Object.entries(foreign).map(([name, digits]) => [name, inputs(digits)])),
    }),
  );

/** The trained network, with its best temperature too. */
export const ofNetwork = (model: LayersModel, { validation }: Images): ReadonlyArray<Baseline> => {
  const map = trainedNetwork(model, 'categorical');
  return [map, calibrated(map, { inputs: inputs(validation), labels: validation.labels })];
};

async function trained(images: Images, seed: number, rate?: number): Promise<LayersModel> {
  const model = createNetwork(SMALL.hidden, { seed, ...(rate !== undefined && { rate }) });
  await trainOn(model, images.training, { epochs: SMALL.epochs, seed });
  return model;
}

/** Networks, their posterior, and all methods that the task asks for. */
async function smallSeed(seed: number, images: Images, isWhole: boolean) {
  const members: LayersModel[] = [];
  for (let m = 0; m < MEMBERS; m++) members.push(await trained(images, member(seed, m)));
  const model = members[0] as LayersModel;
  const tuned = await tunedPosterior(model, images, kfac());
  tell(`784-256-256-10, seed ${seed}${isWhole ? '' : `, without ${leftOut(seed).join(' and ')}`}: ${choicesOf(tuned)}`);
  const last = await tunedPosterior(model, images, kfac({ layers: 'last' }));
  const own: Baseline[] = [
    ...ofNetwork(model, images),
    deepEnsemble('categorical', { models: members }),
    tunedPredictive(model, last, 'last layer, widest'),
    tunedPredictive(model, tuned, TUNED),
    ...RULES.map((rule) => linearisedBy(rule, model, tuned, `linearised, ${rule}`)),
    ...(await linearisedAt(WIDTHS, model, tuned, images)),
  ];
  if (!isWhole) {
    const found = await scored(own, images);
    for (const each of members) each.dispose();
    return found;
  }
  const dropping = await trained(images, seed, 0.2);
  const others: Baseline[] = [
    mcDropout(dropping, 'categorical'),
    mcDropout(dropping, 'categorical', { masks: 'shared' }),
    { ...swag(model, 'categorical', await snapshots(model, images, seed)), name: 'SWAG, 20 samples' },
    await sampledTuned(model, tuned.posterior, images),
  ];
  const found = await scored([...own, ...others], images);
  for (const each of [...members, dropping]) each.dispose();
  return found;
}

/** Weights at the end of each of ten further epochs of plain gradient descent. The network gets its own weights back. */
async function snapshots(model: LayersModel, { training }: Images, seed: number): Promise<ReadonlyArray<Snapshot>> {
  const taken: Snapshot[] = [];
  const further = createNetwork(SMALL.hidden, { seed });
  further.setWeights(model.getWeights());
  further.compile({ optimizer: tf.train.sgd(0.05), loss: 'categoricalCrossentropy' });
  const keep = async (): Promise<void> => void taken.push(await snapshotOf(further));
  await trainOn(further, training, { epochs: 10, seed: seed + 50 }, keep);
  further.dispose();
  return taken;
}

/** Twenty sampled networks, tuned as the linearised predictive is. */
async function sampledTuned(model: LayersModel, posterior: Posterior, { validation }: Images): Promise<Baseline> {
  const found = await tune(model, posterior, labelled(validation), {}, { predictive: weightSampling({ samples: 20 }) });
  return posteriorPredictive('20 sampled networks, widest', model, found.posterior, found.predictive);
}

export async function smallPerceptron(seeds: ReadonlyArray<number>): Promise<Part> {
  const found: Array<Seeds[number]> = [];
  const smaller: Sizes = { ...SMALL.sizes, test: 4000 };
  for (const seed of seeds) {
    const whole = await smallSeed(seed, allClasses(seed, SMALL.sizes), true);
    found.push(together(whole, await smallSeed(seed, withoutTwo(seed, smaller), false)));
  }
  const lower = gains(found, 'nll', TUNED, MAP_T);
  const relative = lower.map((d, i) => -d / (over(found, MAP_T, 'nll')[i] as number));
  const better = (number: string, against: string) => gains(found, number, TUNED, against);
  const groups = ['rotated', 'left out', 'noise'];
  const bar = (name: string, value: number, limit: number, atMost = false): Bar => ({ name, value, limit, atMost });
  return {
    tables: [tableOf(`784-256-256-10 on 6,000 images, 10,000 test images, ${seeds.length} seeds`, found, CLASSES)],
    bars: [
      bar(`1. NLL, ${TUNED} less ${MAP_T}: the highest of the seeds`, Math.max(...lower), 0, true),
      bar('1. NLL lower by this share, on average', mean(relative), 0.02),
      bar('1. ECE, on average', mean(over(found, TUNED, 'ece')), 0.02, true),
      bar(`2. AUROC of rotated digits, above ${MAP_T}`, mean(better('rotated', MAP_T)), 0.03),
      bar(`2. AUROC of two classes left out, above ${MAP_T}`, mean(better('left out', MAP_T)), 0.015),
      bar('2. AUROC of noise: the lowest of the seeds', Math.min(...over(found, TUNED, 'noise')), 0.95),
      bar('2. AUROC, mean of all three, above the ensemble of five', mean(groups.map((g) => mean(better(g, ENSEMBLE)))), 0),
    ],
    notes: [
      'Every seed has its own images, weights and order, and leaves out two other classes. Ensembles and posteriors of a seed see the same images.',
      'SWAG: snapshots of ten further epochs of gradient descent at 0.05. MC dropout: a network of its own with a rate of 0.2.',
    ],
  };
}

export async function largePerceptron(seeds: ReadonlyArray<number>): Promise<Part> {
  const found: Array<Seeds[number]> = [];
  for (const seed of seeds) {
    const images = allClasses(seed, LARGE.sizes);
    const model = createNetwork(LARGE.hidden, { seed });
    await trainOn(model, images.training, { epochs: LARGE.epochs, seed });
    const tuned = await tunedPosterior(model, images, kfac({ fisher: truncated() }));
    tell(`784-1200-1200-10, seed ${seed}: ${choicesOf(tuned)}`);
    const own = [
      ...ofNetwork(model, images),
      tunedPredictive(model, tuned, TUNED),
      ...RULES.map((rule) => linearisedBy(rule, model, tuned, `linearised, ${rule}`)),
    ];
    found.push(await scored(own, images));
    model.dispose();
  }
  return {
    tables: [
      tableOf(
        `784-1200-1200-10 on 57,000 images, truncated Fisher, ${seeds.length} seeds`,
        found,
        CLASSES.filter(([, number]) => number !== 'left out'),
      ),
    ],
    bars: [
      noWorse(`1. large network: NLL, ${TUNED} less ${MAP_T}`, gains(found, 'nll', TUNED, MAP_T)),
      noWorse(`1. large network: ECE, ${TUNED} less ${MAP_T}`, gains(found, 'ece', TUNED, MAP_T)),
    ],
    notes: [],
  };
}
