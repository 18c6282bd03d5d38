/** A Fisher matrix of one's own: the same factors as the library's with the same formula, and errors that name it. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, type Subscription } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  type CustomFisherOptions,
  categorical,
  coverage,
  customFisher,
  diagonal,
  ekfac,
  exact,
  type Factors,
  full,
  kfac,
  merge,
  monteCarlo,
  observe,
  orThrow,
  perOutput,
  poisson,
  type TensorData,
} from 'tfjs-laplace';
import { expectRejection, rejection } from '../support/errors.js';
import { expectSameFactors, pass, tensorsOf } from '../support/factors.js';
import { dataFor } from '../support/math/laplace.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { withWasmKernels } from '../support/wasmKernels.js';
import { ZOO, type ZooCase, zooInputs } from '../support/zoo.js';

withWasmKernels();

/** Float32 sums of a few dozen rows that went back through up to four layers. */
const FLOAT32 = 2e-5;

/** λ_c = √p_c (e_c − p), written once more. */
const columns: CustomFisherOptions['columns'] = (f) => {
  const C = f.shape[1];
  const p = tf.softmax(f);
  const each = Array.from({ length: C }, (_, c) => {
    const own = tf.slice(p, [0, c], [-1, 1]);
    return tf.mul(tf.sqrt(own), tf.sub(tf.oneHot(tf.fill([f.shape[0]], c, 'int32'), C), p)) as tf.Tensor2D;
  });
  return tf.stack(each) as tf.Tensor3D;
};
const softmaxRoot = customFisher({ name: 'softmax', columns });

const classesFor = (zoo: ZooCase): { model: tf.LayersModel; data: TensorData } => {
  const model = zoo.build();
  const C = model.outputs[0]?.shape.at(-1) as number;
  return { model, data: { x: zooInputs(zoo, model, 6, 3), y: tf.range(0, 6).mod(C).toInt() } };
};
const dense: ZooCase = { name: 'dense layers', build: () => chain([4, 5, 3]) };

describe.each([dense, ...ZOO.slice(0, 6)])('$name', (zoo) => {
  it.each<[string, (fisher: ReturnType<typeof exact> | typeof softmaxRoot) => Curvature]>([
    ['kfac', (fisher) => kfac({ fisher })],
    ['kfac, positions summed', (fisher) => kfac({ fisher, weightSharing: 'reduce' })],
    ['ekfac', (fisher) => ekfac({ fisher })],
    ['diagonal', (fisher) => diagonal({ fisher })],
    ['full', (fisher) => full({ fisher })],
    ['the last layer, where exact has a closed form', (fisher) => kfac({ fisher, layers: 'last' })],
  ])('gives the factors of exact: %s', async (_, curvature) => {
    const { model, data } = classesFor(zoo);
    const expected = await pass(model, categorical(), data, curvature(exact()), 4);
    const found = await pass(model, categorical(), data, curvature(softmaxRoot), 4);
    // The bases of ekfac come from different sums of the first pass, and are named after them.
    const { basis: _basis, ...layout } = expected.layout;
    const { basis: __, ...own } = found.layout;
    expect(own).toEqual({ ...layout, estimator: { ...layout.estimator, fisher: { _tag: 'customFisher', name: 'softmax' } } });
    expectSameFactors({ ...found, layout: expected.layout }, expected, FLOAT32);
  });
});

it('counts examples of weight w as w examples', async () => {
  const model = chain([4, 3]);
  const data = { ...dataFor(model, categorical(), 5), weights: tf.tensor1d([1, 0, 2.5, 1, 3]) };
  const [found, expected] = [
    await pass(model, categorical(), data, kfac({ fisher: softmaxRoot }), 2),
    await pass(model, categorical(), data, kfac(), 2),
  ];
  expectSameFactors({ ...found, layout: expected.layout }, expected, FLOAT32);
});

