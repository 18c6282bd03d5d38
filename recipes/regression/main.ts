/**
 * Laplace approximation of a small regression, in a few seconds: `npx tsx recipes/regression/main.ts [--out DIR]`.
 * A network learns a wave from points on both sides of a gap. The posterior variance shows where the network has seen no data. Prior
 * precision and noise variance come from the evidence, and beside it from points that were not in training.
 */
import '../support/tensorflow.js';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type EvidenceMaximum,
  evidence,
  evidenceCurve,
  gaussian,
  gaussianNll,
  intervalCoverage,
  kfac,
  maximiseEvidence,
  observe,
  orThrow,
  type Posterior,
  predict,
  type Regression,
  recipe,
  rmse,
  sampleFunctions,
  type Tuning,
  toPosterior,
  tune,
  withNoiseVariance,
} from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { curves, evidenceCurves, predictionBands, writePicture } from 'tfjs-laplace/plugins/plots';
import { createReport } from '../support/report.js';
import { percent } from '../support/table.js';
import { GAP, inGap, NOISE, type Points, points, RANGE, seen, wave } from './data.js';

/** The noise variance is estimated after training. So the one that it begins with does not matter. */
const regression = recipe({
  likelihood: gaussian(),
  curvature: kfac({ fisher: 'exact' }),
});

const EPOCHS = 600;
/** The number of points that were not in training, which judge the choice of the evidence. */
const HELD_OUT = 60;
/** How far the other noises in the picture of the evidence are from the one that was found. */
const PERCENT = 20;

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

/** Computes the posterior at prior precision τ = 1 and noise variance σ² = 1, in one pass over the data. */
async function posteriorOf(model: LayersModel, data: Points): Promise<Posterior> {
  const tensors = { x: column(data.x), y: column(data.y) };
  const stream = from(batches(tensors, 50)).pipe(
    observe(model, regression),
    accumulateFactors(regression),
    toPosterior(regression),
  );
  return lastValueFrom(stream).finally(() => tf.dispose([tensors.x, tensors.y]));
}

/** The maximum of the evidence over τ and σ². This needs neither held-out data nor a new decomposition. */
const byEvidence = (posterior: Posterior): EvidenceMaximum => orThrow(maximiseEvidence(posterior, { noise: 'estimated' }));

/** The τ and σ² with the least NLL on points that were not in training. */
async function byHeldOut(model: LayersModel, posterior: Posterior, data: Points): Promise<Tuning> {
  const tensors = { x: column(data.x), y: column(data.y) };
  return tune(model, posterior, batches(tensors, data.x.length), regression).finally(() => tf.dispose([tensors.x, tensors.y]));
}

/** σ of a posterior with one output. */
const noiseOf = ({ likelihood }: Posterior): number =>
  Math.sqrt(likelihood._tag === 'gaussian' ? Number(likelihood.noiseVariance) : Number.NaN);

/** How many weights a posterior covers. */
const weights = ({ layers }: Posterior): number => layers.reduce((sum, { n, m }) => sum + n * m, 0);

/** One row of the first table. */
const choice = (name: string, posterior: Posterior, facts: ReadonlyArray<string>): string[] => [
  name,
  noiseOf(posterior).toFixed(3),
  (posterior.layers[0] as Posterior['layers'][number]).priorPrecision.toPrecision(3),
  ...facts,
];

const predicted = async (model: LayersModel, posterior: Posterior, x: ReadonlyArray<number>): Promise<Regression> =>
  (await lastValueFrom(from([() => column(x)]).pipe(predict(model, posterior, regression)))) as Regression;

/**
 * One row of the table: how good the network alone and its posteriors are on points that were not in training. The network's noise is
 * that of the first posterior.
 */
async function row(name: string, model: LayersModel, posteriors: ReadonlyArray<Posterior>, data: Points): Promise<string[]> {
  const targets = data.y.map((y) => [y]);
  const predictions = await Promise.all(posteriors.map((own) => predicted(model, own, data.x)));
  const { mean, noiseVariance } = predictions[0] as Regression;
  const all = [noiseVariance, ...predictions.map(({ totalVariance }) => totalVariance)].map((variance) => ({
    targets,
    mean,
    variance,
  }));
  return [
    `${name} (${data.x.length})`,
    orThrow(rmse(targets, mean)).toFixed(3),
    ...all.map((p) => orThrow(gaussianNll(p)).toFixed(2)),
    ...all.map((p) => percent(orThrow(intervalCoverage(p)), 0)),
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

/** Draws the evidence over τ, with the σ that was found and with others. */
async function evidences({ posterior }: EvidenceMaximum) {
  const sigma = noiseOf(posterior);
  const at = (factor: number) => {
    const own = orThrow(withNoiseVariance(posterior, (factor * sigma) ** 2));
    return { name: `σ = ${(factor * sigma).toFixed(3)}`, points: orThrow(evidenceCurve(own, { decades: 1 })) };
  };
  const svg = await evidenceCurves({
    title: 'The evidence of prior and noise',
    subtitle: `The noise that was found, ${PERCENT} % less, and ${PERCENT} % more`,
    series: [1 - PERCENT / 100, 1, 1 + PERCENT / 100].map(at),
  });
  return writePicture(values.out, 'evidence', svg);
}

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
const broad = await posteriorOf(model, data);
const found = byEvidence(broad);
const heldOut = await byHeldOut(model, broad, points(HELD_OUT, 51, seen));
const { posterior } = found;
const parameters = Object.values(found.effectiveParameters).reduce((sum, gamma) => sum + gamma, 0);
report.heading('Noise and prior precision');
report.table(
  ['by', 'σ', 'τ', 'log marginal likelihood (nats)'],
  [
    choice('evidence, from the training points', posterior, [found.evidence.logMarginalLikelihood.toFixed(1)]),
    choice(`NLL of ${HELD_OUT} points beside them`, heldOut.posterior, [
      evidence(heldOut.posterior).logMarginalLikelihood.toFixed(1),
    ]),
  ],
);
report.note(
  `The noise of the data is σ = ${NOISE}. The training points determine ${parameters.toFixed(0)} of the ${weights(posterior)} weights.`,
);
report.heading('Points that were not in training: NLL (nats), and the share that the 95 % interval covers');
const compared = [posterior, heldOut.posterior];
const columns = ['network', 'evidence', 'held-out'];
report.table(
  ['points', 'RMSE', ...columns.map((own) => `NLL, ${own}`), ...columns.map((own) => `95 % covers, ${own}`)],
  [
    await row('beside the training points', model, compared, points(200, 21, seen)),
    await row(`in the gap ${GAP[0]} to ${GAP[1]}`, model, compared, points(200, 31, inGap)),
    await row(
      'outside, |x| > 1.2',
      model,
      compared,
      points(200, 41, (x) => Math.abs(x) > 1.2),
    ),
  ],
);
const pictures = [await evidences(found), await band(model, posterior, data), await functions(model, posterior, data)];
for (const { warning } of pictures) if (warning !== undefined) report.result(warning);
report.result(`\nPictures: ${pictures.flatMap(({ png, svg }) => [png, svg]).join(', ')}`);
