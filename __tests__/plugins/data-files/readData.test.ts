/** Inputs and labels out of files, as batches, observation and predictions take them. */
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, toArray } from 'rxjs';
import { accumulateFactors, batches, inputBatches, observe, predict, toPosterior } from 'tfjs-laplace';
import { type ReadDataOptions, readData } from 'tfjs-laplace/plugins/data-files';
import { idx } from '../../support/idx.js';
import { itSaysWhatToDo, wrong } from '../../support/mistakes.js';
import { bytesOf, failure, VALUES, written } from './files.js';

const PIXELS = Array.from({ length: 6 * 4 }, (_, i) => (i * 37) % 256);
const images = () => written('images', idx([6, 2, 2], PIXELS));
const labels = () => written('labels.gz', gzipSync(idx([6], [0, 2, 1, 0, 2, 1])));
const npy = (name: string) => written('x.npy', bytesOf(VALUES.arrays.find((own) => own.name === name)?.file ?? ''));

it('images and labels of MNIST go through a model that lays them out in its own way, to a posterior and predictions', async () => {
  const data = await readData([images(), labels()], { divide: 255 });
  const { x, y, examples } = data;
  expect([...x]).toEqual(PIXELS.map((value) => Math.fround(value / 255)));
  expect(data).toMatchObject({ shape: [6, 2, 2], examples: 6, y: Int32Array.of(0, 2, 1, 0, 2, 1) });

  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [2, 2, 1] }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3 }),
    ],
  });
  const posterior = await lastValueFrom(
    from(batches({ x, y }, 4)).pipe(observe(model, 'categorical'), accumulateFactors('kfac'), toPosterior()),
  );
  expect(posterior.datasetSize).toBe(6);
  const parts = await lastValueFrom(from(inputBatches(x, 4, examples)).pipe(predict(model, posterior), toArray()));
  const whole = await lastValueFrom(from([tf.tensor(x, [6, 2, 2, 1])]).pipe(predict(model, posterior), toArray()));
  const rows = (all: typeof parts) =>
    all.flatMap((own) => ('probabilities' in own ? own.probabilities.map((row) => [...row]) : []));
  expect(rows(parts)).toHaveLength(6);
  rows(parts).forEach((row, i) => {
    row.forEach((p, k) => expect(p).toBeCloseTo(rows(whole)[i]?.[k] as number, 5));
  });
  model.dispose();
});

it('a table goes through a model of numbers, with integers as labels too', async () => {
  const { x, y } = await readData([written('t.csv', 'a,b,price\n1,2,3\n2,1,4\n5,5,6\n')], { target: ['price'] });
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
  const factors = await lastValueFrom(from(batches({ x, y }, 2)).pipe(observe(model, 'gaussian'), accumulateFactors()));
  expect(factors.count).toBe(3);
  model.dispose();
});

describe('labels', () => {
  const of = async (file: string) => (await readData([images(), file])).y;
  it.each([
    ['integers of one dimension', idx([6], [0, 1, 2, 3, 4, 5]), Int32Array.of(0, 1, 2, 3, 4, 5)],
    ['integers of a column', idx([6, 1], [0, 1, 2, 3, 4, 5]), Int32Array.of(0, 1, 2, 3, 4, 5)],
    ['integers among floats', idx([6], [0, 1, 2, 3, 4, 5], 14), Int32Array.of(0, 1, 2, 3, 4, 5)],
    ['numbers', idx([6], [0, 1, 2.5, 3, 4, 5], 14), Float32Array.of(0, 1, 2.5, 3, 4, 5)],
    ['integers beyond int32', idx([6], [0, 1, 2, 3, 4, 2 ** 31], 14), Float32Array.of(0, 1, 2, 3, 4, 2 ** 31)],
  ])('of one number each are flat: %s', async (_, file, expected) => {
    expect(await of(written('y', file))).toEqual(expected);
  });

  it('of several numbers are rows', async () => {
    const y = await of(written('y', idx([6, 2], [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1])));
    expect(y).toHaveLength(6);
    expect(y[1]).toEqual(Int32Array.of(0, 1));
    const deep = await of(written('y', idx([6, 2, 1], [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1])));
    expect(deep[1]).toEqual([Int32Array.of(0), Int32Array.of(1)]);
  });

  it('may be a table of their own', async () => {
    expect(await readData([images(), written('y.csv', 'kind\nb\na\nb\na\na\nb')])).toMatchObject({
      y: Int32Array.of(1, 0, 1, 0, 0, 1),
      classes: ['a', 'b'],
    });
  });
});

