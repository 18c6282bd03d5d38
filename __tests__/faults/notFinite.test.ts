/** NaN and infinity in inputs, labels, activations and gradients: the error names batch and layer, and the policy decides what follows. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  type AccumulateOptions,
  accumulateFactors,
  type Checkpoint,
  type Curvature,
  customFisher,
  diagonal,
  ekfac,
  type Factors,
  full,
  kfac,
  kfra,
  lowRank,
  observe,
  type Skipped,
  toPosterior,
} from 'tfjs-laplace';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRefusal, expectRejection } from '../support/errors.js';
import { expectSameFactors } from '../support/factors.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor, withFixedWeights } from '../support/networks.js';
import { datasetOf } from '../support/training.js';

const classes = pair('classes, softmax inside');
const SIZE = 4;

/** The identity, whose gradient is 0 · ∞ for an input that is exactly 0, as that of a distance between equal points is. */
class Distance extends tf.layers.Layer {
  static readonly className = 'Distance';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const identity = tf.customGrad((...args) => {
      const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
      save([x]);
      return {
        value: tf.clone(x),
        gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, tf.div(y as tf.Tensor, y as tf.Tensor)),
      };
    });
    return identity([inputs].flat()[0] as tf.Tensor);
  }
}
tf.serialization.registerClass(Distance);

/** Whose hidden values are 0 for inputs that are 0. */
const distances = (): tf.LayersModel => {
  const layers = [
    tf.layers.dense({ units: 5, inputShape: [INPUTS], useBias: false, name: 'hidden' }),
    new Distance({ name: 'distance' }),
    tf.layers.dense({ units: 3, activation: 'softmax', name: 'outputs' }),
  ];
  const model = tf.sequential({ layers });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  return withFixedWeights(model);
};

/** Batches of which some have another x or y. */
const some = (count: number, bad: ReadonlyMap<number, object>) =>
  Array.from({ length: count }, (_, i) => ({ x: tensor([SIZE, INPUTS], 3 + i), y: classes.labels(SIZE), ...bad.get(i) }));
/** Inputs of one number, and labels of another. */
const inputs = (value: number) => ({ x: tf.fill([SIZE, INPUTS], value) });
const labels = (value: number) => ({ y: tf.fill([SIZE, 3], value) });
const spoiltInputs = () => inputs(Number.NaN);

const pass = (
  batches: ReadonlyArray<{ x: tf.Tensor; y: tf.Tensor }>,
  options: AccumulateOptions = {},
  curvature: Curvature = kfac(),
  model: tf.LayersModel = chain(classes),
): Promise<Factors> =>
  lastValueFrom(from(batches).pipe(observe(model, classes.likelihood), accumulateFactors(curvature, options)));

/** Inputs that overflow in the layer after them. */
const huge = () => inputs(3e38);
const columns = (f: tf.Tensor2D): tf.Tensor3D => tf.fill([1, ...f.shape] as [number, number, number], Number.NaN);

type Row = [string, () => object, Curvature, () => tf.LayersModel, object];
describe('the error names the batch, and the field or layer', () => {
  it.each<Row>([
    ['inputs', spoiltInputs, kfac(), () => chain(classes), { field: 'x' }],
    ['infinite inputs', () => inputs(-Infinity), kfac(), () => chain(classes), { field: 'x' }],
    ['labels', () => labels(Number.NaN), kfac(), () => chain(classes), { field: 'y' }],
    ['activations', huge, kfac(), () => chain(classes, { activation: 'linear' }), { layer: 'hidden', field: 'outputs' }],
    [
      'activations, of a step in training',
      huge,
      kfac({ fisher: 'empirical' }),
      () => chain(classes, { activation: 'linear' }),
      { layer: 'hidden', field: 'outputs' },
    ],
    ...(
      [
        ['kfac', kfac()],
        ['empirical', kfac({ fisher: 'empirical' })],
        ['truncated', kfac({ fisher: 'truncated' })],
        ['ekfac', ekfac()],
        ['diagonal', diagonal()],
      ] as const
    ).map(
      ([name, curvature]): Row => [
        `gradients, ${name}`,
        () => inputs(0),
        curvature,
        distances,
        { layer: 'hidden', field: 'gradients' },
      ],
    ),
  ])('%s', async (_, bad, curvature, model, parts) => {
    const onFailure = jest.fn<void, [Factors]>();
    const error = await expectRejection(
      pass(some(3, new Map([[1, bad()]])), { onFailure }, curvature, model()),
      'NotFinite',
      parts,
    );
    expect(error.message).toContain('batch 1 of epoch 0');
    expect(onFailure.mock.calls[0]?.[0].count).toBe(SIZE);
  });

  it('of a training step, whose rows are its by-product', async () => {
    const model = distances();
    const callback = laplaceCallback({ likelihood: classes.likelihood });
    await model.fit(tf.zeros([SIZE, INPUTS]), classes.labels(SIZE), { epochs: 1, verbose: 0, callbacks: callback });
    const error = await expectRejection(lastValueFrom(callback.factors$), 'NotFinite', { layer: 'hidden', field: 'gradients' });
    expect(error.message).toContain('batch 0 of epoch 0');
  });
});

