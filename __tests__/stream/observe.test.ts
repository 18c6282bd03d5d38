/** Batches of a pass: who they are, and that nothing happens to them before they are used. */
import type * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import { accumulateFactors, batches, kfac, type ObservedBatch, observe } from 'tfjs-laplace';
import { distance } from '../support/factors.js';
import { kronecker } from '../support/kronecker.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };
beforeAll(() => {
  model = chain(classes);
  data = dataOf(classes, 10);
});

const observed = (): Promise<ObservedBatch[]> =>
  lastValueFrom(from(batches(data, 4)).pipe(observe(model, classes.likelihood), toArray()));

it('numbers its batches, anew for every subscription', async () => {
  for (const seen of [await observed(), await observed()]) {
    expect(seen.map(({ epoch, index, transient }) => [epoch, index, transient])).toEqual([0, 1, 2].map((i) => [0, i, false]));
    expect(new Set(seen.map(({ network }) => network.model))).toEqual(new Set([model]));
  }
});

it('makes nothing before a batch is used, and leaves nothing after it', async () => {
  const make = jest.fn(() => data);
  const [batch] = await lastValueFrom(of(make).pipe(observe(model, classes.likelihood), toArray()));
  expect(make).not.toHaveBeenCalled();
  const use = () => expect(batch?.use(({ x, y }) => [x[0], y[0]].map((t) => t?.shape.length ?? 0))).toEqual([2, 2]);
  await expectNoLeak(use);
  expect(make).toHaveBeenCalledTimes(2);
});

it('has nothing to say before somebody listens: a model that cannot be read is an error of the stream', () => {
  const gone = chain(classes);
  gone.dispose();
  const errors: unknown[] = [];
  const stream = of(data).pipe(observe(gone, classes.likelihood));
  stream.subscribe({ error: (error) => errors.push(error) });
  expect(errors).toEqual([expect.objectContaining({ kind: 'InvalidModel' })]);
});

describe('labels that monteCarlo draws', () => {
  const gradients = async (seed: number) => {
    const curvature = kfac({ fisher: { _tag: 'monteCarlo', samples: 2, seed } });
    const factors = await lastValueFrom(
      from(batches(data, 4)).pipe(observe(model, classes.likelihood), accumulateFactors(curvature)),
    );
    return kronecker(factors.layers[1]).gradient.data;
  };

  it('are the same for the same seed, and others for another', async () => {
    const first = await gradients(1);
    expect(await gradients(1)).toEqual(first);
    expect(distance(await gradients(2), first)).toBeGreaterThan(0.01);
  });
});
