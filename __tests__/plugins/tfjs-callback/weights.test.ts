/** Class weights of training: an example of weight w counts w times in the factors, as it does in the loss. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import { type Curvature, diagonal, everyEpoch, type Factors, kfac, kfra } from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { distance, matricesOf, pass } from '../../support/factors.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, type Pair, pair } from '../../support/networks.js';

/** See byProduct.test.ts. */
const TOLERANCE = 1e-5;

const WEIGHTS: Readonly<Record<number, number>> = { 0: 2, 1: 0, 2: 3 };
const [oneHot, sparse, coin] = ['classes, softmax inside', 'class numbers, softmax inside', 'a label, sigmoid inside'].map(
  pair,
) as [Pair, Pair, Pair];

type Data = { readonly x: tf.Tensor; readonly y: tf.Tensor };

/** The same examples, each as often as its class's weight says: what a weighted sum of whole weights is by definition. */
function repeated({ x, y }: Data): Data {
  const classes = Array.from((y.rank === 2 && (y.shape[1] as number) > 1 ? tf.argMax(y, 1) : y.flatten()).dataSync());
  const rows = classes.flatMap((c, i) => new Array<number>(WEIGHTS[c] as number).fill(i));
  const index = tf.tensor1d(rows, 'int32');
  return { x: tf.gather(x, index), y: tf.gather(y, index) };
}

function expectSameSums(found: Factors, expected: Factors): void {
  expected.layers.forEach((layer, i) => {
    const own = matricesOf(found.layers[i]);
    for (const [part, sum] of Object.entries(matricesOf(layer))) {
      expect(distance(own[part]?.data ?? [], sum.data)).toBeLessThan(TOLERANCE);
    }
  });
}

const cases = [oneHot, sparse, coin].flatMap((p) =>
  [kfac({ fisher: 'empirical' }), kfac(), diagonal({ fisher: 'empirical' }), kfra()].map(
    (curvature): [string, string, Pair, Curvature] => [p.name, JSON.stringify(curvature), p, curvature],
  ),
);

it.each(cases)('%s, %s: sums are those of repeated examples', async (_, __, p, curvature) => {
  const data = dataOf(p, 10);
  const model = chain(p, { optimizer: tf.train.sgd(0) });
  const callback = laplaceCallback({ likelihood: p.likelihood, curvature, epochs: everyEpoch() });
  const fit = { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, classWeight: { ...WEIGHTS } };
  await model.fit(data.x, data.y, { ...fit, callbacks: callback });
  expectSameSums(await lastValueFrom(callback.factors$), await pass(model, p.likelihood, repeated(data), curvature));
});

it('weights frees what it holds', async () => {
  const data = dataOf(oneHot, 10);
  const model = chain(oneHot);
  await expectNoLeak(async () => {
    const callback = laplaceCallback({ likelihood: oneHot.likelihood, epochs: everyEpoch() });
    await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, verbose: 0, classWeight: { ...WEIGHTS }, callbacks: callback });
    await lastValueFrom(callback.factors$);
  });
});
