/** Weights of examples in a pass over data: how often each counts. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  type BatchSource,
  batches,
  type Curvature,
  diagonal,
  type Factors,
  full,
  kfac,
  kfra,
  type LaplaceErrorKind,
  observe,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { distance, matricesOf, pass } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

/** Sums of the same float32 products in another order. */
const TOLERANCE = 1e-5;

const classes = pair('classes, softmax inside');
const model = () => chain(classes);
const COUNTS = [1, 0, 2, 3, 1, 1, 0, 1, 2, 1];

const observed = (sources: ReadonlyArray<BatchSource>, curvature: Curvature): Promise<Factors> =>
  lastValueFrom(from(sources).pipe(observe(model(), classes.likelihood), accumulateFactors(curvature)));

it.each<[string, Curvature]>([
  ['exact', kfac()],
  ['empirical', kfac({ fisher: 'empirical' })],
  ['kfra', kfra()],
  ['diagonal', diagonal()],
  ['full', full()],
])('an example of weight 2 counts twice, one of weight 0 not at all: %s', async (_, curvature) => {
  const { x, y } = dataOf(classes, COUNTS.length);
  const index = tf.tensor1d(
    COUNTS.flatMap((count, i) => new Array<number>(count).fill(i)),
    'int32',
  );
  const expected = await pass(model(), classes.likelihood, { x: tf.gather(x, index), y: tf.gather(y, index) }, curvature);
  const found = await observed(batches({ x, y, weights: tf.tensor1d(COUNTS) }, 4), curvature);
  expected.layers.forEach((layer, i) => {
    const own = matricesOf(found.layers[i]);
    for (const [part, sum] of Object.entries(matricesOf(layer))) {
      expect(distance(own[part]?.data ?? [], sum.data)).toBeLessThan(TOLERANCE);
    }
  });
});

it('arrays serve, and are freed', async () => {
  const data = dataOf(classes, 3);
  const [x, y] = [data.x.arraySync(), data.y.arraySync()] as [number[][], number[][]];
  const network = model();
  await expectNoLeak(() =>
    lastValueFrom(from([{ x, y, weights: [1, 0.5, 0] }]).pipe(observe(network, classes.likelihood), accumulateFactors(kfac()))),
  );
});

it.each<[string, unknown, LaplaceErrorKind]>([
  ['of another length', [1, 1], 'InvalidInput'],
  ['of another shape', [[1], [1], [1]], 'InvalidInput'],
  ['one for all', 1, 'InvalidInput'],
  ['in words', 'twice', 'InvalidInput'],
  ['below zero', [1, -1, 1], 'InvalidInput'],
  ['that are not finite', [1, Number.POSITIVE_INFINITY, 1], 'InvalidInput'],
  ['that are not numbers', [1, Number.NaN, 1], 'InvalidInput'],
])('are an error: %s', async (_, weights, kind) => {
  const { x, y } = dataOf(classes, 3);
  await expectRejection(observed([{ x, y, weights: weights as tf.TensorLike }], kfac()), kind, { field: 'weights' });
});

it('batches wants one for each example', async () => {
  const { x, y } = dataOf(classes, 3);
  for (const weights of [tf.ones([2]), tf.ones([3, 1])]) {
    await expectRejection(observed(batches({ x, y, weights }, 2), kfac()), 'InvalidInput', { field: 'weights' });
  }
});
