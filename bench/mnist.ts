/**
 * Times the work on the MNIST network (784-1200-1200-10, ReLU, batches of 128) piece by piece: observed training steps, a pass
 * with each estimator, the decompositions, and the predictives. The images are random, because no time here depends on the data.
 *
 * Bars: observing with `empirical` adds at most 60 % to a training step. A callback that does not observe adds at most 2 %.
 * `exact` runs at 60 % or more of the speed of a plain 1200³ matrix product.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  type Curvature,
  categorical,
  epochsWhere,
  kfac,
  kfra,
  linearised,
  observe,
  type Predictive,
  predict,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { type BenchResult, type Row, type Subject, time } from './harness.js';
import { passOperations } from './operations.js';

const WIDTHS = [784, 1200, 1200, 10] as const;
const BATCH = 128;
/** Number of batches that are predicted. */
const STEPS = 16;
/**
 * Batches of a short and a long training epoch. The difference of their times, divided by the difference of their steps, is the
 * time of a step without the start and end of an epoch. A pass has as many batches as the long epoch.
 */
const [SHORT, LONG] = [8, 40] as const;
const SAMPLES = 20;

/**
 * Sizes of the layers, n inputs with bias and m outputs, and floating-point operations for a batch. A multiply-add counts as two.
 */
const layers = WIDTHS.slice(1).map((m, i) => ({ n: (WIDTHS[i] as number) + 1, m }));
const total = (f: (layer: { n: number; m: number }, i: number) => number): number => layers.map(f).reduce((a, b) => a + b, 0);
const C = WIDTHS[3];
const forwardOps = total(({ n, m }) => 2 * BATCH * n * m);
const inputOps = total(({ n }) => 2 * BATCH * n * n);
const backwardOps = (rows: number): number => total(({ n, m }, i) => (i === 0 ? 0 : 2 * rows * n * m));
const gradientOps = (rows: number): number => total(({ m }) => 2 * rows * m * m);
const linearisedOps =
  forwardOps + backwardOps(C * BATCH) + gradientOps(C * BATCH) + inputOps + total(({ n, m }) => 2 * BATCH * n * m);
const activationOps = SAMPLES * (2 * forwardOps + inputOps + gradientOps(BATCH));
const drawOps = total(({ n, m }) => 2 * n * n * m + 2 * n * m * m);

function buildModel(): tf.Sequential {
  const dense = (units: number, activation: 'relu' | 'softmax', seed: number, inputShape?: [number]) =>
    tf.layers.dense({
      units,
      activation,
      kernelInitializer: tf.initializers.glorotUniform({ seed }),
      ...(inputShape === undefined ? {} : { inputShape }),
    });
  const model = tf.sequential({
    layers: [dense(1200, 'relu', 1, [WIDTHS[0]]), dense(1200, 'relu', 2), dense(10, 'softmax', 3)],
  });
  model.compile({ optimizer: tf.train.adam(1e-4), loss: 'categoricalCrossentropy' });
  return model;
}

/** Computes a plain product and waits for its result. All other speeds are relative to this one. */
async function plainMatmul(a: tf.Tensor2D): Promise<void> {
  const product = tf.matMul(a, a);
  await tf.tidy(() => tf.slice(product, [0, 0], [1, 1])).data();
  product.dispose();
}

