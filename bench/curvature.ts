/**
 * Measures the cost of curvature on trained networks. On 784-1200-1200-10 with MNIST it runs every estimator over the same
 * batches. On a small ResNet for 32 × 32 × 3 images (digits in colour) it compares one pass with one epoch of training.
 *
 * Bars: `exact` runs at 60 % or more of the speed of a plain 1200³ matrix product. `truncated` with ε = 1e-3 is at least 2.5
 * times faster than `exact`. A truncated pass over the ResNet takes at most 4 times as long as a training epoch. The peak memory
 * of an exact pass is at most twice its sums, plus one batch.
 *
 * `npm run bench -- mnist` measures what the callback adds to a training step.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  type Curvature,
  categorical,
  coverage,
  coverageTable,
  diagonal,
  type Factors,
  kfac,
  observe,
  orThrow,
  truncated,
} from 'tfjs-laplace';
import { trainingSet } from '../recipes/mnist/data.js';
import { batchesOf, CLASSES, type Digits, slice } from '../recipes/mnist/digits.js';
import { createNetwork } from '../recipes/mnist/network.js';
import { type BenchResult, type Row, time } from './harness.js';
import { peakOf } from './memory.js';
import { passOperations } from './operations.js';
import { colourImages, resnet } from './resnet.js';

const BATCH = 128;
/**
 * Digits on which the dense network is trained for three epochs, and batches of a pass. With so many batches the end of the pass
 * is as small a share of its time as in practice.
 */
const [TRAIN, STEPS] = [60_000, 128] as const;
/** Images on which the ResNet is trained, and images of the pass and the epoch that are compared. */
const [IMAGES, PASS] = [6144, 1024] as const;
const TOLERANCE = 1e-3;

type Batch = () => { x: tf.Tensor; y: tf.Tensor };

const pass = (model: tf.LayersModel, batches: ReadonlyArray<Batch>, curvature: Curvature): Promise<Factors> =>
  lastValueFrom(from(batches).pipe(observe(model, categorical()), accumulateFactors(curvature)));

async function matmulSpeed(): Promise<{ ms: number; speed: number }> {
  const a = tf.randomNormal([1200, 1200], 0, 1, 'float32', 2) as tf.Tensor2D;
  const run = async (): Promise<void> => {
    const product = tf.matMul(a, a);
    await tf.tidy(() => tf.slice(product, [0, 0], [1, 1])).data();
    product.dispose();
  };
  const ms = (await time([{ name: 'matmul', run }], 20)).get('matmul') as number;
  a.dispose();
  return { ms, speed: (2 * 1200 ** 3) / ms };
}

