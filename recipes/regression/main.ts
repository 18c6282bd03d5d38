/**
 * Laplace approximation of a small regression, in a few seconds: `npx tsx recipes/regression/main.ts [--out DIR]`.
 * A network learns a wave from points on both sides of a gap. The posterior variance shows where the network has seen no data.
 */
import '../support/tensorflow.js';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  evidence,
  gaussian,
  gaussianNll,
  intervalCoverage,
  isotropic,
  kfac,
  observe,
  orThrow,
  type Posterior,
  predict,
  type Regression,
  recipe,
  rmse,
  sampleFunctions,
  toPosterior,
  withPrior,
} from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { curves, predictionBands, writePicture } from 'tfjs-laplace/plugins/plots';
import { createReport } from '../support/report.js';
import { percent } from '../support/table.js';
import { GAP, inGap, NOISE, type Points, points, RANGE, seen, wave } from './data.js';

/** The noise variance is known here. With real data it has to be estimated. */
const regression = recipe({
  likelihood: gaussian({ noiseVariance: NOISE ** 2 }),
  curvature: kfac({ fisher: 'exact' }),
});

const PRECISIONS = [0.1, 0.3, 1, 3, 10, 30];
const EPOCHS = 600;

const { values } = parseArgs({ options: { out: { type: 'string', default: 'out/regression' } } });
const report = createReport('normal');
const column = (values: ReadonlyArray<number>): tf.Tensor2D => tf.tensor2d([...values], [values.length, 1]);

async function train(data: Points): Promise<LayersModel> {
  const dense = (name: string, units: number, seed: number) => ({
    name,
    units,
    kernelInitializer: initializers.glorotNormal({ seed }),
  });
  const model = sequential({
    layers: [
      layers.dense({ ...dense('hidden1', 32, 1), activation: 'tanh', inputShape: [1] }),
      layers.dense({ ...dense('hidden2', 32, 2), activation: 'tanh' }),
      layers.dense(dense('output', 1, 3)),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  const [x, y] = [column(data.x), column(data.y)];
  await model.fit(x, y, { epochs: EPOCHS, batchSize: data.x.length, shuffle: false, verbose: 0, yieldEvery: 'never' });
  tf.dispose([x, y]);
  return model;
}

/** Computes the posterior at prior precision τ = 1, in one pass over the data. */
async function posteriorOf(model: LayersModel, data: Points): Promise<Posterior> {
  const tensors = { x: column(data.x), y: column(data.y) };
  const stream = from(batches(tensors, 50)).pipe(
    observe(model, regression),
    accumulateFactors(regression),
    toPosterior(regression),
  );
  return lastValueFrom(stream).finally(() => tf.dispose([tensors.x, tensors.y]));
}

/**
 * Chooses the prior precision with the greatest evidence. This needs neither data nor a new decomposition.
 *
 * @returns the posterior at the chosen precision
 */
function chosen(posterior: Posterior): Posterior {
  const candidates = PRECISIONS.map((tau) => {
    const own = orThrow(withPrior(posterior, isotropic(tau)));
    return { tau, posterior: own, evidence: evidence(own).logMarginalLikelihood };
  });
  const best = candidates.reduce((a, b) => (b.evidence > a.evidence ? b : a));
  report.heading('Prior precision by evidence');
  report.table(
    ['τ', 'log marginal likelihood (nats)', ''],
    candidates.map((c) => [String(c.tau), c.evidence.toFixed(1), c === best ? '◀ chosen' : '']),
  );
  return best.posterior;
}

const predicted = async (model: LayersModel, posterior: Posterior, x: ReadonlyArray<number>): Promise<Regression> =>
  (await lastValueFrom(from([() => column(x)]).pipe(predict(model, posterior, regression)))) as Regression;

/** One row of the table: how good the network alone and its posterior are on points that were not in training. */
async function row(name: string, model: LayersModel, posterior: Posterior, data: Points): Promise<string[]> {
  const { mean, totalVariance, noiseVariance } = await predicted(model, posterior, data.x);
  const targets = data.y.map((y) => [y]);
  const alone = { targets, mean, variance: noiseVariance };
  const laplace = { targets, mean, variance: totalVariance };
  return [
    `${name} (${data.x.length})`,
    orThrow(rmse(targets, mean)).toFixed(3),
    ...[alone, laplace].map((p) => orThrow(gaussianNll(p)).toFixed(2)),
    ...[alone, laplace].map((p) => percent(orThrow(intervalCoverage(p)), 0)),
  ];
}

/** The x at which the pictures show predictions. */
const AXIS = Array.from({ length: 161 }, (_, i) => RANGE[0] + ((RANGE[1] - RANGE[0]) * i) / 160);
/** Axes and training points, which both pictures share. */
const frame = (data: Points) => ({
  xAxis: 'x',
  yAxis: 'y',
  yRange: [-2.5, 2.5] as const,
  dots: data.x.map((at, i) => ({ x: at, y: data.y[i] as number })),
});

/** Draws the mean with bands that hold 95 %: the total one and its epistemic part. */
async function band(model: LayersModel, posterior: Posterior, data: Points) {
  const svg = await predictionBands({
    title: 'A regression that knows where it has seen data',
    subtitle: `Linearised Laplace; dots are the ${data.x.length} training points`,
    ...frame(data),
    x: AXIS,
    prediction: await predicted(model, posterior, AXIS),
    curves: [{ name: 'the wave itself', points: AXIS.map((at) => ({ x: at, y: wave(at) })) }],
  });
  return writePicture(values.out, 'band', svg);
}

/** Draws sampled functions. They agree where there are data, and differ where there are none. */
async function functions(model: LayersModel, posterior: Posterior, data: Points) {
  const stream = from([() => column(AXIS)]).pipe(sampleFunctions(model, posterior, { samples: 4, seed: 1 }));
  const drawn = (await lastValueFrom(stream)).functions;
  const svg = await curves({
    title: 'Functions that the data allow',
    subtitle: 'Drawn from the posterior of the linearised network',
    ...frame(data),
    curves: drawn.map((rows, s) => ({
      name: `function ${s + 1}`,
      points: AXIS.map((at, i) => ({ x: at, y: rows[i]?.[0] as number })),
    })),
  });
  return writePicture(values.out, 'functions', svg);
}

const { name } = await useBackend();
report.note(`Backend ${name}`);
const data = points(120, 11, seen);
const model = await train(data);
const posterior = chosen(await posteriorOf(model, data));
report.heading('Points that were not in training: the network with its noise alone, and with its posterior');
report.table(
  ['points', 'RMSE', 'NLL, network', 'NLL, Laplace', '95 % interval covers, network', 'Laplace'],
  [
    await row('beside the training points', model, posterior, points(200, 21, seen)),
    await row(`in the gap ${GAP[0]} to ${GAP[1]}`, model, posterior, points(200, 31, inGap)),
    await row(
      'outside, |x| > 1.2',
      model,
      posterior,
      points(200, 41, (x) => Math.abs(x) > 1.2),
    ),
  ],
);
const pictures = [await band(model, posterior, data), await functions(model, posterior, data)];
for (const { warning } of pictures) if (warning !== undefined) report.result(warning);
report.result(`\nPictures: ${pictures.flatMap(({ png, svg }) => [png, svg]).join(', ')}`);
