/**
 * Compares this library with laplace-torch: the same work on the same weights and data. Each library runs in its own process, one
 * after the other, so that the memory of each can be measured. Installs laplace-torch under `out/peers` (Linux, `python3` with
 * venv and pip). Takes about ten minutes.
 *
 * Most bars are shares of laplace-torch's time; one limits the memory of the linearised predictive. laplace-torch draws 50 whole
 * networks. This library uses activation sampling, whose predictive has the same distribution for each example. Its time for
 * whole networks is listed too, without a bar.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { textTable } from 'tfjs-laplace/extend';
import { trainingSet } from '../recipes/mnist/data.js';
import { batchesOf, slice } from '../recipes/mnist/digits.js';
import { createNetwork } from '../recipes/mnist/network.js';
import type { Bar, BenchResult } from './harness.js';
import { lastLine, OUT, python } from './peers/setup.js';

/** What a process reported about one piece of work. `failed` is set when the process ran out of memory. */
interface Work {
  readonly ms: number;
  readonly bytes: number;
  readonly batches?: number;
  readonly examples?: number;
  readonly value?: number;
  readonly buffers?: number;
  readonly failed?: string;
}

type Works = Readonly<Record<string, Work>>;

/** MNIST images to which both libraries fit. */
const IMAGES = 60_000;
const file = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