it('sees the labels as the likelihood has them, several outputs side by side', async () => {
  const seen: number[][] = [];
  const fisher = customFisher({
    name: 'looks',
    columns: (f, y) => {
      seen.push([...f.shape, ...y.shape], Array.from(y.dataSync()));
      return tf.expandDims(f, 0);
    },
  });
  await pass(chain([4, 3]), categorical(), { x: tf.zeros([2, 3]), y: tf.tensor1d([2, 0], 'int32') }, kfac({ fisher }));
  expect(seen).toEqual([
    [2, 3, 2, 3],
    [0, 0, 1, 1, 0, 0],
  ]);
  const input = tf.input({ shape: [4] });
  const [a, b] = ['a', 'b'].map((name, i) => tf.layers.dense({ units: i + 2, name }).apply(input) as tf.SymbolicTensor);
  const several = tf.model({ inputs: input, outputs: [a, b] as tf.SymbolicTensor[] });
  const y = { a: tf.tensor1d([1, 0], 'int32'), b: tf.ones([2, 3]) };
  await pass(several, perOutput({ a: categorical(), b: poisson() }), { x: tf.zeros([2, 4]), y }, kfac({ fisher }));
  expect(seen[2]).toEqual([2, 5, 2, 5]);
});

it('draws with another seed for each batch, and with the same seeds in every pass', async () => {
  const seeds: number[] = [];
  const fisher = customFisher({
    name: 'draws',
    rowsPerExample: 1,
    columns: (f, y, seed) => {
      seeds.push(seed);
      return tf.expandDims(tf.mul(tf.sub(tf.softmax(f), y), tf.randomNormal(f.shape, 0, 1, 'float32', seed)), 0);
    },
  });
  const model = chain([4, 3]);
  const data = dataFor(model, categorical(), 6);
  const run = () => pass(model, categorical(), data, kfac({ fisher }), 2);
  const [first, second] = [await run(), await run()];
  expect(new Set(seeds.slice(0, 3)).size).toBe(3);
  expect(seeds.slice(3)).toEqual(seeds.slice(0, 3));
  expectSameFactors(second, first, 0);
  expect([first.rows, first.count]).toEqual([6, 6]);
});

it('states its rows beforehand', () => {
  const rows = (rowsPerExample?: number): number | undefined =>
    orThrow(
      coverage(chain([4, 5, 3]), {
        likelihood: categorical(),
        curvature: kfac({ fisher: customFisher({ name: 'x', columns, ...(rowsPerExample && { rowsPerExample }) }) }),
      }),
    ).rowsPerExample;
  expect([rows(), rows(2)]).toEqual([3, 2]);
});

describe('is a value', () => {
  it('that nobody can change, and whose factors are data', async () => {
    expect(softmaxRoot).toEqual({ _tag: 'customFisher', name: 'softmax', columns });
    expect(Object.isFrozen(softmaxRoot)).toBe(true);
    const model = chain([4, 3]);
    const factors = await pass(model, categorical(), dataFor(model, categorical(), 4), kfac({ fisher: softmaxRoot }));
    expect(structuredClone(factors)).toEqual(factors);
  });

  it('that is told by its name: factors of two names are not added', async () => {
    const model = chain([4, 3]);
    const data = dataFor(model, categorical(), 4);
    const of = (options: Partial<CustomFisherOptions>): Promise<Factors> =>
      pass(model, categorical(), data, kfac({ fisher: customFisher({ name: 'one', columns, ...options }) }));
    const [one, same, other, rows] = [
      await of({}),
      await of({ columns: (f, y, seed) => tf.neg(columns(f, y, seed)) as tf.Tensor3D }),
      await of({ name: 'two' }),
      await of({ rowsPerExample: 3 }),
    ];
    expect(merge(one, same)).toMatchObject({ right: { count: 8 } });
    const field = 'layout.estimator.fisher';
    expect(merge(one, other)).toMatchObject({
      left: { kind: 'Mismatch', field: `${field}.name`, found: '"two"', expected: '"one"' },
    });
    expect(merge(one, rows)).toMatchObject({ left: { kind: 'Mismatch', field: `${field}.rowsPerExample` } });
    const drawn = await pass(model, categorical(), data, kfac({ fisher: monteCarlo() }));
    expect(merge(one, drawn)).toMatchObject({ left: { kind: 'Mismatch', field: `${field}._tag` } });
  });
});

