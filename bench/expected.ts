/**
 * Compares what `expectedTime` predicts with what a pass takes: for a dense network, for convolutions and for a recurrent layer, under
 * several estimators. Bars: a factor of three in either direction.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  expectedTime,
  kfac,
  observe,
} from 'tfjs-laplace';
import { createLenet } from '../recipes/lenet/network.js';
import { createNetwork } from '../recipes/mnist/network.js';
import type { Bar, BenchResult, Row } from './harness.js';

const CLASSES = 10;
const BATCH = 32;

interface Case {
  readonly name: string;
  readonly model: () => tf.LayersModel;
  readonly examples: number;
}

const L = tf.layers;

const CASES: ReadonlyArray<Case> = [
  { name: 'dense 784-1200-1200-10', model: () => createNetwork(1200), examples: 4096 },
  { name: 'LeNet', model: () => createLenet({ normalised: false }), examples: 2048 },
  {
    name: 'LSTM of 64 units, 20 steps',
    model: () =>
      tf.sequential({
        layers: [L.lstm({ inputShape: [20, 16], units: 64 }), L.dense({ units: CLASSES, activation: 'softmax' })],
      }),
    examples: 1024,
  },
];

const CURVATURES: Readonly<Record<string, Curvature>> = {
  'kfac exact': kfac(),
  'kfac monteCarlo': kfac({ fisher: 'monteCarlo' }),
  ekfac: ekfac(),
  diagonal: diagonal(),
};

export async function bench(): Promise<BenchResult> {
  const rows: Row[] = [];
  const bars: Bar[] = [];
  for (const { name, model: create, examples } of CASES) {
    const model = create();
    for (const [estimator, curvature] of Object.entries(CURVATURES)) {
      const title = `${name}, ${estimator}`;
      const told = await expectedTime(model, { likelihood: categorical(), curvature, examples, batch: BATCH });
      // The eigendecompositions of ekfac lie between its two passes.
      const expected = told.pass + (curvature._tag === 'ekfac' ? told.decompositions : 0);
      const taken = await passOver(model, curvature, examples);
      rows.push({ name: `${title}: ${(1000 * expected).toFixed(0)} ms expected`, ms: 1000 * taken });
      bars.push({ name: `${title}: factor`, value: Math.max(expected / taken, taken / expected), limit: 3, atMost: true });
    }
    model.dispose();
  }
  return { rows, bars };
}

/** How many seconds a pass over random data takes. */
async function passOver(model: tf.LayersModel, curvature: Curvature, examples: number): Promise<number> {
  const [{ shape: batchShape }] = model.inputs as [tf.SymbolicTensor];
  const shape = batchShape.slice(1) as number[];
  const x = tf.randomNormal([examples, ...shape], 0, 1, 'float32', 3);
  const y = tf.tidy(() =>
    tf.cast(tf.oneHot(tf.randomUniform([examples], 0, CLASSES, 'int32', 4) as tf.Tensor1D, CLASSES), 'float32'),
  );
  const start = performance.now();
  await lastValueFrom(from(batches({ x, y }, BATCH)).pipe(observe(model, categorical()), accumulateFactors(curvature)));
  const taken = (performance.now() - start) / 1000;
  tf.dispose([x, y]);
  return taken;
}
