/** What the callback refuses before training starts, and what it finds out while training goes on undisturbed. */
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  bernoulli,
  type Curvature,
  categorical,
  everyEpoch,
  fingerprint,
  gaussian,
  kfac,
  kfra,
  type LaplaceErrorKind,
  type Likelihood,
} from 'tfjs-laplace';
import { matchLoss, readNetwork } from 'tfjs-laplace/extend';
import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { expectRejection } from '../../support/errors.js';
import { expectSameFactors, pass } from '../../support/factors.js';
import { foreign } from '../../support/foreign.js';
import { expectNoLeak } from '../../support/memory.js';
import { chain, dataOf, INPUTS, type Pair, pair, tensor, withFixedWeights } from '../../support/networks.js';
import { surface } from '../../support/training.js';

const { dense } = tf.layers;
const classes = pair('classes, softmax inside');
const logits = pair('classes, logits');
const numbers = pair('numbers');
const EMPIRICAL = kfac({ fisher: 'empirical' });
const EXACT = kfac({ fisher: 'exact' });

const squared = (labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor => tf.square(tf.sub(labels, outputs));

const compiled = (model: tf.LayersModel, loss: tf.ModelCompileArgs['loss']): tf.LayersModel => {
  model.compile({ optimizer: 'sgd', loss });
  return withFixedWeights(model);
};

const sequential = (layers: tf.layers.Layer[], loss: tf.ModelCompileArgs['loss'] = 'categoricalCrossentropy') =>
  compiled(tf.sequential({ layers }), loss);

describe('before training starts', () => {
  interface Refusal {
    readonly name: string;
    readonly model: () => tf.LayersModel;
    readonly likelihood?: Likelihood;
    readonly curvature?: Curvature;
    readonly data?: Pair;
    readonly kind: LaplaceErrorKind;
    readonly parts?: object;
  }
  const soft = () => dense({ units: 3, activation: 'softmax' as const, inputShape: [INPUTS], name: 'soft' });

  const own = () => [dense({ units: 5, inputShape: [INPUTS] }), foreign('own'), dense({ units: 3, activation: 'softmax' })];
  const twice = () => {
    const input = tf.input({ shape: [INPUTS] });
    const shared = dense({ units: INPUTS, name: 'shared' });
    const h = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
    return compiled(tf.model({ inputs: input, outputs: soft().apply(h) as tf.SymbolicTensor }), 'categoricalCrossentropy');
  };
  const branch = () => {
    const input = tf.input({ shape: [INPUTS] });
    const h = dense({ units: INPUTS, name: 'branch' }).apply(input) as tf.SymbolicTensor;
    const sum = tf.layers.add().apply([input, h]) as tf.SymbolicTensor;
    return compiled(tf.model({ inputs: input, outputs: soft().apply(sum) as tf.SymbolicTensor }), 'categoricalCrossentropy');
  };

  const REFUSALS: ReadonlyArray<Refusal> = [
    {
      name: 'a loss of another likelihood',
      model: () => sequential([soft()], 'meanSquaredError'),
      kind: 'LossMismatch',
      parts: { field: 'loss', found: "'meanSquaredError'" },
    },
    {
      name: 'a loss for logits after a softmax',
      model: () => sequential([soft()], tf.losses.softmaxCrossEntropy),
      kind: 'LossMismatch',
      parts: { found: expect.stringContaining('tf.losses.softmaxCrossEntropy') },
    },
    {
      name: 'a loss for probabilities on logits',
      model: () => sequential([dense({ units: 3, inputShape: [INPUTS] })]),
      kind: 'LossMismatch',
      parts: { found: expect.stringContaining("'categoricalCrossentropy'") },
    },
    {
      name: 'absolute errors',
      model: () => chain({ ...numbers, loss: 'meanAbsoluteError' }),
      likelihood: gaussian(),
      data: numbers,
      kind: 'LossMismatch',
    },
    {
      name: "a loss of one's own, for empirical",
      model: () => chain({ ...numbers, loss: squared }),
      likelihood: gaussian(),
      data: numbers,
      kind: 'LossMismatch',
      parts: { field: 'loss' },
    },
    {
      name: 'a softmax, for yes and no',
      model: () => sequential([soft()]),
      likelihood: bernoulli(),
      kind: 'InvalidModel',
      parts: { field: 'activation', found: "'softmax'" },
    },
    {
      name: 'one output, for classes',
      model: () => chain(pair('a label, sigmoid inside')),
      likelihood: categorical(),
      data: pair('a label, sigmoid inside'),
      kind: 'InvalidModel',
      parts: { field: 'outputs' },
    },
    {
      name: 'no layer that can have curvature',
      model: () => sequential([tf.layers.reshape({ inputShape: [3], targetShape: [3] }), foreign('own'), tf.layers.softmax()]),
      data: { ...classes, labels: classes.labels },
      kind: 'NoBayesianLayer',
    },
    {
      name: 'a layer without curvature',
      model: () => sequential(own()),
      kind: 'UnsupportedLayer',
      parts: { layer: 'own', found: 'Foreign' },
    },
    { name: 'a dense layer that is used twice, for kfra', model: twice, curvature: kfra(), kind: 'UnsupportedLayer' },
    { name: 'a branch, for kfra', model: branch, curvature: kfra(), kind: 'UnsupportedLayer' },
    {
      name: 'a layer that does not exist',
      model: () => chain(classes),
      curvature: kfac({ fisher: 'empirical', layers: ['other'] }),
      kind: 'NoBayesianLayer',
      parts: { field: 'layers' },
    },
  ];

  it.each(REFUSALS)(
    '$name',
    async ({ model: make, likelihood = categorical(), curvature = EMPIRICAL, data: own = classes, kind, parts }) => {
      const model = make();
      const before = await fingerprint(model);
      const inputs = (model.inputs[0] as tf.SymbolicTensor).shape[1] as number;
      const [x, y] = [tensor([4, inputs], 3), own.labels(4)];
      const callback = laplaceCallback({ likelihood, curvature });
      // Who listens already hears of it too.
      const [factors, batches] = [
        expectRejection(lastValueFrom(callback.factors$), kind, parts),
        expectRejection(lastValueFrom(callback.batches$), kind),
      ];
      const run = () => model.fit(x, y, { epochs: 1, verbose: 0, callbacks: callback });
      const error = await expectRejection(run(), kind, parts);
      expect([await factors, await batches]).toEqual([error, error]);
      expect(await fingerprint(model)).toBe(before);
      expect(Object.hasOwn(model.optimizer, 'minimize')).toBe(false);
      expect(await callback.gathered()).toBeUndefined();
      const after = surface(model);
      await expectNoLeak(() => expectRejection(run(), kind));
      expect(surface(model)).toEqual(after);
      // The model trains as ever, without the callback.
      await model.fit(x, y, { epochs: 1, verbose: 0 });
    },
  );

  it("a layer without curvature stays at its MAP under 'map'", async () => {
    for (const fisher of ['exact', 'empirical'] as const) {
      const model = sequential(own());
      model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
      const data = dataOf(classes, 8);
      const curvature = kfac({ fisher, unsupported: 'map' });
      const callback = laplaceCallback({ likelihood: categorical(), curvature });
      await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: callback });
      const found = await lastValueFrom(callback.factors$);
      expect(found.layout.covered).toHaveLength(2);
      expectSameFactors(found, await pass(model, categorical(), data, curvature), 1e-5);
    }
  });

  it('a callback that was refused works for another model, and the other way round', async () => {
    const callback = laplaceCallback({ likelihood: categorical() });
    const { x, y } = dataOf(classes, 4);
    const refused = () => sequential([soft()], 'meanSquaredError').fit(x, y, { verbose: 0, callbacks: callback });
    await expectRejection(refused(), 'LossMismatch');
    await chain(classes).fit(x, y, { verbose: 0, epochs: 1, callbacks: callback });
    expect((await lastValueFrom(callback.factors$)).count).toBe(4);
    await expectRejection(refused(), 'LossMismatch');
    await expectRejection(lastValueFrom(callback.factors$), 'LossMismatch');
    expect(await callback.gathered()).toBeUndefined();
  });

  it('a model that is not compiled: tfjs refuses to train it, and matchLoss says why', async () => {
    const model = tf.sequential({ layers: [soft()] });
    const { x, y } = dataOf(classes, 4);
    await expect(model.fit(x, y, { callbacks: laplaceCallback({ likelihood: categorical() }) })).rejects.toThrow('compile');
    const network = readNetwork(model, categorical());
    if (network._tag === 'Left') throw network.left;
    expect(matchLoss(network.right)).toMatchObject({
      _tag: 'Left',
      left: { kind: 'InvalidModel', field: 'loss', found: 'no loss' },
    });
  });
});

