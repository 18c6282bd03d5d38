/**
 * Measures how the time and memory of predictions grow with batch, width, depth, classes and samples. It fits exponents to the
 * larger sizes, and prints them beside the exponents that the formulas state. It writes the picture to `out/scaling`; docs/ has a
 * copy.
 *
 * The posteriors are made up, with dense eigenvectors, because the cost of a prediction does not depend on their numbers. Time
 * and memory are for one batch, after the posterior was uploaded. Memory counts all allocated buffers, including the results.
 */
import * as tf from '@tensorflow/tfjs';
import { Subject } from 'rxjs';
import {
  activationSampling,
  categorical,
  exactDamping,
  fingerprint,
  linearised,
  type Matrix,
  orThrow,
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

/** The sizes of a measurement: examples, units of a hidden layer, hidden layers, classes, and samples. */
interface Setting {
  readonly batch: number;
  readonly width: number;
  readonly depth: number;
  readonly classes: number;
  readonly samples: number;
}

/** The sizes that are not varied. */
const BASE: Setting = { batch: 64, width: 512, depth: 2, classes: 10, samples: 16 };
const INPUTS = 256;
const ROUNDS = 7;

/** One size that is varied. */
interface Sweep {
  readonly size: keyof Setting;
  /** Title of the size in the picture. */
  readonly axis: string;
  readonly values: ReadonlyArray<number>;
  /** The law is fitted to the values from this one on. */
  readonly from: number;
  /** The exponent of time that the formula states. */
  readonly time: string;
  /** The exponent of memory that the formula states. */
  readonly memory: string;
}

/**
 * The sweeps. The stated exponents follow from the costs with B examples, C classes, width w and S samples:
 *
 * - Linearised: 2 B C w² operations for each layer. Memory holds B C w numbers of the current layer, and B w numbers of each layer
 *   from the forward pass.
 * - Activation sampling: S forward passes. Memory holds running sums, which do not grow with S.
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
      `Dense network ${INPUTS}-512-512-10 and 64 examples unless varied. Linearised predictive with full covariances; last column: ` +
      'activation sampling. Above each panel: the exponent of the fitted line, and of the formula.',
    rows: [times, memories],
  });
  const { png, warning } = await writePicture('out/scaling', 'scaling', svg);
  const exponents = [...times, ...memories].map(
    ({ size, cost, fitted, stated }) => `${cost} against ${size}: ${fitted.exponent.toFixed(2)} fitted, ${stated} stated`,
  );
  return { rows, notes: [...exponents, `picture: ${png}`, ...(warning ? [warning] : [])], bars: [] };
}

/**
 * Measures one batch within a subscription, after the first batch.
 *
 * @returns median milliseconds, and the most bytes of buffers that the batch allocates at once
 */
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

/** Makes up a posterior with dense eigenvectors and decaying eigenvalues. */
async function madeUp(model: tf.LayersModel): Promise<Posterior> {
  const likelihood = categorical();
  const { blocks } = orThrow(withBlocks(orThrow(readNetwork(model, likelihood)), 'all'));
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
    estimator: { _tag: 'kfac', fisher: { _tag: 'exact' }, weightSharing: 'expand' },
    outputs: layers.at(-1)?.m ?? 0,
    datasetSize: 1000,
    fingerprint: await fingerprint(model),
    logLikelihood: 0,
  };
}

/**
 * Makes up one side of a Kronecker factor. Its d eigenvectors are the reflection I − 2 v vᵀ / vᵀv with v = 1: orthonormal and
 * dense.
 */
function side(d: number): { values: Matrix; vectors: Matrix } {
  const data = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) data[i * d + j] = (i === j ? 1 : 0) - 2 / d;
  const values = { rows: d, cols: 1, data: Float64Array.from({ length: d }, (_, i) => 1 / (d - i)) };
  return { values, vectors: { rows: d, cols: d, data } };
}

/** Fits the law y = factor · x^exponent by least squares of log y on log x. */
function lawOf(points: ReadonlyArray<{ x: number; y: number }>): { exponent: number; factor: number } {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const mean = (k: 0 | 1): number => logs.reduce((sum, p) => sum + p[k], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const exponent = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { exponent, factor: Math.exp(my - exponent * mx) };
}