describe('skipping', () => {
  const reports = () => {
    const seen: Array<Omit<Skipped, 'error'>> = [];
    return { seen, onSkipped: ({ batches, examples }: Skipped) => void seen.push({ batches, examples }) };
  };

  it.each([kfac(), kfac({ layers: 'last' }), ekfac(), diagonal(), lowRank({ rank: 1 }), kfra()])(
    '$_tag sums the batches that are sound, and N is the number of their examples',
    async (curvature) => {
      const bad = new Map<number, object>([
        [0, spoiltInputs()],
        [2, labels(Infinity)],
        [4, huge()],
      ]);
      const all = some(6, bad);
      const model = chain(classes, { activation: 'relu' });
      const { seen, onSkipped } = reports();
      const found = await pass(all, { onNotFinite: 'skip', onSkipped }, curvature, model);
      expectSameFactors(
        found,
        await pass(
          [1, 3, 5].map((i) => all[i] as (typeof all)[0]),
          {},
          curvature,
          model,
        ),
        0,
      );
      const once = [1, 2, 3].map((batches) => ({ batches, examples: batches * SIZE }));
      // ekfac takes two passes, each of which reports.
      expect(seen).toEqual(curvature._tag === 'ekfac' ? [...once, ...once] : once);
      const posterior = await lastValueFrom(of(found).pipe(toPosterior()));
      expect([found.count, found.datasetSize, posterior.datasetSize]).toEqual([12, 12, 12]);
    },
  );

  it('is told by progress, and counts the batch as done', async () => {
    const events: unknown[] = [];
    const onProgress = ({ done, detail }: { done: number; detail?: string }) => void events.push([done, detail]);
    await pass(some(3, new Map([[1, spoiltInputs()]])), { onNotFinite: 'skip', onProgress });
    const words = 'skipped 1 batch of 4 examples: not finite';
    expect(events).toEqual([
      [1, undefined],
      [2, words],
      [3, words],
    ]);
  });

  it('covers what a Fisher matrix of one’s own finds, and gradients', async () => {
    const fisher = customFisher({ name: 'broken', columns });
    const { seen, onSkipped } = reports();
    await expectRejection(pass(some(2, new Map()), { onNotFinite: 'skip', onSkipped }, kfac({ fisher })), 'NotFinite');
    const zero = new Map([[0, inputs(0)]]);
    const found = await pass(some(2, zero), { onNotFinite: 'skip', onSkipped }, full({ layers: 'last' }), distances());
    expect(found.count).toBe(2 * SIZE);
    expect((await pass(some(2, zero), { onNotFinite: 'skip', onSkipped }, kfac(), distances())).count).toBe(SIZE);
    expect(seen.map(({ batches }) => batches)).toEqual([1, 2, 1]);
  });

  it('of every batch leaves nothing, which is NotFinite and not Empty', async () => {
    const onFailure = jest.fn();
    for (const curvature of [kfac(), ekfac()]) {
      const run = pass(some(2, new Map([0, 1].map((i) => [i, spoiltInputs()]))), { onNotFinite: 'skip', onFailure }, curvature);
      const error = await expectRejection(run, 'NotFinite', { field: 'x', found: '2 batches of 8 examples that were skipped' });
      expect(error.message).toContain('batch 0 of epoch 0');
    }
    expect(onFailure).not.toHaveBeenCalled();
    await expectRejection(pass([], { onNotFinite: 'skip' }), 'Empty');
  });

  it('goes on across checkpoints, also where a whole section is skipped', async () => {
    const kept: Factors[] = [];
    const checkpoint: Checkpoint = {
      every: 2,
      load: async () => undefined,
      save: async (factors) => void kept.push(factors),
      clear: async () => {},
    };
    const bad = new Map([0, 1, 4].map((i) => [i, spoiltInputs()]));
    const found = await pass(some(5, bad), { onNotFinite: 'skip', checkpoint });
    expect([found.count, ...kept.map(({ count }) => count)]).toEqual([8, 0, 8]);
  });

  it('does not pass over wrong data of other kinds', async () => {
    const wrong = new Map([[1, labels(2)]]);
    await expectRejection(pass(some(2, wrong), { onNotFinite: 'skip' }), 'InvalidLabels');
  });

  it('leaves nothing on the device', async () => {
    const model = chain(classes);
    const batches = some(4, new Map([1, 2].map((i) => [i, spoiltInputs()])));
    for (const curvature of [kfac(), ekfac()]) await expectNoLeak(() => pass(batches, { onNotFinite: 'skip' }, curvature, model));
  });

  it('is an option with two values', () => {
    expectRefusal(() => accumulateFactors(kfac(), { onNotFinite: 'ignore' as 'skip' }), 'onNotFinite');
    expectRefusal(() => laplaceCallback({ likelihood: 'categorical', onNotFinite: true as never }), 'onNotFinite');
  });
});

