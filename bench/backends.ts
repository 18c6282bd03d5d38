/**
 * Measures training and linear algebra without TensorFlow's own kernels: on WASM with and without the kernels of
 * `plugins/wasm-kernels`, on the plain JavaScript backend, and with each engine of linear algebra.
 *
 * Bars: on WASM a training step of 784-1200-1200-10 is at least 4 times faster with the kernels than without. A step of LeNet on
 * WASM is at least 10 times faster than on the plain backend. The eigendecomposition of a 1200 x 1200 matrix is at least 6 times
 * faster in WASM than in ml-matrix, the plain JavaScript engine.
 */
import * as tf from '@tensorflow/tfjs';
import { either as E } from 'fp-ts';
import { type EngineName, type LinalgEngine, type Matrix, orThrow } from 'tfjs-laplace';
import { engineNamed } from 'tfjs-laplace/extend';
import { registerWasmKernels } from 'tfjs-laplace/plugins/wasm-kernels';
import { createLenet } from '../recipes/lenet/network.js';
import { createNetwork } from '../recipes/mnist/network.js';
import { type Bar, type BenchResult, type Row, time } from './harness.js';

const BATCH = 128;
const N = 1200;

/** Makes a model and a batch on the current backend. `step` trains the model once on the batch, `dispose` frees both. */
function trainer(make: () => tf.LayersModel): { step: () => Promise<void>; dispose: () => void } {
  const model = make();
  model.compile({ optimizer: tf.train.adam(1e-4), loss: 'categoricalCrossentropy' });
  const [input] = model.inputs as [tf.SymbolicTensor];
  const x = tf.randomUniform([BATCH, ...(input.shape.slice(1) as number[])], 0, 1, 'float32', 1);
  const labels = Array.from({ length: BATCH }, (_, i) => i % 10);
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
  return {
    step: async () => void (await model.trainOnBatch(x, y)),
    dispose: () => {
      model.dispose();
      tf.dispose([x, y]);
    },
  };
}

/**
 * Times training steps on WASM without and with the kernels. On the plain backend it times only LeNet: the dense network takes
 * too long.
 */
async function training(): Promise<{ rows: Row[]; bars: Bar[] }> {
  await tf.setBackend('wasm');
  registerWasmKernels().undo();
  const withKernels = (step: () => Promise<void>) => async () => {
    const { undo } = registerWasmKernels();
    await step();
    undo();
  };
  const leNet = () => createLenet({ normalised: false });
  const [network, convolutional] = [trainer(() => createNetwork(1200)), trainer(leNet)];
  const names = [
    '784-1200-1200-10 on WASM',
    'the same with wasm-kernels',
    'LeNet on WASM with wasm-kernels',
    'LeNet on cpu',
  ] as const;
  const times = await time(
    [
      { name: names[0], run: network.step },
      { name: names[1], run: withKernels(network.step) },
      { name: names[2], run: withKernels(convolutional.step) },
    ],
    7,
  );
  network.dispose();
  convolutional.dispose();
  await tf.setBackend('cpu');
  const plain = trainer(leNet);
  for (const [name, ms] of await time([{ name: names[3], run: plain.step }], 1, 0)) times.set(name, ms);
  plain.dispose();
  const ms = (name: string): number => times.get(name) as number;
  return {
    rows: names.map((name) => ({ name: `training step, ${name}`, ms: ms(name) })),
    bars: [
      { name: 'dense step, WASM alone / with wasm-kernels', value: ms(names[0]) / ms(names[1]), limit: 4, atMost: false },
      { name: 'LeNet step, cpu / WASM with wasm-kernels', value: ms(names[3]) / ms(names[2]), limit: 10, atMost: false },
    ],
  };
}

/** A symmetric n × n matrix of arbitrary numbers, the same in every run. */
function symmetric(n: number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) data[i * n + j] = data[j * n + i] = Math.sin(i * 12.9898 + j * 78.233);
  return { rows: n, cols: n, data };
}

/** The engine of that name; undefined where it cannot run. */
const engine = (name: EngineName): LinalgEngine | undefined => {
  const found = engineNamed(name);
  return E.isRight(found) && found.right.name === name ? found.right : undefined;
};

async function decompositions(): Promise<{ rows: Row[]; bars: Bar[] }> {
  const a = symmetric(N);
  const eigen = (by: LinalgEngine) => () => {
    orThrow(by.symmetricEigen(a));
  };
  const [fast, plain] = [engine('wasm'), engine('javascript')];
  const name = (by: string): string => `eigendecomposition ${N} x ${N}, engine ${by}`;
  const rows: Row[] = [];
  const timed = async (by: LinalgEngine | undefined, rounds: number, warmup: number): Promise<number> => {
    if (by === undefined) return Number.NaN;
    const ms = (await time([{ name: by.name, run: eigen(by) }], rounds, warmup)).get(by.name) as number;
    rows.push({ name: name(by.name), ms });
    return ms;
  };
  const ratio = 1 / ((await timed(fast, 3, 1)) / (await timed(plain, 1, 0)));
  return { rows, bars: [{ name: 'eigendecomposition, javascript / wasm', value: ratio, limit: 6, atMost: false }] };
}

export async function bench(): Promise<BenchResult> {
  const before = tf.getBackend();
  await import('@tensorflow/tfjs-backend-wasm');
  await import('@tensorflow/tfjs-backend-cpu');
  try {
    const parts = [await training(), await decompositions()];
    return { rows: parts.flatMap(({ rows }) => rows), bars: parts.flatMap(({ bars }) => bars), notes: [`Batches of ${BATCH}.`] };
  } finally {
    await tf.setBackend(before);
    if (before === 'wasm') registerWasmKernels();
  }
}
