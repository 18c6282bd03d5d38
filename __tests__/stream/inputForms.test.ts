/**
 * The forms in which the data of a model with one input may be given: tensors, nested arrays and typed arrays. All give the factors and the
 * predictions of the tensors, to the last bit, since the same float32 numbers reach the device.
 */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import {
  type Factors,
  gaussian,
  type Inputs,
  inputBatches,
  jointDistribution,
  kfac,
  type Posterior,
  predict,
  type TensorData,
  toPosterior,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { flat, nested } from '../support/forms.js';
import { dense, withWeights } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const LIKELIHOOD = gaussian({ noiseVariance: 0.5 });
const N = 6;

const posteriorOf = (factors: Factors): Promise<Posterior> => lastValueFrom(of(factors).pipe(toPosterior({ priorPrecision: 2 })));

describe('a model of one input', () => {
  const numbers = pair('numbers');
  let model: tf.LayersModel;
  let x: tf.Tensor;
  let y: tf.Tensor;
  let expected: Factors;
  let posterior: Posterior;
  beforeAll(async () => {
    model = chain(numbers);
    ({ x, y } = dataOf(numbers, N));
    expected = await pass(model, LIKELIHOOD, { x, y });
    posterior = await posteriorOf(expected);
  });

  const forms: ReadonlyArray<[string, (t: tf.Tensor) => Inputs]> = [
    ['nested arrays', (t) => nested(t) as Inputs],
    [
      'rows that are typed arrays',
      (t) => (t.arraySync() as number[][]).map((row) => Float32Array.from(row)) as unknown as Inputs,
    ],
    ['rows of float64', (t) => (t.arraySync() as number[][]).map((row) => Float64Array.from(row)) as unknown as Inputs],
    ['a flat Float32Array', flat],
    ['a flat Float64Array', (t) => Float64Array.from(flat(t))],
    ['a flat array', (t) => Array.from(flat(t))],
    ['a view into a longer array', (t) => Float32Array.of(7, 7, ...flat(t), 7).subarray(2, 2 + t.size)],
    ['a record', (t) => ({ hidden_input: t })],
    ['a record of arrays', (t) => ({ hidden_input: nested(t) })],
    ['a record of a typed array', (t) => ({ hidden_input: flat(t) })],
    ['a list', (t) => [t]],
  ];

  it.each(forms)('batches: x as %s', async (_, form) => {
    // The labels of an example have three numbers, so that they are no flat array.
    const data = { x: form(x), y: nested(y) };
    expectSameFactors(await pass(model, LIKELIHOOD, data), expected, 0);
    await expectNoLeak(() => pass(model, LIKELIHOOD, data));
  });

  it.each(forms)('predict and jointDistribution: x as %s', async (_, form) => {
    const predicted = (own: Inputs) => lastValueFrom(of(own).pipe(predict(model, posterior)));
    expect(await predicted(form(x))).toEqual(await predicted(x));
    expect(await jointDistribution(model, posterior, form(x))).toEqual(await jointDistribution(model, posterior, x));
    await expectNoLeak(() => predicted(form(x)));
  });

  it.each(forms.filter(([name]) => !name.includes('flat') && !name.includes('a view') && !name.includes('typed array')))(
    'inputBatches: x as %s',
    async (_, form) => {
      const predicted = (own: Inputs) => lastValueFrom(from(inputBatches(own, 4)).pipe(predict(model, posterior), toArray()));
      expect(await predicted(form(x))).toEqual(await predicted(x));
    },
  );

  it('weights as an array', async () => {
    const run = (weights: TensorData['weights']) => pass(model, LIKELIHOOD, { x, y, ...(weights && { weights }) });
    const found = await run(tf.tensor1d([2, 1, 0, 1, 3, 1]));
    expectSameFactors(await run([2, 1, 0, 1, 3, 1]), found, 0);
    expectSameFactors(await run(Int32Array.of(2, 1, 0, 1, 3, 1)), found, 0);
  });

  it('integers and booleans as arrays', async () => {
    const bits = tf.tensor2d([
      [1, 0, 0, 1],
      [0, 1, 1, 1],
    ]);
    const data = { y: tf.zeros([2, 3]) };
    const found = await pass(model, LIKELIHOOD, { ...data, x: bits });
    for (const own of [
      Uint8Array.of(1, 0, 0, 1, 0, 1, 1, 1),
      [
        [true, false, false, true],
        [0, 1, true, 1],
      ],
      new Int16Array(flat(bits)),
    ]) {
      expectSameFactors(await pass(model, LIKELIHOOD, { ...data, x: own as Inputs }), found, 0);
    }
  });

  it.each<[string, () => Inputs, string, string]>([
    [
      'a flat array that is no whole number of rows',
      () => new Float32Array(9),
      'x',
      'a flat array of 9 numbers, which is no whole number of rows of 4',
    ],
    [
      'numbers as big integers',
      () => new BigInt64Array(8) as never,
      'x',
      'nested arrays of uneven length, or with entries that are not numbers',
    ],
    ['text', () => ['cat', 'dog'], 'x', "'cat'"],
    ['a tensor of text', () => tf.tensor1d(['cat', 'dog']), 'x', 'a tensor of strings'],
    ['a hole', () => [[1, 2, 3, null]] as never, 'x', 'nested arrays of uneven length, or with entries that are not numbers'],
    ['another name', () => ({ hiden_input: tf.zeros([1, 4]) }), 'x', 'hiden_input'],
  ])('predict refuses %s', async (_, make, field, found) => {
    await expectRejection(lastValueFrom(of(make()).pipe(predict(model, posterior))), 'InvalidInput', { field, found });
  });

  it('tells how to give one example', async () => {
    const error = await expectRejection(lastValueFrom(of(tf.zeros([4])).pipe(predict(model, posterior))), 'InvalidInput');
    expect(error.remedy).toContain('expandDims(0)');
  });
});

describe('one number an example', () => {
  it('may be a flat array or a vector, for inputs and labels', async () => {
    const model = withWeights(tf.sequential({ layers: [dense(3, { inputShape: [1], activation: 'tanh' }), dense(1)] }), 5);
    const [x, y] = [
      [0.5, -1, 2, 0.25],
      [1, -0.5, 0.75, 0],
    ] as const;
    const expected = await pass(model, LIKELIHOOD, { x: tf.tensor2d([...x], [4, 1]), y: tf.tensor2d([...y], [4, 1]) });
    for (const data of [
      { x: [...x], y: [...y] },
      { x: Float32Array.from(x), y: Float32Array.from(y) },
      { x: tf.tensor1d([...x]), y: tf.tensor1d([...y]) },
    ])
      expectSameFactors(await pass(model, LIKELIHOOD, data, kfac(), 3), expected, 1e-6); // sums of other batches: float32 rounding
    const posterior = await posteriorOf(expected);
    const predicted = (own: Inputs) => lastValueFrom(of(own).pipe(predict(model, posterior)));
    expect(await predicted([...x])).toEqual(await predicted(tf.tensor2d([...x], [4, 1])));
  });
});
