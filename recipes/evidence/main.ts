/**
 * Chooses a network by its evidence, in about a minute: `npx tsx recipes/evidence/main.ts [--epochs N]`.
 * Several architectures learn the wave of `recipes/regression` under empirical Bayes: prior precision and noise are estimated while
 * they train. The evidence needs no held-out data; the held-out NLL says whether it chose well.
 */
import '../support/tensorflow.js';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { filter, from, lastValueFrom } from 'rxjs';
import { gaussian, gaussianNll, orThrow, type Posterior, predict, type Regression } from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { type EpochEvidence, evidenceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { NOISE, type Points, points, seen } from '../regression/data.js';
import { createReport } from '../support/report.js';

interface Architecture {
  readonly activation: 'tanh' | 'relu' | 'linear';
  readonly depth: number;
  readonly width: number;
}

const ARCHITECTURES: ReadonlyArray<Architecture> = [
  { activation: 'linear', depth: 1, width: 8 },
  { activation: 'relu', depth: 1, width: 8 },
  { activation: 'relu', depth: 2, width: 16 },
  { activation: 'tanh', depth: 1, width: 2 },
  { activation: 'tanh', depth: 1, width: 16 },
  { activation: 'tanh', depth: 2, width: 16 },
];

const { values } = parseArgs({ options: { epochs: { type: 'string', default: '400' } } });
const EPOCHS = Number(values.epochs);
/** Epochs before the first estimate, and between estimates. */
const [BURN_IN, EVERY] = [Math.floor(EPOCHS / 5), Math.max(1, Math.floor(EPOCHS / 20))];

const report = createReport('normal');
const column = (values: ReadonlyArray<number>): tf.Tensor2D => tf.tensor2d([...values], [values.length, 1]);

function build({ activation, depth, width }: Architecture): LayersModel {
  const dense = (units: number, seed: number) => ({ units, kernelInitializer: initializers.glorotNormal({ seed }) });
  const model = sequential({
    layers: [
      ...Array.from({ length: depth }, (_, i) =>
        layers.dense({ ...dense(width, i + 1), activation, inputShape: [i === 0 ? 1 : width] }),
      ),
      layers.dense(dense(1, depth + 1)),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError' });
  return model;
}

interface Trained {
  readonly model: LayersModel;
  readonly posterior: Posterior;
  /** The evidence of the best epoch. */
  readonly best: EpochEvidence;
}

async function train(architecture: Architecture, data: Points): Promise<Trained> {
  const model = build(architecture);
  const callback = evidenceCallback({
    likelihood: gaussian({ noiseVariance: 0.1 }),
    per: 'layer',
    burnIn: BURN_IN,
    every: EVERY,
  });
  const [x, y] = [column(data.x), column(data.y)];
  await model.fit(x, y, {
    epochs: EPOCHS,
    batchSize: data.x.length,
    shuffle: false,
    verbose: 0,
    yieldEvery: 'never',
    callbacks: callback,
  });
  tf.dispose([x, y]);
  return {
    model,
    posterior: await lastValueFrom(callback.posterior$),
    best: await lastValueFrom(callback.evidence$.pipe(filter(({ isBest }) => isBest))),
  };
}

/** The mean NLL of points that were not in training, in nats. */
async function heldOutNll({ model, posterior }: Trained, data: Points): Promise<number> {
  const stream = from([() => column(data.x)]).pipe(predict(model, posterior));
  const { mean, totalVariance } = (await lastValueFrom(stream)) as Regression;
  return orThrow(gaussianNll({ targets: data.y.map((y) => [y]), mean, variance: totalVariance }));
}

const { name } = await useBackend();
report.note(`Backend ${name}`);
const data = points(60, 11, seen);
const heldOut = points(400, 21, seen);
const rows: Array<{ readonly title: string; readonly trained: Trained; readonly evidence: number; readonly nll: number }> = [];
for (const architecture of ARCHITECTURES) {
  const trained = await train(architecture, data);
  const { activation, depth, width } = architecture;
  const evidence = trained.best.evidence.logMarginalLikelihood;
  rows.push({ title: `${activation}, ${depth} × ${width}`, trained, evidence, nll: await heldOutNll(trained, heldOut) });
}
const chosen = rows.reduce((a, b) => (b.evidence > a.evidence ? b : a));
const best = rows.reduce((a, b) => (b.nll < a.nll ? b : a));
report.heading(
  `Six networks for ${data.x.length} points, with their evidence and the NLL of ${heldOut.x.length} points not in training`,
);
report.table(
  ['hidden layers', 'weights', 'of which determined', `σ (true ${NOISE})`, 'log evidence', 'held-out NLL', ''],
  rows.map((row) => [
    row.title,
    String(row.trained.model.countParams()),
    Object.values(row.trained.best.effectiveParameters)
      .reduce((a, b) => a + b)
      .toFixed(1),
    Math.sqrt(row.trained.best.noiseVariance as number).toFixed(3),
    row.evidence.toFixed(1),
    row.nll.toFixed(3),
    [row === chosen ? '◀ evidence' : '', row === best ? '◀ held-out' : ''].filter(Boolean).join(' '),
  ]),
);
report.result(
  chosen === best
    ? '\nThe evidence chooses the network with the best held-out NLL.'
    : `\nThe evidence chooses a network whose held-out NLL is ${(chosen.nll - best.nll).toFixed(3)} above the best.`,
);