describe('skipping in training', () => {
  const spoilt = () => {
    const { x, y } = dataOf(classes, 3 * SIZE);
    const flags = tf.tensor([...Array(SIZE).fill(1), ...Array(SIZE).fill(Number.NaN), ...Array(SIZE).fill(1)]);
    return { x: tf.mul(x, tf.expandDims(flags, 1)), y };
  };
  const observer = (seen: Skipped[], curvature = kfac({ fisher: 'empirical' })) =>
    laplaceCallback({
      likelihood: classes.likelihood,
      curvature,
      onNotFinite: 'skip',
      onSkipped: (skipped) => void seen.push(skipped),
    });

  it.each(['empirical', 'exact'] as const)('stops when the step has spoilt the weights: %s', async (fisher) => {
    const [model, seen] = [chain(classes), [] as Skipped[]];
    const callback = observer(seen, kfac({ fisher }));
    await model.fitDataset(datasetOf(spoilt(), SIZE) as never, { epochs: 1, verbose: 0, callbacks: callback });
    const error = await expectRejection(lastValueFrom(callback.factors$), 'NotFinite', { field: 'weights', layer: 'hidden' });
    expect(error.message).toContain('batch 1 of epoch 0');
    expect((await callback.gathered())?.count).toBe(SIZE);
    expect(seen).toHaveLength(1);
  });

  it('goes on when the optimizer has left the step out', async () => {
    const [model, seen] = [chain(classes, { optimizer: tf.train.sgd(0.1) }), [] as Skipped[]];
    const apply = model.optimizer.applyGradients.bind(model.optimizer);
    model.optimizer.applyGradients = (gradients) => {
      const list = Array.isArray(gradients) ? gradients.map(({ tensor: g }) => g) : Object.values(gradients);
      if (list.every((g) => tf.tidy(() => tf.all(tf.isFinite(g)).dataSync()[0] === 1))) apply(gradients);
    };
    const own = spoilt();
    await expectNoLeak(async () => {
      seen.length = 0;
      const callback = observer(seen);
      await model.fitDataset(datasetOf(own, SIZE) as never, { epochs: 2, verbose: 0, callbacks: callback });
      const factors = await lastValueFrom(callback.factors$);
      expect([factors.count, factors.datasetSize]).toEqual([2 * SIZE, 2 * SIZE]);
      expect(seen).toMatchObject([{ batches: 1, examples: SIZE, error: { field: 'x' } }]);
      expect(seen[0]?.error.message).toContain('batch 1 of epoch 1');
    });
  });
});