export async function bench(): Promise<BenchResult> {
  const { ms, speed } = await matmulSpeed();
  const rows: Row[] = [{ name: 'matmul 1200 x 1200 x 1200', ms, share: 1 }];
  const notes: string[] = [];

  const digits = slice(trainingSet(), 0, TRAIN);
  const dense = createNetwork(1200);
  await trainOn(dense, batchesOf(digits, BATCH), 3);
  const batches = batchesOf(slice(digits, 0, BATCH * STEPS), BATCH);
  const estimators: ReadonlyArray<readonly [string, Curvature]> = [
    ['exact', kfac()],
    ['truncated', kfac({ fisher: truncated({ tolerance: TOLERANCE }) })],
    ['monteCarlo', kfac({ fisher: 'monteCarlo' })],
    ['empirical', kfac({ fisher: 'empirical' })],
    ['diagonal, exact', diagonal()],
  ];
  const kept = new Map<string, number>();
  const times = await time(
    estimators.map(([name, curvature]) => ({
      name,
      run: async () => {
        const factors = await pass(dense, batches, curvature);
        kept.set(name, factors.rows / factors.count);
      },
    })),
    5,
    1,
  );
  for (const [name, curvature] of estimators) {
    const batchMs = (times.get(name) as number) / STEPS;
    const share = name === 'truncated' ? {} : { share: (passOperations(dense, curvature) * BATCH) / batchMs / speed };
    rows.push({
      name: `${name}: a batch of ${BATCH}, ${(kept.get(name) as number).toFixed(1)} rows an example`,
      ms: batchMs,
      ...share,
    });
  }
  const memory = await peak(dense, batches, kfac());
  notes.push(
    `exact pass: at most ${mib(memory.peak)} MiB on the device, besides the model; its sums take ${mib(memory.sums)} MiB, one batch ${mib(memory.batch)} MiB`,
  );
  dense.dispose();

  const residual = await residualNetwork(slice(digits, 0, IMAGES));
  rows.push(...residual.rows);
  notes.push(...residual.notes);
  const exact = rows.find((r) => r.name.startsWith('exact'));
  return {
    rows,
    notes,
    bars: [
      { name: 'exact pass / matmul speed', value: exact?.share ?? 0, limit: 0.6, atMost: false },
      {
        name: 'exact / truncated',
        value: (times.get('exact') as number) / (times.get('truncated') as number),
        limit: 2.5,
        atMost: false,
      },
      { name: 'truncated pass / training epoch, ResNet', value: residual.ratio, limit: 4, atMost: true },
      {
        name: '(peak memory − one batch) / sums, exact',
        value: (memory.peak - memory.batch) / memory.sums,
        limit: 2,
        atMost: true,
      },
    ],
  };
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/**
 * Measures device memory, in bytes and without the model.
 *
 * @returns `peak`: the most that a pass holds; `sums`: the float32 sums of the factors; `batch`: the most that the pass holds
 *   until it asks for the second batch
 */
async function peak(model: tf.LayersModel, batches: ReadonlyArray<Batch>, curvature: Curvature) {
  const { bytes } = orThrow(coverage(model, { likelihood: categorical(), curvature }));
  const most = await peakOf((mark) => {
    const marking = batches.map((batch, i) => () => {
      if (i === 1) mark();
      return batch();
    });
    return pass(model, marking, curvature);
  });
  return { peak: most.bytes, sums: bytes / 2, batch: most.untilMark };
}

/** Times truncated passes over a ResNet and an epoch of its training, over the same images. `ratio` is pass to epoch. */
async function residualNetwork(digits: Digits): Promise<{ rows: Row[]; notes: string[]; ratio: number }> {
  const model = resnet(CLASSES);
  const batches = colourImages(digits, BATCH);
  await trainOn(model, batches, 3);
  const some = batches.slice(0, PASS / BATCH);
  const curvature = kfac({ fisher: truncated({ tolerance: TOLERANCE }) });
  const covered = orThrow(coverage(model, { likelihood: categorical(), curvature }));
  const sent = { rows: 0 };
  const subjects: ReadonlyArray<readonly [string, () => Promise<void>]> = [
    ['ResNet: an epoch of training', () => trainOn(model, some, 1)],
    [
      'ResNet: a truncated pass',
      async () => {
        const factors = await pass(model, some, curvature);
        sent.rows = factors.rows / factors.count;
      },
    ],
    [
      'ResNet: a truncated pass, reduce',
      async () => void (await pass(model, some, kfac({ fisher: 'truncated', weightSharing: 'reduce' }))),
    ],
  ];
  const times = await time(
    subjects.map(([name, run]) => ({ name, run })),
    2,
    1,
  );
  model.dispose();
  return {
    rows: subjects.map(([name]) => ({ name: `${name}, ${PASS} images`, ms: times.get(name) as number })),
    notes: [`ResNet: ${sent.rows.toFixed(1)} of ${CLASSES} rows an example; coverage:`, ...coverageTable(covered).split('\n')],
    ratio: (times.get('ResNet: a truncated pass') as number) / (times.get('ResNet: an epoch of training') as number),
  };
}

/** Trains a model in place, batch by batch. */
async function trainOn(model: tf.LayersModel, batches: ReadonlyArray<Batch>, epochs: number): Promise<void> {
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const batch of batches) {
      const { x, y } = batch();
      await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
    }
  }
}
