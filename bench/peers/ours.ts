/** Measures this library for `npm run bench -- peers`. Run as ours.ts WORK FOLDER. Prints one line of JSON. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  type Curvature,
  categorical,
  kfac,
  linearised,
  maximiseEvidence,
  observe,
  type Posterior,
  type Predictive,
  predict,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { useBackend } from 'tfjs-laplace/plugins/backends';
import { peakOf } from '../memory.js';
import { type Measured, measured } from './process.js';

const BATCH = 128;
const SAMPLES = 50;
/** Number of batches in one subscription. */
const STREAM = 8;

/** N examples: inputs [N, width] as bytes, labels [N]. */
interface Examples {
  readonly width: number;
  readonly classes: number;
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

type Works = Readonly<
  Record<
    string,
    Measured & { readonly batches?: number; readonly examples?: number; readonly buffers?: number; readonly value?: number }
  >
>;

function examples(folder: string, width: number, classes: number): Examples {
  const labels = readFileSync(join(folder, 'y.i32'));
  return {
    width,
    classes,
    pixels: readFileSync(join(folder, 'x.u8')),
    labels: new Int32Array(labels.buffer, labels.byteOffset, labels.length / 4),
  };
}

/** The first `count` examples as functions that each make the tensors of one batch. */
const batchesOf = ({ width, classes, pixels, labels }: Examples, count = labels.length) =>
  Array.from({ length: Math.ceil(count / BATCH) }, (_, i) => () => {
    const [start, end] = [i * BATCH, Math.min(count, (i + 1) * BATCH)];
    const x = new Float32Array((end - start) * width);
    for (let j = 0; j < x.length; j++) x[j] = (pixels[start * width + j] as number) / 255;
    return {
      x: tf.tensor2d(x, [end - start, width]),
      y: tf.oneHot(tf.tensor1d(labels.slice(start, end), 'int32'), classes),
    };
  });

/** Dense layers with ReLU between them and logits at the end. The weights come from the folder. */
export function network(folder: string, sizes: ReadonlyArray<number>): tf.LayersModel {
  const bytes = readFileSync(join(folder, 'weights.f32'));
  const flat = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const model = tf.sequential({
    layers: sizes.slice(1).map((units, i) =>
      tf.layers.dense({
        units,
        ...(i === 0 ? { inputShape: [sizes[0] as number] } : {}),
        ...(i < sizes.length - 2 ? { activation: 'relu' as const } : {}),
      }),
    ),
  });
  let at = 0;
  for (const layer of model.layers) {
    const [n, m] = (layer.getWeights()[0] as tf.Tensor).shape as [number, number];
    layer.setWeights([tf.tensor2d(flat.slice(at, at + n * m), [n, m]), tf.tensor1d(flat.slice(at + n * m, at + (n + 1) * m))]);
    at += (n + 1) * m;
  }
  return model;
}

const posteriorFor = (
  model: tf.LayersModel,
  batches: ReturnType<typeof batchesOf>,
  curvature: Curvature,
  priorPrecision: number,
): Promise<Posterior> =>
  lastValueFrom(from(batches).pipe(observe(model, categorical()), accumulateFactors(curvature), toPosterior({ priorPrecision })));

/** Predicts one batch in its own subscription, as for a single request. Each call uploads the posterior anew. */
async function predictOnce(model: tf.LayersModel, posterior: Posterior, predictive: Predictive, x: tf.Tensor): Promise<void> {
  await lastValueFrom(from([x]).pipe(predict(model, posterior, predictive)));
}

const DENSE = [784, 1200, 1200, 10];

async function fit(folder: string): Promise<Works> {
  const model = network(folder, DENSE);
  const data = examples(folder, 784, 10);
  const batches = batchesOf(data);
  await posteriorFor(model, batches.slice(0, 2), kfac(), 300);
  let posterior: Posterior | undefined;
  const exact = await measured(async () => {
    posterior = await posteriorFor(model, batches, kfac(), 300);
  });
  const truncated = await measured(() => posteriorFor(model, batches, kfac({ fisher: 'truncated' }), 300));
  const fitted = posterior as unknown as Posterior;
  writeFileSync(join(folder, 'posterior.v8'), serialize(fitted));
  const { x } = tf.tidy(() => (batches[0] as (typeof batches)[number])());
  // Predicts batch after batch in one subscription, which uploads the posterior once. Whole networks are drawn once per
  // subscription, so for them the subscription has a single batch.
  const sampled = async (predictive: Predictive, batches: number): Promise<Measured> => {
    const stream = (): Promise<unknown> =>
      lastValueFrom(from(new Array<tf.Tensor>(batches).fill(x)).pipe(predict(model, fitted, predictive)));
    const { ms, bytes } = await measured(stream, 3);
    return { ms: ms / batches, bytes };
  };
  const maximum = maximiseEvidence(fitted);
  if (E.isLeft(maximum) || maximum.right.prior._tag !== 'isotropic') throw new Error('no evidence maximum');
  const evidence = await measured(() => maximiseEvidence(fitted), 3);
  return {
    evidence: { ...evidence, value: maximum.right.prior.precision },
    fit: { ...exact, batches: batches.length },
    truncated: { ...truncated, batches: batches.length },
    samples: await sampled(activationSampling({ samples: SAMPLES }), STREAM),
    'samples, whole networks': await sampled(weightSampling({ samples: SAMPLES }), 1),
  };
}

async function linear(folder: string): Promise<Works> {
  const model = network(folder, DENSE);
  const posterior = deserialize(readFileSync(join(folder, 'posterior.v8'))) as Posterior;
  const { x } = (batchesOf(examples(folder, 784, 10), BATCH)[0] as ReturnType<typeof batchesOf>[number])();
  const stream = (batches: number): Promise<unknown> =>
    lastValueFrom(from(new Array<tf.Tensor>(batches).fill(x)).pipe(predict(model, posterior)));
  // Memory is measured in the first run, because a later run could reuse memory that this one left to the process.
  const { bytes } = await measured(() => stream(1));
  const buffers = await peakOf(() => stream(1));
  // Predicts batch after batch in one subscription, which uploads the posterior once.
  const { ms } = await measured(() => stream(STREAM), 3);
  return { linearised: { ms, bytes, buffers: buffers.bytes, examples: STREAM * BATCH } };
}

async function classes(folder: string): Promise<Works> {
  const model = network(folder, [64, 512, 1000]);
  const batches = batchesOf(examples(folder, 64, 1000));
  const curvature = kfac({ layers: 'last' });
  let posterior: Posterior | undefined;
  const fitted = await measured(async () => {
    posterior = await posteriorFor(model, batches, curvature, 1);
  });
  const { x } = (batches[0] as (typeof batches)[number])();
  const once = (): Promise<void> => predictOnce(model, posterior as Posterior, linearised(), x);
  const { bytes } = await measured(once);
  return {
    'fit, 1,000 classes': { ...fitted, batches: batches.length },
    'last layer': { ...(await measured(once, 5)), bytes, examples: BATCH },
  };
}

await useBackend();
const works = { fit, linearised: linear, classes }[process.argv[2] as string];
if (works === undefined) throw new Error(`no work is named '${process.argv[2]}'`);
console.log(`\n${JSON.stringify(await works(process.argv[3] as string))}`);