describe('matchLoss takes a loss in every spelling of compile', () => {
  it.each<[string, tf.ModelCompileArgs['loss']]>([
    ['a name', 'meanSquaredError'],
    ['a function', tf.losses.meanSquaredError],
    ['a list', ['meanSquaredError']],
    ['a record', { outputs: 'meanSquaredError' }],
  ])('%s', (_, loss) => {
    const network = readNetwork(chain({ ...numbers, loss }), gaussian({ noiseVariance: 0.5 }));
    if (network._tag === 'Left') throw network.left;
    // NLL = Σ (f − y)² / (2 · 0.5) = 3 · mean squared error of 3 outputs.
    expect(matchLoss(network.right)).toEqual({ _tag: 'Right', right: { _tag: 'known', scale: 3 } });
  });
});

describe('weights of examples', () => {
  it.each([EXACT, EMPIRICAL])('that are all 1 do not matter: %j', async (curvature) => {
    const { x, y } = dataOf(classes, 10);
    const callback = laplaceCallback({ likelihood: classes.likelihood, curvature });
    await chain(classes).fit(x, y, { epochs: 1, verbose: 0, classWeight: { 0: 1, 1: 1, 2: 1 }, callbacks: callback });
    expect((await lastValueFrom(callback.factors$)).count).toBe(10);
  });

  const train = async (p: Pair, classWeight: tf.ClassWeight, callbacks: object[]) => {
    const model = chain(p);
    const { x, y } = dataOf(p, 10);
    const options = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0, classWeight } as const;
    const { history } = await model.fit(x, y, { ...options, callbacks: callbacks as never });
    return { history, weights: await fingerprint(model) };
  };

  it.each<[string, Pair, tf.ClassWeight]>([
    // tfjs multiplies a loss that is one number by the weights' mean: no example has a weight of its own.
    ['of a loss of one number', logits, { 0: 1, 1: 2, 2: 0.5 }],
    ['that are all 2, of a loss of one number', logits, { 0: 2, 1: 2, 2: 2 }],
    ['below zero', classes, { 0: 1, 1: 1, 2: -1 }],
  ])('are an error of factors$, and training has them as ever: %s', async (_, p, weights) => {
    const callback = laplaceCallback({ likelihood: p.likelihood, curvature: EMPIRICAL });
    expect(await train(p, weights, [callback])).toEqual(await train(p, weights, []));
    await expectRejection(lastValueFrom(callback.factors$), 'InvalidOption', { field: 'classWeight' });
    expect(await callback.gathered()).toBeUndefined();
  });
});

