/** Batches to factors: what is added, what is refused, and what is kept when something is refused. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, type Observable, of, Subject, toArray } from 'rxjs';
import {
  accumulateFactors,
  type BatchSource,
  batches,
  type Factors,
  kfac,
  kfra,
  type ObservedBatch,
  observe,
  type Progress,
} from 'tfjs-laplace';
import { readNetwork, transientBatch } from 'tfjs-laplace/extend';
import { createAccumulator } from '../../src/stream/accumulator.js';
import { expectRejection, rejection } from '../support/errors.js';
import { distance, expectSameFactors, pass } from '../support/factors.js';
import { foreign } from '../support/foreign.js';
import { kronecker } from '../support/kronecker.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, INPUTS, pair, tensor } from '../support/networks.js';

const classes = pair('classes, softmax inside');
const model = () => chain(classes);

const accumulate = (source: Observable<BatchSource>, options = {}, own: tf.LayersModel = model(), p = classes) =>
  lastValueFrom(source.pipe(observe(own, p.likelihood), accumulateFactors(kfac(), options)));

/** Rows of numbers, one of them replaced. */
const spoilt = (rows: number, cols: number, value: number): tf.Tensor => {
  const values = new Float32Array(rows * cols).fill(0.5);
  values[1] = value;
  return tf.tensor2d(values, [rows, cols]);
};

describe('sums', () => {
  // Float32 sums of 12 products in other orders: a few times 2⁻²⁴ of the largest entry.
  const ROUNDING = 2e-6;

  it('do not depend on how the data are cut into batches', async () => {
    const [own, data] = [model(), dataOf(classes, 12)];
    const whole = await pass(own, classes.likelihood, data, kfac(), 12);
    for (const size of [1, 5, 100]) expectSameFactors(await pass(own, classes.likelihood, data, kfac(), size), whole, ROUNDING);
    expect(whole).toMatchObject({ count: 12, datasetSize: 12 });
  });

  it('of more rows and products than the device holds back are those of one batch', async () => {
    // 40 batches of 400: more than 1024 rows wait, and more than 32 products are summed, before the end.
    const [own, data] = [model(), dataOf(classes, 16000)];
    const long = await pass(own, classes.likelihood, data, kfac(), 400);
    const whole = await pass(own, classes.likelihood, data, kfac(), 16000);
    // Float32 products of up to 24000 rows are off by √24000 · 2⁻²⁴ of their largest entry, about 1e-5.
    expectSameFactors(long, whole, 2e-5);
  });

  it('of many products lose no digit: they move to float64 in time', async () => {
    // A product of 1024 rows of 8 and one of 0.5 is 2^16 + 0.25. Float32 sums keep the quarter up to 2^22, which is 64 products.
    const own = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], useBias: false })] });
    const rows = Float32Array.from({ length: 1025 }, (_, i) => (i < 1024 ? 8 : 0.5));
    const batch = { x: tf.tensor2d(rows, [1025, 1]), y: tf.zeros([1025, 1]) };
    const source = from(new Array<BatchSource>(80).fill(batch));
    const factors = await lastValueFrom(source.pipe(observe(own, pair('a number').likelihood), accumulateFactors(kfac())));
    expect(kronecker(factors.layers[0]).input.data).toEqual(Float64Array.of(80 * (2 ** 16 + 0.25)));
  });

  it.each([
    ['{ x, y }', (x: tf.Tensor, y: tf.Tensor): BatchSource => ({ x, y })],
    ['{ xs, ys }', (x: tf.Tensor, y: tf.Tensor): BatchSource => ({ xs: x, ys: y })],
    [
      'a function',
      (x: tf.Tensor, y: tf.Tensor): BatchSource =>
        () => ({ x, y }),
    ],
    ['arrays', (x: tf.Tensor, y: tf.Tensor): BatchSource => ({ x: x.arraySync() as number[][], y: y.arraySync() as number[][] })],
    ['inputs in a list', (x: tf.Tensor, y: tf.Tensor): BatchSource => ({ x: [x], y })],
    ['inputs by name', (x: tf.Tensor, y: tf.Tensor): BatchSource => ({ x: { hidden_input: x }, y })],
  ])('take a batch as %s', async (_, batch) => {
    const [own, { x, y }] = [model(), dataOf(classes, 4)];
    expectSameFactors(await accumulate(of(batch(x, y)), {}, own), await pass(own, classes.likelihood, { x, y }), ROUNDING);
    // What was handed in stays the caller's.
    expect([x.isDisposed, y.isDisposed]).toEqual([false, false]);
  });

  it('carry the fingerprint and the weights of the model', async () => {
    const own = model();
    const { weights, fingerprint } = await pass(own, classes.likelihood, dataOf(classes, 4));
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    const kernel = own.layers[0]?.getWeights()[0]?.dataSync() as Float32Array;
    expect(Array.from(weights[0]?.data.subarray(0, kernel.length) as Float64Array)).toEqual(Array.from(kernel));
  });

  it('take a recipe in place of a curvature', async () => {
    const [own, data] = [model(), dataOf(classes, 8)];
    const recipe = { curvature: kfra(), likelihood: classes.likelihood };
    const factors = await lastValueFrom(from(batches(data, 4)).pipe(observe(own, recipe), accumulateFactors(recipe)));
    expectSameFactors(factors, await pass(own, classes.likelihood, data, kfra()), 0);
  });
});