it('inputs alone have no labels', async () => {
  const read = await readData(
    [npy('<f4')].map((path) => `file://${path}`),
    { divide: 1e30 },
  );
  expect(Object.keys(read).sort()).toEqual(['examples', 'shape', 'x']);
});

it('a format that is named is taken, whatever the ending is', async () => {
  const file = written('table.txt', 'a\tb\n1\t2\n');
  expect((await readData([file], { format: 'tsv' })).columns).toEqual(['a', 'b']);
  expect((await failure(readData([file]))).message).toContain("{ format: 'csv' }");
  expect((await failure(readData([file], { format: 'npy' }))).kind).toBe('InvalidFile');
});

describe('mistakes', () => {
  const table = () => written('t.csv', 'a,b\n1,2\n');
  itSaysWhatToDo([
    ['a missing file', () => readData(['/none/x.npy']), 'Storage', '/none/x.npy', 'no such file'],
    ['a folder', () => readData(['.']), 'Storage'],
    [
      'files that differ in length',
      () => readData([images(), written('y', idx([2], [1, 2]))]),
      'InvalidInput',
      '6 in ',
      'and 2 in ',
    ],
    ['no example', () => readData([npy('no example')]), 'Empty', 'x.npy: found no example'],
    ['no label', () => readData([images(), npy('no example')]), 'Empty'],
    ['a single number', () => readData([npy('no dimension')]), 'InvalidInput', 'a single number'],
    ['a number beyond float32', () => readData([npy('<f8')]), 'NotFinite', 'x.npy at [1, 1]: found 1e+300'],
    ['a number beyond float32 by dividing', () => readData([npy('<f4')], { divide: 1e-9 }), 'NotFinite', 'divided by 1e-9'],
    ['NaN', () => readData([written('x', idx([3], [1, Number.NaN, 2], 13))]), 'NotFinite', 'at [1]: found NaN'],
    [
      'a label that is NaN',
      () => readData([images(), written('y', idx([6], [1, 2, 3, 4, Number.NaN, 6], 13))]),
      'NotFinite',
      '[4]',
    ],
    ['a target of an array', () => readData([images()], { target: ['a'] }), 'InvalidOption', 'no columns with names', 'target'],
    ['inputs of an array', () => readData([images()], { inputs: ['a'] }), 'InvalidOption', 'no columns with names'],
    ['a target and two files', () => readData([table(), labels()], { target: ['a'] }), 'InvalidOption', 'one of them'],
    ['an input that is a target', () => readData([table()], { target: ['a'], inputs: ['a'] }), 'InvalidOption', "'a' in inputs"],
    ['three files', () => readData([table(), table(), table()]), 'InvalidOption', '3 files'],
    ['no file', () => readData([]), 'InvalidOption', 'an empty array'],
    ['a path alone', () => readData(wrong('x.npy')), 'InvalidOption', 'files', '"x.npy"'],
    ['an unknown option', () => readData(['x'], wrong({ targets: ['a'] })), 'InvalidOption', "did you mean 'target'?"],
    [
      'a target as text',
      () => readData(['x'], { target: wrong('a') }),
      'InvalidOption',
      'target',
      'an array of names of columns',
    ],
    ['a division by 0', () => readData(['x'], { divide: 0 }), 'InvalidOption', 'divide', 'a finite number > 0'],
    ['an unknown format', () => readData(['x'], { format: wrong('xls') } satisfies ReadDataOptions), 'InvalidOption', '"xls"'],
  ]);
});

describe('inputBatches with a number of examples', () => {
  const first = (run: () => ReadonlyArray<() => unknown>) => failure(Promise.resolve().then(() => run()[0]?.()));
  it('cuts a flat array', () => {
    const cut = inputBatches(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3).map((batch) => batch());
    expect(cut).toEqual([Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)]);
  });
  it('refuses a number that does not fit, or that is missing', async () => {
    expect(await first(() => inputBatches([[1], [2]], 1, 3))).toMatchObject({
      kind: 'InvalidInput',
      found: '2 examples',
      expected: '3',
    });
    expect(await first(() => inputBatches([1, 2, 3, 4], 1, 3))).toMatchObject({
      kind: 'InvalidInput',
      expected: 'a multiple of 3',
    });
    expect((await first(() => inputBatches([1, 2], 1))).message).toContain('inputBatches(x, size, N)');
    expect((await first(() => inputBatches([1, 2], 1, 0))).kind).toBe('InvalidOption');
  });
});