export async function bench(): Promise<BenchResult> {
  const N = BATCH * LONG;
  const x = tf.randomUniform([N, WIDTHS[0]], 0, 1, 'float32', 1) as tf.Tensor2D;
  const labels = Array.from({ length: N }, (_, i) => i % C);
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), C);
  const a = tf.randomNormal([1200, 1200], 0, 1, 'float32', 2) as tf.Tensor2D;
  const model = buildModel();

  const head = (t: tf.Tensor2D): tf.Tensor2D => tf.slice(t, [0, 0], [BATCH * SHORT, -1]);
  const sets = { short: [head(x), head(y as tf.Tensor2D)], long: [x, y] } as const;
  const train =
    (length: keyof typeof sets, curvature?: Curvature, observed = true): (() => Promise<void>) =>
    async () => {
      const [inputs, targets] = sets[length];
      const callbacks =
        curvature && laplaceCallback({ likelihood: categorical(), curvature, epochs: epochsWhere((e) => observed || e > 0) });
      const own = callbacks === undefined ? {} : { callbacks };
      await model.fit(inputs, targets, { epochs: 1, batchSize: BATCH, shuffle: false, verbose: 0, ...own });
    };
  const part = (i: number) => () => ({
    x: tf.slice(x, [i * BATCH, 0], [BATCH, -1]),
    y: tf.slice(y, [i * BATCH, 0], [BATCH, -1]),
  });
  const all = Array.from({ length: LONG }, (_, i) => part(i));
  const parts = all.slice(0, STEPS);
  const pass = (curvature: Curvature) => () =>
    lastValueFrom(from(all).pipe(observe(model, categorical()), accumulateFactors(curvature)));

  const matmul = (await time([{ name: 'matmul', run: () => plainMatmul(a) }], 20)).get('matmul') as number;
  const speed = (2 * 1200 ** 3) / matmul;
  const rows: Row[] = [{ name: 'matmul 1200 x 1200 x 1200', ms: matmul, share: 1 }];
  /** Times subjects and adds their rows. One timed call of a subject holds `per` runs; its row has the time of one run. */
  const add = async (subjects: ReadonlyArray<Subject & { readonly per?: number }>, rounds: number): Promise<void> => {
    const times = await time(subjects, rounds, 1);
    for (const { name, operations, per = 1 } of subjects) {
      const ms = (times.get(name) as number) / per;
      rows.push({ name, ms, ...(operations === undefined ? {} : { share: operations / ms / speed }) });
    }
  };

  const kinds: ReadonlyArray<readonly [string, Curvature | undefined, boolean]> = [
    ['training step', undefined, true],
    ['training step, callback not observing', kfac({ fisher: 'empirical' }), false],
    ['training step observed, empirical', kfac({ fisher: 'empirical' }), true],
    ['training step observed, monteCarlo', kfac({ fisher: 'monteCarlo' }), true],
    ['training step observed, exact', kfac(), true],
    ['training step observed, kfra', kfra(), true],
  ];
  const epochTimes = await time(
    kinds.flatMap(([name, curvature, observed]) =>
      (['short', 'long'] as const).map((length) => ({ name: `${length} ${name}`, run: train(length, curvature, observed) })),
    ),
    5,
    1,
  );
  const step = (name: string): number =>
    ((epochTimes.get(`long ${name}`) as number) - (epochTimes.get(`short ${name}`) as number)) / (LONG - SHORT);
  for (const [name] of kinds) rows.push({ name, ms: step(name) });
  // To show that two times are equal takes more rounds than to show that they differ by a third.
  const idle = await time(
    kinds.slice(0, 2).map(([name, curvature, observed]) => ({ name, run: train('long', curvature, observed) })),
    21,
  );
  const observedEpoch = 'training step observed, empirical';
  rows.push({
    name: 'start and end of an observed epoch',
    ms: (epochTimes.get(`short ${observedEpoch}`) as number) - SHORT * step(observedEpoch),
  });

  const estimators: ReadonlyArray<readonly [string, Curvature]> = [
    ['exact', kfac()],
    ['monteCarlo', kfac({ fisher: 'monteCarlo' })],
    ['empirical', kfac({ fisher: 'empirical' })],
    ['kfra', kfra()],
  ];
  await add(
    estimators.map(([name, curvature]) => ({
      name: `pass, ${name} (a batch)`,
      run: async () => void (await pass(curvature)()),
      per: LONG,
      ...(curvature._tag === 'kfra' ? {} : { operations: passOperations(model, curvature) * BATCH }),
    })),
    3,
  );

  const factors = await pass(kfac())();
  const build = () => lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: 100 })));
  await add([{ name: 'six decompositions (785, 1201, 1201, 1200, 1200, 10)', run: async () => void (await build()) }], 2);
  const posterior = await build();

  const predictAll = (predictive: Predictive) => async () => {
    await lastValueFrom(from(parts.map((p) => () => p().x)).pipe(predict(model, posterior, predictive)));
  };
  await add(
    [
      { name: 'linearised predictive (a batch)', run: predictAll(linearised()), per: STEPS, operations: linearisedOps },
      {
        name: `${SAMPLES} samples of activations (a batch)`,
        run: predictAll(activationSampling({ samples: SAMPLES })),
        per: STEPS,
        operations: activationOps,
      },
      {
        name: `${SAMPLES} sampled networks, drawn and run on ${STEPS} batches (a batch)`,
        run: predictAll(weightSampling({ samples: SAMPLES })),
        per: STEPS,
        operations: SAMPLES * (forwardOps + drawOps / STEPS),
      },
    ],
    3,
  );
  tf.dispose([x, y, a, ...sets.short]);
  model.dispose();

  const base = step('training step');
  const exact = rows.find((r) => r.name.startsWith('pass, exact'));
  return {
    rows,
    bars: [
      {
        name: 'callback not observing / no callback',
        value: (idle.get('training step, callback not observing') as number) / (idle.get('training step') as number),
        limit: 1.02,
        atMost: true,
      },
      {
        name: 'observed with empirical / not observed',
        value: step('training step observed, empirical') / base,
        limit: 1.6,
        atMost: true,
      },
      { name: 'exact pass / matmul speed', value: exact?.share ?? 0, limit: 0.6, atMost: false },
    ],
    notes: [
      'Shares count the operations that the mathematics needs: for second moments in a pass only the operations of the lower triangle.',
      'An observed step includes the training step itself.',
    ],
  };
}
