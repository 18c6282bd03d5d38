/**
 * How predictions scale: time and memory against batch, width, depth, classes and samples, with exponents fitted to the larger sizes
 * beside those that the formulas state. Writes the picture to `out/scaling`; the one in docs/ is its copy.
 *
 * Posteriors are made up, dense rotations and all: what a prediction costs does not depend on their numbers. Time and memory are those
 * of a batch when the posterior is on the device already. Memory is what is allocated in buffers, the results included.
 */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { Subject } from 'rxjs';
import {
  activationSampling,
  categorical,
  exactDamping,
  fingerprint,
  linearised,
  type Matrix,
  type Posterior,
  type PosteriorLayer,
  type Prediction,
  type Predictive,
  predict,
} from 'tfjs-laplace';
import { readNetwork, withBlocks } from 'tfjs-laplace/extend';
import { type PowerLawPanel, powerLaws, writePicture } from 'tfjs-laplace/plugins/plots';
import { type BenchResult, median, type Row } from './harness.js';
import { peakOf } from './memory.js';

/** What is varied, and what it is otherwise. */
interface Setting {
  readonly batch: number;
  readonly width: number;
  readonly depth: number;
  readonly classes: number;
  readonly samples: number;
}

const BASE: Setting = { batch: 64, width: 512, depth: 2, classes: 10, samples: 16 };
const INPUTS = 256;
const ROUNDS = 7;

/** A size, its values, from which on the law is fitted, and the exponents of time and memory that are stated. */
interface Sweep {
  readonly size: keyof Setting;
  readonly axis: string;
  readonly values: ReadonlyArray<number>;
  readonly from: number;
  readonly time: string;
  readonly memory: string;
}

/**
 * Linearised: 2 B C w² operations a layer, B C w numbers of the one layer at work (and B w a layer that the forward pass keeps).
 * Activation sampling: S forward passes, running sums.
 */
const SWEEPS: ReadonlyArray<Sweep> = [
  { size: 'batch', axis: 'examples in a batch', values: [16, 32, 64, 128, 256], from: 64, time: '1', memory: '1' },
  { size: 'width', axis: 'units in a layer', values: [256, 512, 1024, 2048, 3072], from: 1024, time: '2', memory: '1' },
  { size: 'depth', axis: 'hidden layers', values: [1, 2, 4, 8, 16], from: 4, time: '1', memory: '0 to 1' },
  { size: 'classes', axis: 'classes', values: [4, 8, 16, 32, 64], from: 16, time: '1', memory: '1' },
  { size: 'samples', axis: 'samples', values: [8, 16, 32, 64, 128], from: 32, time: '1', memory: '0' },
];

export async function bench(): Promise<BenchResult> {
  const rows: Row[] = [];
  const times: PowerLawPanel[] = [];
  const memories: PowerLawPanel[] = [];
  for (const { size, axis, values, from, time, memory } of SWEEPS) {
    const found: { x: number; ms: number; bytes: number }[] = [];
    for (const value of values) {
      const cost = await costOf({ ...BASE, [size]: value }, size === 'samples');
      found.push({ x: value, ...cost });
      rows.push({ name: `${size} ${value}: ${(cost.bytes / 2 ** 20).toFixed(1)} MiB`, ms: cost.ms });
    }
    const panel = (of: 'ms' | 'bytes', cost: string, stated: string): PowerLawPanel => {
      const points = found.map((f) => ({ x: f.x, y: of === 'ms' ? f.ms : f.bytes / 1e6 }));
      return { size: axis, cost, points, fitted: { ...lawOf(points.filter(({ x }) => x >= from)), from }, stated };
    };
    times.push(panel('ms', 'time (ms)', time));
    memories.push(panel('bytes', 'memory (MB)', memory));
  }
  const svg = await powerLaws({
    title: 'What a batch of predictions costs',
    subtitle:
      `Dense network ${INPUTS}-512-512-10 and 64 examples unless varied: linearised with all covariances, and in the last column ` +
      'activation sampling. Exponents of the line, and of the formula.',
    rows: [times, memories],
  });
  const { png, warning } = await writePicture('out/scaling', 'scaling', svg);
  const exponents = [...times, ...memories].map(
    ({ size, cost, fitted, stated }) => `${cost} against ${size}: ${fitted.exponent.toFixed(2)} fitted, ${stated} stated`,
  );
  return { rows, notes: [...exponents, `picture: ${png}`, ...(warning ? [warning] : [])], bars: [] };
}