describe('weights of examples that the likelihood has too', () => {
  const CLASS_WEIGHTS = [1, 2, 0.5];
  const sparse = pair('class numbers, softmax inside');
  const trained = async (p: Pair, classWeight: Record<number, number> | undefined, curvature = EMPIRICAL) => {
    const model = chain(p, { optimizer: tf.train.sgd(0) });
    const { x, y } = dataOf(p, 10);
    const likelihood = categorical({ classWeights: CLASS_WEIGHTS });
    const callback = laplaceCallback({ likelihood, curvature });
    const labels = y.rank === 1 ? tf.expandDims(y, 1) : y;
    const weights = classWeight === undefined ? {} : { classWeight };
    await model.fit(x, labels, { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, ...weights, callbacks: callback });
    return { factors$: callback.factors$, post: () => pass(model, likelihood, { x, y }, curvature) };
  };

  it.each([classes, sparse])('give the factors of a pass: $name', async (p) => {
    const { factors$, post } = await trained(p, { 0: 1, 1: 2, 2: 0.5 });
    const [found, expected] = [await lastValueFrom(factors$), await post()];
    expectSameFactors(found, expected, 1e-5);
  });

  it.each<[string, Pair, Record<number, number> | undefined]>([
    ['no weights', classes, undefined],
    ['others', classes, { 0: 1, 1: 2, 2: 0.6 }],
    // tfjs takes the mean of the weights of a batch for a loss that is one number.
    ['a loss that is one number', logits, { 0: 1, 1: 2, 2: 0.5 }],
  ])('are an error when the training has %s', async (_, p, classWeight) => {
    const { factors$ } = await trained(p, classWeight);
    await expectRejection(lastValueFrom(factors$), 'InvalidOption', { field: 'classWeight' });
  });
});

describe("a loss of one's own, for estimators that do not look at it", () => {
  it.each<[string, (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor]>([
    ['one number an example and output', squared],
    ['one number an example', (labels, outputs) => tf.mean(squared(labels, outputs), 1)],
    ['one number', (labels, outputs) => tf.mean(squared(labels, outputs))],
  ])('%s', async (_, loss) => {
    const model = chain({ ...numbers, loss }, { optimizer: tf.train.sgd(0) });
    const data = dataOf(numbers, 10);
    const callback = laplaceCallback({ likelihood: numbers.likelihood, curvature: EXACT });
    await model.fit(data.x, data.y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: callback });
    // Float32 rounding of sums in another order, as in byProduct.test.ts.
    expectSameFactors(await lastValueFrom(callback.factors$), await pass(model, numbers.likelihood, data, EXACT), 1e-5);
  });
});

