/** Laws of every estimator on networks with shared weights: sums over parts are the sum over the whole, however it is cut. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  type AccumulateOptions,
  accumulateFactors,
  batches,
  type Curvature,
  categorical,
  diagonal,
  ekfac,
  type Factors,
  full,
  kfac,
  type LayerSums,
  merge,
  moments,
  observe,
  type Posterior,
  type TensorData,
} from 'tfjs-laplace';
import { expectSameFactors, pass } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { kindOf, posteriorFrom, right } from '../support/math/laplace.js';
import { dense, inputsFor, withWeights } from '../support/math/networks.js';
import { relativeError } from '../support/math/numbers.js';
import { expectNoLeak } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO, zooInputs } from '../support/zoo.js';

withWasmKernels();

/** Float32 sums of the same few hundred products in another order. */
const FLOAT32 = 2e-5;
const N = 11;
const SHARDS = [
  [0, 3],
  [3, 1],
  [4, 7],
] as const;

const NETWORKS = ZOO.filter(({ name }) =>
  ['a convolution', 'an embedding', 'depthwise and separable convolutions', 'normalisations'].includes(name),
);

interface Estimator {
  readonly name: string;
  readonly curvature: Curvature;
  /** Draws anew for every batch: what depends on no draw is the same, the rest in the mean (`monteCarlo.test.ts`). */
  readonly draws?: true;
}

const ESTIMATORS: ReadonlyArray<Estimator> = [
  { name: 'exact', curvature: kfac() },
  { name: 'exact, reduce', curvature: kfac({ weightSharing: 'reduce' }) },
  { name: 'truncated', curvature: kfac({ fisher: { _tag: 'truncated', tolerance: 0 } }) },
  { name: 'monteCarlo', curvature: kfac({ fisher: { _tag: 'monteCarlo', samples: 2 } }), draws: true },
  { name: 'empirical', curvature: kfac({ fisher: 'empirical' }) },
  { name: 'ekfac', curvature: ekfac() },
  { name: 'ekfac, truncated', curvature: ekfac({ fisher: { _tag: 'truncated', tolerance: 0 } }) },
  { name: 'diagonal', curvature: diagonal() },
  { name: 'diagonal, empirical', curvature: diagonal({ fisher: { _tag: 'empirical' } }) },
  { name: 'full', curvature: full() },
];

const run = (model: tf.LayersModel, data: TensorData, curvature: Curvature, size: number, options: AccumulateOptions) =>
  lastValueFrom(from(batches(data, size)).pipe(observe(model, categorical()), accumulateFactors(curvature, options)));

const sum = (parts: ReadonlyArray<Factors>): Factors => parts.reduce((a, b) => right(merge(a, b)));

/** The same sums; of an estimator that draws, the same inputs, counts and rows. */
function expectSame(found: Factors, expected: Factors, { draws }: Estimator): void {
  expect([found.count, found.datasetSize, found.rows]).toEqual([expected.count, expected.datasetSize, expected.rows]);
  const undrawn = (factors: Factors): Factors => ({
    ...factors,
    layers: factors.layers.map(
      (layer, i): LayerSums =>
        layer._tag === 'kronecker'
          ? { ...layer, gradient: kronecker(expected.layers[i]).gradient }
          : (expected.layers[i] as LayerSums),
    ),
  });
  expectSameFactors(draws ? undrawn(found) : found, expected, FLOAT32);
}

describe.each(NETWORKS)('$name', (zoo) => {
  let model: tf.LayersModel;
  let data: { x: tf.Tensor; y: tf.Tensor };
  let basis: Posterior;

  beforeAll(async () => {
    model = zoo.build();
    const C = model.outputs[0]?.shape[1] as number;
    data = { x: zooInputs(zoo, model, N, 8)[0] as tf.Tensor, y: tf.oneHot(tf.range(0, N).mod(C).toInt(), C).toFloat() };
    basis = await posteriorFrom(await pass(model, categorical(), data), {});
  });
  afterAll(() => {
    model.dispose();
    tf.dispose(data);
  });

  const optionsFor = ({ curvature }: Estimator): AccumulateOptions => (curvature._tag === 'ekfac' ? { basis } : {});

  it.each(ESTIMATORS)('$name: shards merge to the factors of one pass, whatever their order and batches', async (estimator) => {
    const options = optionsFor(estimator);
    const whole = await run(model, data, estimator.curvature, 4, options);
    const shards = await Promise.all(
      SHARDS.map(([start, size]) => {
        const part = { x: tf.slice(data.x, start, size), y: tf.slice(data.y, start, size) };
        return run(model, part, estimator.curvature, 2, options).finally(() => tf.dispose(part));
      }),
    );
    expectSame(sum(shards), whole, estimator);
    expectSame(sum([...shards].reverse()), whole, estimator);
    for (const size of [1, 100]) expectSame(await run(model, data, estimator.curvature, size, options), whole, estimator);
  });

  it.each(ESTIMATORS)('$name leaves nothing on the device', async ({ curvature }) => {
    // Of ekfac both passes.
    await expectNoLeak(() => run(model, data, curvature, 4, {}));
  });

  it('moments along different eigenvectors never mix', async () => {
    const part = { x: tf.slice(data.x, 0, 5), y: tf.slice(data.y, 0, 5) };
    const [whole, other] = [await run(model, data, ekfac(), 4, {}), await run(model, part, ekfac(), 4, {})];
    tf.dispose(part);
    expect(kindOf(merge(whole, other))).toBe('Mismatch');
    expect(kindOf(merge(whole, await run(model, data, ekfac(), 4, { basis })))).toBe(undefined);
  });
});

describe('a number of steps that the model does not know', () => {
  const build = (steps: number | null) =>
    withWeights(
      tf.sequential({
        layers: [
          dense(3, { inputShape: [steps, 2], activation: 'tanh', name: 'low' }),
          tf.layers.globalAveragePooling1d({}),
          dense(3, { name: 'high' }),
        ],
      }),
      11,
    );
  let x: tf.Tensor;
  let y: tf.Tensor;
  beforeAll(() => {
    x = inputsFor(build(4), N, 8)[0] as tf.Tensor;
    y = tf.tensor1d(Array.from({ length: N }, (_, i) => i % 3));
  });

  it.each(['expand', 'reduce'] as const)('gives the moments of one that is known: %s', async (weightSharing) => {
    const [open, known] = [build(null), build(4)];
    const of = async (model: tf.LayersModel) =>
      right(moments(await pass(model, categorical(), { x, y }, kfac({ weightSharing })))).map(kronecker);
    const [found, expected] = [await of(open), await of(known)];
    expected.forEach(({ input, gradient }, i) => {
      expect(relativeError(kronecker(found[i]).input, input)).toBeLessThan(FLOAT32);
      expect(relativeError(kronecker(found[i]).gradient, gradient)).toBeLessThan(FLOAT32);
    });
  });

  it('may differ between batches: every example counts once, whatever its length', async () => {
    const model = build(null);
    const [short, long] = [tf.slice(x, [0, 0, 0], [-1, 2, -1]), x];
    const sources = [
      { x: short, y },
      { x: long, y },
    ];
    const both = await lastValueFrom(from(sources).pipe(observe(model, categorical()), accumulateFactors(kfac())));
    const apart = await Promise.all(sources.map((data) => pass(model, categorical(), data)));
    expectSameFactors(both, sum(apart), FLOAT32);
    // The bias's input is 1 at every step, so that its corner of the mean counts examples.
    expect(kronecker(right(moments(both))[0]).input.data.at(-1)).toBeCloseTo(1, 5);
  });
});