it('reports each batch', async () => {
  const events: Progress[] = [];
  await accumulate(from(batches(dataOf(classes, 10), 4)), { total: 3, onProgress: (event: Progress) => events.push(event) });
  expect(events).toEqual([1, 2, 3].map((done) => ({ phase: 'observe', done, total: 3, unit: 'batches' })));
});

it('calls a function when the batch before has been summed: never more than one batch is on the device', async () => {
  const events: string[] = [];
  const source = (index: number) => () => {
    events.push(`made ${index}`);
    return dataOf(classes, 4);
  };
  const onProgress = ({ done }: Progress) => events.push(`summed ${done - 1}`);
  await accumulate(from([0, 1, 2].map(source)), { onProgress });
  expect(events).toEqual([0, 1, 2].flatMap((index) => [`made ${index}`, `summed ${index}`]));
});

describe('refuses', () => {
  const x = () => tensor([4, INPUTS], 3);
  const oneHot = () => classes.labels(4);
  const yesOrNo = pair('labels, logits');
  const numbers = pair('numbers');
  const number = pair('a number');

  it.each<[string, typeof classes, () => unknown, Parameters<typeof expectRejection>[1], string, string]>([
    ['NaN in x', classes, () => ({ x: spoilt(4, INPUTS, Number.NaN), y: oneHot() }), 'NotFinite', 'x', 'NaN or Infinity'],
    ['infinity in x', classes, () => ({ x: spoilt(4, INPUTS, -Infinity), y: oneHot() }), 'NotFinite', 'x', 'NaN or Infinity'],
    ['NaN in y', numbers, () => ({ x: x(), y: spoilt(4, 3, Number.NaN) }), 'NotFinite', 'y', 'NaN or Infinity'],
    ['NaN in one-hot rows', classes, () => ({ x: x(), y: spoilt(4, 3, Number.NaN) }), 'NotFinite', 'y', 'NaN or Infinity'],
    ['numbers whose likelihood overflows', number, () => ({ x: x(), y: [1, 2, 3, 1e30] }), 'NotFinite', 'outputs', '-Infinity'],
    [
      'a class that does not exist',
      classes,
      () => ({ x: x(), y: [0, 1, 2, 3] }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    [
      'a negative class',
      classes,
      () => ({ x: x(), y: [0, 1, 2, -1] }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    [
      'half a class',
      classes,
      () => ({ x: x(), y: [0, 1, 2, 0.5] }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    [
      'rows that do not add up to 1',
      classes,
      () => ({ x: x(), y: spoilt(4, 3, 1) }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    [
      'a probability above 1',
      yesOrNo,
      () => ({ x: x(), y: spoilt(4, 3, 1.5) }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    [
      'a probability below 0',
      yesOrNo,
      () => ({ x: x(), y: spoilt(4, 3, -0.5) }),
      'InvalidLabels',
      'y',
      'a label that the likelihood does not know',
    ],
    ['too few labels', classes, () => ({ x: x(), y: classes.labels(3) }), 'InvalidLabels', 'y', 'shape [3, 3] for a batch of 4'],
    [
      'labels of other width',
      numbers,
      () => ({ x: x(), y: spoilt(4, 2, 1) }),
      'InvalidLabels',
      'y',
      'shape [4, 2] for a batch of 4',
    ],
    ['one label of several', yesOrNo, () => ({ x: x(), y: [0, 1, 0, 1] }), 'InvalidLabels', 'y', 'shape [4] for a batch of 4'],
    ['no labels', classes, () => ({ x: x() }), 'InvalidLabels', 'y', 'nothing'],
    [
      'ragged labels',
      classes,
      () => ({ x: x(), y: [[1, 0, 0], [1]] }),
      'InvalidLabels',
      'y',
      'nested arrays of uneven length, or with entries that are not numbers',
    ],
    ['inputs of other width', classes, () => ({ x: tensor([4, 3], 3), y: oneHot() }), 'InvalidInput', 'x', '[4, 3]'],
    [
      'an input without a batch dimension',
      classes,
      () => ({ x: tf.tensor1d([1, 2, 3, 4]), y: oneHot() }),
      'InvalidInput',
      'x',
      '[4]',
    ],
    [
      'a flat array that is no whole number of rows',
      classes,
      () => ({ x: [1, 2, 3, 4, 5], y: oneHot() }),
      'InvalidInput',
      'x',
      'a flat array of 5 numbers, which is no whole number of rows of 4',
    ],
    [
      'a flat array of fewer examples than labels',
      classes,
      () => ({ x: [1, 2, 3, 4], y: oneHot() }),
      'InvalidLabels',
      'y',
      'shape [4, 3] for a batch of 1',
    ],
    ['no example', classes, () => ({ x: tf.zeros([0, INPUTS]), y: tf.zeros([0, 3]) }), 'InvalidInput', 'x', '[0, 4]'],
    ['two inputs where there is one', classes, () => ({ x: [x(), x()], y: oneHot() }), 'InvalidInput', 'x', '[4, 4], [4, 4]'],
    ['an input of another name', classes, () => ({ x: { other: x() }, y: oneHot() }), 'InvalidInput', 'x', 'other'],
    [
      'ragged inputs',
      classes,
      () => ({ x: [[1, 2, 3, 4], [1]], y: oneHot() }),
      'InvalidInput',
      'x',
      'nested arrays of uneven length, or with entries that are not numbers',
    ],
    ['words', classes, () => ({ x: [['a', 'b', 'c', 'd']], y: oneHot() }), 'InvalidInput', 'x', "'a'"],
    ['a word', classes, () => ({ x: 'x', y: oneHot() }), 'InvalidInput', 'x', "'x'"],
    ['words as labels', classes, () => ({ x: x(), y: ['cat', 'dog', 'cat', 'cow'] }), 'InvalidLabels', 'y', "'cat'"],
    [
      'a tensor of words as labels',
      classes,
      () => ({ x: x(), y: tf.tensor1d(['a', 'b', 'a', 'c']) }),
      'InvalidLabels',
      'y',
      'a tensor of strings',
    ],
    ['labels of another name', classes, () => ({ x: x(), y: { other: oneHot() } }), 'InvalidLabels', 'y', 'other'],
    ['no inputs', classes, () => ({ y: oneHot() }), 'InvalidInput', 'x', 'nothing'],
    ['no batch', classes, () => undefined, 'InvalidInput', 'x', 'nothing'],
    ['a disposed input', classes, () => ({ x: disposed(x()), y: oneHot() }), 'InvalidInput', 'x', 'a disposed tensor'],
    ['disposed labels', classes, () => ({ x: x(), y: disposed(oneHot()) }), 'InvalidLabels', 'y', 'a disposed tensor'],
  ])('%s', async (_, p, bad, kind, field, found) => {
    const own = chain(p);
    const good = dataOf(p, 4);
    const parts = { field, found };
    await expectRejection(accumulate(of(bad() as BatchSource), {}, own, p), kind, parts);
    // After a sound batch, whose factors are not lost.
    const onFailure = jest.fn<void, [Factors]>();
    const error = await expectRejection(accumulate(of(good, bad() as BatchSource, good), { onFailure }, own, p), kind, parts);
    if (kind === 'NotFinite') expect(error.message).toContain('batch 1 of epoch 0');
    expect(onFailure).toHaveBeenCalledTimes(1);
    expectSameFactors(onFailure.mock.calls[0]?.[0] as Factors, await pass(own, p.likelihood, good), 0);
  });

  const disposed = (t: tf.Tensor): tf.Tensor => {
    t.dispose();
    return t;
  };

  it('inputs of different lengths', async () => {
    const inputs = [tf.input({ shape: [2] }), tf.input({ shape: [2] })];
    const both = tf.layers.concatenate().apply(inputs) as tf.SymbolicTensor;
    const outputs = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor;
    const source = of({ x: [tensor([4, 2], 1), tensor([3, 2], 1)], y: classes.labels(4) });
    await expectRejection(accumulate(source, {}, tf.model({ inputs, outputs })), 'InvalidInput', { found: '[4, 2], [3, 2]' });
  });

  it('a stream without a batch', async () => {
    await expectRejection(accumulate(of()), 'Empty');
  });

  it('batches of several models', async () => {
    const data = dataOf(classes, 4);
    const one = (own: tf.LayersModel) => lastValueFrom(of(data).pipe(observe(own, classes.likelihood)));
    const [a, b] = [model(), model()];
    const onFailure = jest.fn<void, [Factors]>();
    const mixed = from(await Promise.all([one(a), one(b)])).pipe(accumulateFactors(kfac(), { onFailure }));
    await expectRejection(lastValueFrom(mixed), 'Mismatch', { field: 'model' });
    expect(onFailure.mock.calls[0]?.[0].count).toBe(4);
  });

  it('a model with weights that no block covers', async () => {
    const hidden = tf.layers.dense({ units: 5, inputShape: [INPUTS] });
    const own = tf.sequential({ layers: [hidden, foreign('own'), tf.layers.dense({ units: 3, activation: 'softmax' })] });
    await expectRejection(accumulate(of(dataOf(classes, 4)), {}, own), 'UnsupportedLayer', { layer: 'own' });
  });

  it('a model without a dense layer, one that is disposed, one that is not built', async () => {
    const data = of(dataOf(classes, 4));
    const none = tf.sequential({ layers: [tf.layers.reLU({ inputShape: [3] })] });
    await expectRejection(accumulate(data, {}, none), 'NoBayesianLayer');
    const gone = model();
    gone.dispose();
    await expectRejection(accumulate(data, {}, gone), 'InvalidModel');
    await expectRejection(accumulate(data, {}, tf.sequential()), 'InvalidModel');
  });

  it('a model that is disposed half-way', async () => {
    const own = model();
    const source = new Subject<BatchSource>();
    const caught = rejection(accumulate(source, {}, own));
    source.next(dataOf(classes, 4));
    await settled();
    own.dispose();
    source.next(dataOf(classes, 4));
    expect(await caught).toMatchObject({ kind: 'InvalidModel' });
  });

  it('nothing silently when onFailure itself fails', async () => {
    const boom = new Error('boom');
    const onFailure = () => {
      throw boom;
    };
    const source = of(dataOf(classes, 4), { x: spoilt(4, INPUTS, Number.NaN), y: classes.labels(4) });
    expect(await rejection(accumulate(source, { onFailure }))).toBe(boom);
  });
});

describe('batches of a training step', () => {
  /** A batch that is gone after the call that emits it. */
  function emitter(own: tf.LayersModel) {
    const subject = new Subject<ObservedBatch>();
    const network = readNetwork(own, classes.likelihood);
    if (network._tag === 'Left') throw network.left;
    const emit = (index: number, x: tf.Tensor): void => {
      const y = classes.labels(x.shape[0] as number);
      const { batch, expire } = transientBatch(network.right, { epoch: 0, index }, { x: [x], y: [y] });
      subject.next(batch);
      expire();
      tf.dispose([x, y]);
    };
    return { subject, emit };
  }

  it('are used while they live', async () => {
    const own = model();
    const { subject, emit } = emitter(own);
    const factors = lastValueFrom(subject.pipe(accumulateFactors(kfac())));
    for (const index of [0, 1, 2]) emit(index, tensor([4, INPUTS], 3));
    subject.complete();
    expect(await factors).toMatchObject({ count: 12 });
  });

  it('that come faster than their checks are judged one by one', async () => {
    const own = model();
    const { subject, emit } = emitter(own);
    const onFailure = jest.fn<void, [Factors]>();
    const caught = rejection(lastValueFrom(subject.pipe(accumulateFactors(kfac(), { onFailure }))));
    emit(0, tensor([4, INPUTS], 3));
    emit(1, spoilt(4, INPUTS, Number.NaN));
    emit(2, tensor([4, INPUTS], 3));
    expect(await caught).toMatchObject({ kind: 'NotFinite', field: 'x' });
    const [gathered] = onFailure.mock.calls[0] as [Factors];
    const first = { x: tensor([4, INPUTS], 3), y: classes.labels(4) };
    expectSameFactors(gathered, await pass(own, classes.likelihood, first), 0);
  });

  it('cannot be used later', async () => {
    const own = model();
    const { subject, emit } = emitter(own);
    const late = lastValueFrom(subject.pipe(toArray()));
    emit(7, tensor([4, INPUTS], 3));
    subject.complete();
    const [batch] = await late;
    expect(() => batch?.use(() => tf.scalar(0))).toThrow(expect.objectContaining({ kind: 'NotReady' }));
    await expectRejection(lastValueFrom(of(batch as ObservedBatch).pipe(accumulateFactors(kfac()))), 'NotReady');
  });

  it('leave nothing on the device, sound or not', async () => {
    const own = model();
    await expectNoLeak(async () => {
      const { subject, emit } = emitter(own);
      const caught = rejection(lastValueFrom(subject.pipe(accumulateFactors(kfac()))));
      emit(0, tensor([4, INPUTS], 3));
      emit(1, spoilt(4, INPUTS, Number.NaN));
      emit(2, tensor([4, INPUTS], 3));
      await caught;
    });
  });
});

describe('an accumulator', () => {
  it('gives factors of one moment, whatever goes on meanwhile', async () => {
    const own = model();
    const observed = async (seed: number) =>
      lastValueFrom(of({ x: tensor([4, INPUTS], seed), y: classes.labels(4) }).pipe(observe(own, classes.likelihood)));
    const batch = await observed(3);
    const accumulator = createAccumulator(batch.network, kfac());
    accumulator.add(batch);
    await accumulator.settle();
    const reads = [accumulator.factors(), accumulator.factors()];
    accumulator.add(await observed(4));
    await accumulator.settle();
    reads.push(accumulator.factors());
    accumulator.reset();
    const [first, second, third] = (await Promise.all(reads)) as [Factors, Factors, Factors];
    expectSameFactors(first, await pass(own, classes.likelihood, { x: tensor([4, INPUTS], 3), y: classes.labels(4) }), 0);
    expect(second).toEqual(first);
    expect(third.count).toBe(8);
    // The inputs' last coordinate is 1, so the corner of their sum counts the examples.
    expect([first, third].map((f) => kronecker(f.layers[0]).input.data.at(-1))).toEqual([4, 8]);
    expect((await accumulator.factors()).count).toBe(0);
  });

  it('gives numbers that later work does not change', async () => {
    const own = model();
    const batch = await lastValueFrom(of(dataOf(classes, 4)).pipe(observe(own, classes.likelihood)));
    const accumulator = createAccumulator(batch.network, kfac());
    accumulator.add(batch);
    await accumulator.settle();
    const factors = await accumulator.factors();
    const copy = structuredClone(factors);
    accumulator.add(batch);
    await accumulator.settle();
    await accumulator.factors();
    accumulator.reset();
    expect(factors).toEqual(copy);
    expect(distance(kronecker(factors.layers[0]).input.data, kronecker(copy.layers[0]).input.data)).toBe(0);
  });
});