/** Median time of a batch in one subscription, after the first, and what it allocates at most. */
async function costOf(setting: Setting, sampling: boolean): Promise<{ ms: number; bytes: number }> {
  const model = network(setting);
  const posterior = await madeUp(model);
  const x = tf.randomNormal([setting.batch, INPUTS], 0, 1, 'float32', 3);
  const predictive: Predictive = sampling ? activationSampling({ samples: setting.samples }) : linearised();
  const batches = new Subject<tf.Tensor>();
  let answer: (prediction: Prediction) => void = () => {};
  let refuse: (reason: unknown) => void = () => {};
  const subscription = batches.pipe(predict(model, posterior, predictive)).subscribe({
    next: (prediction) => answer(prediction),
    error: (reason) => refuse(reason),
  });
  const once = (): Promise<Prediction> =>
    new Promise((resolve, reject) => {
      [answer, refuse] = [resolve, reject];
      batches.next(x);
    });
  try {
    await once();
    const { bytes } = await peakOf(once);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      await once();
      times.push(performance.now() - start);
    }
    return { ms: median(times), bytes };
  } finally {
    subscription.unsubscribe();
    x.dispose();
    model.dispose();
  }
}

function network({ width, depth, classes }: Setting): tf.LayersModel {
  const units = [...new Array<number>(depth).fill(width), classes];
  return tf.sequential({
    layers: units.map((m, i) =>
      tf.layers.dense({
        units: m,
        kernelInitializer: tf.initializers.heNormal({ seed: i + 1 }),
        ...(i === 0 ? { inputShape: [INPUTS] } : {}),
        ...(i < depth ? { activation: 'relu' as const } : {}),
      }),
    ),
  });
}

/** A posterior with dense orthonormal directions and decaying eigenvalues. */
async function madeUp(model: tf.LayersModel): Promise<Posterior> {
  const likelihood = categorical();
  const blocks = orFail(
    E.chain((read: Parameters<typeof withBlocks>[0]) => withBlocks(read, 'all'))(readNetwork(model, likelihood)),
  ).blocks;
  const layers = blocks.map(({ name, n, m, bias }): PosteriorLayer => {
    const mean: Matrix = { rows: n, cols: m, data: new Float64Array(n * m) };
    const [input, gradient] = [side(n), side(m)];
    const parts = {
      inputValues: input.values,
      inputVectors: input.vectors,
      gradientValues: gradient.values,
      gradientVectors: gradient.vectors,
    };
    return { name, members: [name], structure: 'kronecker', groups: 1, n, m, bias, mean, parts, priorPrecision: 1 };
  });
  return {
    _tag: 'Posterior',
    layers,
    damping: exactDamping(),
    likelihood,
    datasetSize: 1000,
    fingerprint: await fingerprint(model),
    logLikelihood: 0,
  };
}

/** A reflection I − 2 v vᵀ / vᵀv: orthonormal, and dense. */
function side(d: number): { values: Matrix; vectors: Matrix } {
  const data = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) data[i * d + j] = (i === j ? 1 : 0) - 2 / d;
  const values = { rows: d, cols: 1, data: Float64Array.from({ length: d }, (_, i) => 1 / (d - i)) };
  return { values, vectors: { rows: d, cols: d, data } };
}

/** Least squares of log y on log x. */
function lawOf(points: ReadonlyArray<{ x: number; y: number }>): { exponent: number; factor: number } {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const mean = (k: 0 | 1): number => logs.reduce((sum, p) => sum + p[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const exponent = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { exponent, factor: Math.exp(my - exponent * mx) };
}

function orFail<A>(value: E.Either<Error, A>): A {
  if (E.isLeft(value)) throw value.left;
  return value.right;
}