describe('refuses', () => {
  it.each<[string, object, string]>([
    ['no name', { columns }, 'name'],
    ['an empty name', { name: '', columns }, 'name'],
    ['no function', { name: 'x' }, 'columns'],
    ['a tensor for a function', { name: 'x', columns: [[1]] }, 'columns'],
    ['half a row', { name: 'x', columns, rowsPerExample: 0.5 }, 'rowsPerExample'],
    ['an option of another Fisher matrix', { name: 'x', columns, samples: 1 }, 'samples'],
  ])('%s', (_, options, field) => {
    const refused = expect.objectContaining({ kind: 'InvalidOption', field });
    expect(() => customFisher(options as CustomFisherOptions)).toThrow(refused);
  });

  const K = (count: number) => (f: tf.Tensor2D) => tf.ones([count, ...f.shape]) as tf.Tensor3D;
  it.each<[string, (f: tf.Tensor2D) => unknown, 'InvalidOption' | 'NotFinite', string]>([
    ['nothing', () => undefined, 'InvalidOption', 'undefined'],
    ['null', () => null, 'InvalidOption', 'null'],
    ['numbers', () => 3, 'InvalidOption', 'number'],
    ['a matrix', (f) => f, 'InvalidOption', '[2, 3]'],
    ['outputs and examples the other way round', () => tf.ones([3, 3, 2]), 'InvalidOption', '[3, 3, 2]'],
    ['more columns than there are outputs', K(4), 'InvalidOption', '[4, 2, 3]'],
    ['NaN', (f) => tf.fill([1, ...f.shape], Number.NaN), 'NotFinite', 'NaN or Infinity'],
    ['infinity', (f) => tf.fill([1, ...f.shape], Number.POSITIVE_INFINITY), 'NotFinite', 'NaN or Infinity'],
  ])('a function that returns %s, and leaves nothing behind', async (_, made, kind, found) => {
    const fisher = customFisher({ name: 'broken', columns: made as CustomFisherOptions['columns'] });
    const model = chain([4, 3]);
    const data = dataFor(model, categorical(), 4);
    const run = () => pass(model, categorical(), data, kfac({ fisher }), 2);
    const error = await expectRejection(run(), kind, { field: 'fisher.columns', found });
    expect(error.message).toContain("'broken'");
    await expectNoLeak(() => rejection(run()));
  });

  it('more columns than it said, and says what to do', async () => {
    const fisher = customFisher({ name: 'many', rowsPerExample: 2, columns: K(5) });
    const model = chain([4, 3]);
    const error = await expectRejection(
      pass(model, categorical(), { x: inputsFor(model, 2, 1), y: tf.tensor1d([0, 1], 'int32') }, kfac({ fisher })),
      'InvalidOption',
    );
    expect(error.remedy).toContain('rowsPerExample: 5');
  });

  it('nothing of more columns, if it said so', async () => {
    const fisher = customFisher({ name: 'many', rowsPerExample: 5, columns: K(5) });
    const model = chain([4, 3]);
    const factors = await pass(model, categorical(), dataFor(model, categorical(), 4), kfac({ fisher }));
    expect(factors.rows).toBe(20);
  });
});

it('leaves nothing on the device, also when nobody listens any more', async () => {
  const model = chain([4, 5, 3]);
  const data = dataFor(model, categorical(), 6);
  await expectNoLeak(() => pass(model, categorical(), data, kfac({ fisher: softmaxRoot }), 2));
  await expectNoLeak(async () => {
    let subscription: Subscription | undefined;
    let batch = 0;
    const fisher = customFisher({
      name: 'stops',
      columns: (f, y, seed) => {
        if (++batch === 2) subscription?.unsubscribe();
        return columns(f, y, seed);
      },
    });
    const source = from(batches(tensorsOf(data), 2)).pipe(observe(model, categorical()), accumulateFactors(kfac({ fisher })));
    subscription = source.subscribe();
    await settled();
    expect(batch).toBe(2);
  });
  await expect(lastValueFrom(from([data]).pipe(observe(model, categorical()), accumulateFactors(kfac())))).resolves.toBeDefined();
});
