/** Data of several inputs and outputs: lists, and records by name, whose values may be arrays. And what `batches` refuses. */
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  gaussian,
  type Inputs,
  inputBatches,
  kfac,
  observe,
  predict,
  type TensorData,
  toPosterior,
} from 'tfjs-laplace';
import { expectRejection } from '../support/errors.js';
import { expectSameFactors, pass } from '../support/factors.js';
import { flat, nested, someWords, wordsAndSize } from '../support/forms.js';
import { BOTH, headData, twoHeads } from '../support/heads.js';
import { expectNoLeak } from '../support/memory.js';
import { tensor } from '../support/networks.js';

const LIKELIHOOD = gaussian({ noiseVariance: 0.5 });
const N = 6;

const disposed = (): tf.Tensor => {
  const t = tf.zeros([N, 2]);
  t.dispose();
  return t;
};

describe('several inputs and outputs', () => {
  let model: tf.LayersModel;
  let words: tf.Tensor;
  let size: tf.Tensor;
  let y: tf.Tensor;
  beforeAll(() => {
    model = wordsAndSize();
    words = someWords();
    size = tensor([N, 2], 4);
    y = tensor([N, 2], 5);
  });

  it.each<[string, () => TensorData['x']]>([
    ['a record of tensors', () => ({ words, size })],
    ['a record in another order', () => ({ size, words })],
    ['a record with a name that the model does not have', () => ({ size, words, other: size })],
    ['a record of nested and typed arrays', () => ({ words: Int32Array.from(flat(words)), size: nested(size) })],
    ['a record of flat arrays', () => ({ words: Array.from(flat(words)), size: flat(size) })],
    ['a record of a tensor and an array', () => ({ words, size: flat(size) })],
  ])('x as %s', async (_, form) => {
    const expected = await pass(model, LIKELIHOOD, { x: [words, size], y });
    expectSameFactors(await pass(model, LIKELIHOOD, { x: form(), y }), expected, 0);
    const posterior = await lastValueFrom(of(expected).pipe(toPosterior({ priorPrecision: 2 })));
    const predicted = (own: Inputs) => lastValueFrom(of(own).pipe(predict(model, posterior)));
    expect(await predicted(form())).toEqual(await predicted([words, size]));
    await expectNoLeak(() => pass(model, LIKELIHOOD, { x: form(), y }));
  });

  it('y as a record of arrays', async () => {
    const { model: own } = twoHeads();
    const data = headData(own, N);
    const expected = await pass(own, BOTH, data);
    const { digit, angle } = data.y;
    expectSameFactors(await pass(own, BOTH, { ...data, y: { digit: nested(digit), angle: nested(angle) } }), expected, 0);
    expectSameFactors(await pass(own, BOTH, { ...data, y: { angle, digit: Int32Array.from(flat(digit)) } }), expected, 0);
  });

  it.each<[string, () => Inputs, string, string, string]>([
    ['one array for both', () => [[1, 2, 3]], 'x', '[1, 3]', 'record by input name'],
    ['a record that lacks one', () => ({ words }), 'x', 'words', 'model.inputNames'],
    [
      'a flat array of another length',
      () => ({ words, size: [1, 2, 3] }),
      'x.size',
      'a flat array of 3 numbers, which is no whole number of rows of 2',
      '',
    ],
    ['a disposed tensor', () => ({ words, size: disposed() }), 'x.size', 'a disposed tensor', 'Dispose it after'],
    ['a disposed tensor of a list', () => [disposed(), size], 'x[0]', 'a disposed tensor', 'Dispose it after'],
  ])('a batch of inputs that is refused: %s', async (_, make, field, found, remedy) => {
    const run = () => lastValueFrom(of({ x: make(), y }).pipe(observe(model, LIKELIHOOD), accumulateFactors(kfac())));
    const error = await expectRejection(run(), 'InvalidInput', { field, found });
    expect(error.remedy ?? '').toContain(remedy);
    await expectNoLeak(() => expectRejection(run(), 'InvalidInput'));
  });

  it.each<[string, () => Partial<TensorData>, 'InvalidInput' | 'InvalidLabels', string, string]>([
    ['no inputs', () => ({ y }), 'InvalidInput', 'x', 'nothing'],
    ['no labels', () => ({ x: size }), 'InvalidLabels', 'y', 'nothing'],
    ['an empty record', () => ({ x: {}, y }), 'InvalidInput', 'x', 'object'],
    [
      'tensors beside arrays in a list',
      () => ({ x: [words, nested(size)] as never, y }),
      'InvalidInput',
      'x',
      'a list of tensors and other values',
    ],
    ['a number', () => ({ x: 3, y }), 'InvalidInput', 'x', 'number'],
    ['a disposed tensor', () => ({ x: { words, size: disposed() }, y }), 'InvalidInput', 'x.size', 'a disposed tensor'],
    ['disposed labels', () => ({ x: size, y: [disposed()] }), 'InvalidLabels', 'y', 'a disposed tensor'],
    ['disposed weights', () => ({ x: size, y, weights: disposed() }), 'InvalidInput', 'weights', 'a disposed tensor'],
    ['labels that are text', () => ({ x: size, y: ['a', 'b', 'a', 'b', 'a', 'b'] }), 'InvalidLabels', 'y', "'a'"],
    [
      'labels by name that are text',
      () => ({ x: size, y: { kind: ['a', 'b', 'a', 'b', 'a', 'b'] } }),
      'InvalidLabels',
      'y.kind',
      "'a'",
    ],
    ['inputs that are text', () => ({ x: { words: ['a', 'b', 'a', 'b', 'a', 'b'], size }, y }), 'InvalidInput', 'x.words', "'a'"],
    [
      'a flat array that does not divide',
      () => ({ x: new Float32Array(13), y }),
      'InvalidInput',
      'x',
      'a flat array of 13 numbers for 6 examples',
    ],
    ['arrays of other lengths', () => ({ x: { words, size: [[1, 2]] }, y }), 'InvalidInput', 'x', '6, 1 examples'],
    ['labels of another length, as an array', () => ({ x: size, y: [[1, 2]] }), 'InvalidLabels', 'y', '1 labels'],
    [
      'two lists of weights',
      () => ({ x: size, y, weights: [[1], [1], [1], [1], [1], [1]] }),
      'InvalidInput',
      'weights',
      'more than one number for an example',
    ],
  ])('batches refuses %s', (_, data, kind, field, found) => {
    const [first] = batches(data() as TensorData, 4);
    expect(first).toThrow(expect.objectContaining({ kind, field, found }));
  });

  it('tells what to do about labels that are text', () => {
    const words = ['cat', 'dog', 'cat', 'cat', 'dog', 'dog'];
    const [first] = batches({ x: size, y: words }, 4);
    expect(first).toThrow(expect.objectContaining({ remedy: expect.stringMatching(/classes\.indexOf\(label\).*tf\.oneHot/) }));
  });

  it('a tensor that is disposed before its batch is made', async () => {
    const [own, labels] = [tf.clone(size), tf.clone(y)];
    const parts = batches({ x: { words, size: own }, y: labels }, 4);
    own.dispose();
    const run = () => lastValueFrom(from(parts).pipe(observe(model, LIKELIHOOD), accumulateFactors(kfac())));
    await expectRejection(run(), 'InvalidInput', { field: 'x.size', found: 'a disposed tensor' });
    await expectNoLeak(() => expectRejection(run(), 'InvalidInput'));
    labels.dispose();
  });

  it('inputBatches refuses what does not say where an example ends', () => {
    const [first] = inputBatches(new Float32Array(12), 4);
    expect(first).toThrow(expect.objectContaining({ kind: 'InvalidInput', field: 'x', found: 'a flat array of 12 numbers' }));
    expect(inputBatches({ words: flat(words), size }, 4)).toHaveLength(2);
    expect(inputBatches([], 4)).toHaveLength(0);
  });
});