describe('inputs that reach the network in unusual ways', () => {
  const likelihood = categorical();
  const last = (fisher: 'exact' | 'empirical') => kfac({ fisher, layers: 'last' });

  /** One tower for two inputs, or two towers for one. */
  const siamese = (inputs: 1 | 2): tf.LayersModel => {
    const all = [tf.input({ shape: [INPUTS] }), tf.input({ shape: [INPUTS] })].slice(0, inputs);
    const tower = dense({ units: 5, activation: 'relu', name: 'tower' });
    const parts = [0, inputs - 1].map((i) => tower.apply(all[i] as tf.SymbolicTensor) as tf.SymbolicTensor);
    const both = tf.layers.concatenate().apply(parts) as tf.SymbolicTensor;
    const outputs = dense({ units: 3, activation: 'softmax', name: 'last' }).apply(both) as tf.SymbolicTensor;
    return tf.model({ inputs: all, outputs });
  };
  const again = (): tf.LayersModel => {
    const input = tf.input({ shape: [INPUTS] });
    const shared = dense({ units: INPUTS, activation: 'tanh' });
    const h = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
    return tf.model({ inputs: input, outputs: dense({ units: 3, activation: 'softmax' }).apply(h) as tf.SymbolicTensor });
  };
  const direct = (): tf.LayersModel => {
    const input = tf.input({ shape: [INPUTS] });
    const both = tf.layers.concatenate().apply([input, input]) as tf.SymbolicTensor;
    return tf.model({ inputs: input, outputs: dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor });
  };
  const whole = (): tf.LayersModel => {
    const input = tf.input({ shape: [INPUTS] });
    const inner = tf.sequential({
      layers: [dense({ units: 5, inputShape: [INPUTS] }), dense({ units: 3, activation: 'softmax' })],
    });
    return tf.model({ inputs: input, outputs: inner.apply(input) as tf.SymbolicTensor });
  };

  it.each<[string, () => tf.LayersModel]>([
    ['a shared layer that reads one input twice', () => siamese(1)],
    ['a concatenation of the input with itself', direct],
    ['a model inside that does everything', whole],
  ])('%s', async (_, make) => {
    for (const fisher of ['exact', 'empirical'] as const) {
      const model = make();
      model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
      withFixedWeights(model);
      const { x, y } = dataOf(classes, 10);
      const inputs = model.inputs.length === 2 ? [x, x.square()] : x;
      const callback = laplaceCallback({ likelihood, curvature: last(fisher), epochs: everyEpoch() });
      await model.fit(inputs, y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: callback });
      const expected = await pass(model, likelihood, { x: inputs, y }, last(fisher));
      expectSameFactors(await lastValueFrom(callback.factors$), expected, 1e-5);
    }
  });

  it.each<[string, () => tf.LayersModel]>([
    ['a shared layer that reads both inputs', () => siamese(2)],
    ['a layer that reads an input and what it made of it', again],
  ])('%s: empirical rows need none, the others say so before training', async (_, make) => {
    const model = make();
    model.compile({ optimizer: tf.train.sgd(0), loss: 'categoricalCrossentropy' });
    withFixedWeights(model);
    const { x, y } = dataOf(classes, 10);
    const inputs = model.inputs.length === 2 ? [x, x.square()] : x;
    const run = async (fisher: 'exact' | 'empirical') => {
      const callback = laplaceCallback({ likelihood, curvature: last(fisher), epochs: everyEpoch() });
      await model.fit(inputs, y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: callback });
      return lastValueFrom(callback.factors$);
    };
    const expected = await pass(model, likelihood, { x: inputs, y }, last('empirical'));
    expectSameFactors(await run('empirical'), expected, 1e-5);
    await expectRejection(run('exact'), 'UnsupportedLayer', { field: 'curvature' });
  });

  it('inputs that nobody caught are missed by who needs them', async () => {
    const model = siamese(2);
    model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    const { x, y } = dataOf(classes, 10);
    const callback = laplaceCallback({ likelihood, curvature: last('empirical') });
    const other = expectRejection(lastValueFrom(callback.batches$.pipe(accumulateFactors(last('exact')))), 'InvalidInput', {
      field: 'x',
    });
    await model.fit([x, x], y, { epochs: 1, verbose: 0, callbacks: callback });
    await other;
  });
});