export async function bench(): Promise<BenchResult> {
  const peer = await python();
  const dense = await denseProblem();
  const classes = classesProblem();
  const both = async (work: string, folder: string): Promise<{ ours: Works; theirs: Works }> => {
    console.log(`${work}: here …`);
    const ours = (await lastLine(process.execPath, [...process.execArgv, file('ours.ts'), work, folder])) as Works;
    console.log(`${work}: laplace-torch …`);
    return { ours, theirs: (await lastLine(peer, [file('laplace_torch.py'), work, folder])) as Works };
  };
  const fit = await both('fit', dense);
  const linear = await both('linearised', dense);
  const many = await both('classes', classes);
  const lines = [
    compared('fit, exact Fisher: a batch of 128, decompositions included', fit.ours.fit, fit.theirs.fit, perBatch),
    compared('the same, here with the truncated Fisher', fit.ours.truncated, fit.theirs.fit, perBatch),
    compared('linearised predictive: an example', linear.ours.linearised, linear.theirs.linearised, perExample),
    compared('50 samples of 128 examples', fit.ours.samples, fit.theirs.samples, whole),
    compared('50 whole networks on 128 examples', fit.ours['samples, whole networks'], fit.theirs.samples, whole),
    compared('prior precision by evidence', fit.ours.evidence, fit.theirs.evidence, whole),
    compared(
      'last layer, 512 x 1,000: fit, a batch of 128',
      many.ours['fit, 1,000 classes'],
      many.theirs['fit, 1,000 classes'],
      perBatch,
    ),
    compared('last layer, 512 x 1,000: an example', many.ours['last layer'], many.theirs['last layer'], perExample),
  ];
  const failures = Object.entries(many.theirs).flatMap(([name, { failed }]) =>
    failed ? [`laplace-torch, ${name}: ${failed}`] : [],
  );
  const text = textTable(
    ['', 'here', 'laplace-torch', 'ratio', 'memory here', 'memory there'],
    lines.map(({ name, ours, theirs, ratio, memory }) => [
      name,
      milliseconds(ours),
      milliseconds(theirs),
      ratio.toPrecision(2),
      ...memory.map((bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`),
    ]),
  );
  const [exact, truncated, linearised, samples, , evidence, , lastLayer] = lines.map(({ ratio }) => ratio) as number[];
  const atMost = (name: string, value: number | undefined, limit: number): Bar => ({
    name,
    value: value ?? Number.NaN,
    limit,
    atMost: true,
  });
  return {
    rows: lines.map(({ name, ours, theirs, memory: [bytes, peerBytes] }) => ({
      name,
      ms: ours,
      peerMs: theirs,
      bytes,
      peerBytes,
    })),
    notes: [
      ...text.split('\n'),
      ...failures,
      `optimal prior precision: ${fit.ours.evidence?.value?.toFixed(4)} here, ${fit.theirs.evidence?.value?.toFixed(4)} there after 100 steps`,
      `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`,
    ],
    bars: [
      atMost('linearised predictive / laplace-torch, time of an example', linearised, 1e-3),
      atMost('linearised predictive, MB added to the process', (linear.ours.linearised?.bytes ?? Number.NaN) / 1e6, 200),
      atMost('fit with the exact Fisher / laplace-torch', exact, 0.7),
      atMost('fit with the truncated Fisher / laplace-torch', truncated, 0.3),
      atMost('50 samples / laplace-torch', samples, 0.15),
      atMost('prior precision by evidence / laplace-torch', evidence, 0.25),
      atMost('last layer of 1,000 classes / laplace-torch, time of an example', lastLayer, 1 / 50),
    ],
  };
}

type Per = (work: Work) => number;
const whole: Per = ({ ms }) => ms;
const perBatch: Per = ({ ms, batches = 1 }) => ms / batches;
const perExample: Per = ({ ms, examples = 1 }) => ms / examples;

/**
 * Compares one piece of work.
 *
 * @param per takes a time in milliseconds out of the report: for the whole work, a batch or an example
 * @returns times of both sides, their ratio, and their memory in bytes; laplace-torch takes infinitely long where it failed
 */
function compared(name: string, ours: Work | undefined, theirs: Work | undefined, per: Per) {
  if (ours === undefined) throw new Error(`nothing was measured for '${name}'`);
  const there = theirs === undefined ? Number.POSITIVE_INFINITY : per(theirs);
  return {
    name,
    ours: per(ours),
    theirs: there,
    ratio: per(ours) / there,
    memory: [ours.bytes, theirs?.bytes ?? Number.NaN] as const,
  };
}

const milliseconds = (ms: number): string => (Number.isFinite(ms) ? `${ms.toPrecision(3)} ms` : 'not enough memory');

/** Trains 784-1200-1200-10 on MNIST for two epochs and writes it. Returns the folder. */
async function denseProblem(): Promise<string> {
  const digits = slice(trainingSet(), 0, IMAGES);
  const model = createNetwork(1200);
  for (let epoch = 0; epoch < 2; epoch++) {
    for (const batch of batchesOf(digits, 128)) {
      const { x, y } = batch();
      await model.trainOnBatch(x, y);
      tf.dispose([x, y]);
    }
  }
  const folder = write('dense', digits.pixels, digits.labels, model.getWeights());
  model.dispose();
  return folder;
}

/** Writes 64-512-1000 with random weights and inputs. Only the last layer will be covered. Returns the folder. */
function classesProblem(): string {
  const [N, width] = [2048, 64];
  const sizes = [
    [width, 512],
    [512, 1000],
  ] as const;
  const weights = sizes.flatMap(([n, m], i) => [tf.randomNormal([n, m], 0, Math.sqrt(2 / n), 'float32', i + 1), tf.zeros([m])]);
  const inputs = Uint8Array.from(tf.tidy(() => tf.randomUniform([N * width], 0, 256, 'float32', 3).dataSync() as Float32Array));
  const labels = Uint16Array.from({ length: N }, (_, i) => (i * 7919) % 1000);
  const folder = write('classes', inputs, labels, weights);
  tf.dispose(weights);
  return folder;
}

/**
 * Writes a problem for both processes: inputs as bytes, labels as int32, and weights as float32, one tensor after another.
 *
 * @returns the folder
 */
function write(name: string, x: Uint8Array, y: ArrayLike<number>, weights: ReadonlyArray<tf.Tensor>): string {
  const folder = join(OUT, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'x.u8'), x);
  writeFileSync(join(folder, 'y.i32'), Int32Array.from(y));
  writeFileSync(
    join(folder, 'weights.f32'),
    Buffer.concat(weights.map((w) => Buffer.from((w.dataSync() as Float32Array).slice().buffer))),
  );
  return folder;
}
