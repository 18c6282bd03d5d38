/** Batches of a data set in memory. Each is made when its turn comes, so that no more than one batch is on the device at a time. */
import type * as tf from '@tensorflow/tfjs-core';
import { accepted, anything, argument, optional, positiveInteger, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { isTensor, type Numbers } from '../network/arrays.js';
import type { Inputs, LabelledBatch, Labels } from '../network/inputs.js';
import { type Cuttable, cuttable, type Part } from './cuts.js';

/**
 * A whole data set of N examples, as tensors or arrays [N, …].
 *
 * Several inputs come as a list of tensors, or as a record of tensors and arrays by input name. Labels of several outputs come as a list,
 * or as a record by output name. A flat array of inputs, or a typed array, holds the examples one after another: the labels tell N. A flat
 * array of labels has one number for each example.
 */
export interface TensorData {
  readonly x: Inputs;
  readonly y: Labels;
  /** How often each example counts, [N]. Without weights each counts once. */
  readonly weights?: tf.Tensor | Numbers;
}

const Data = struct('data { x, y }', { x: anything, y: anything, weights: anything });

/**
 * Cuts a data set into batches of `size` examples, in order. The last batch may be smaller. Each batch is a function that slices the
 * data when it is called, inside the caller's `tf.tidy`. Records and lists stay what they are.
 *
 * Data that cannot be cut (different lengths, text, disposed tensors) make a single function, which throws `InvalidInput` or
 * `InvalidLabels`: the stream that calls it ends with this error. A batch throws the same if a tensor has been disposed since.
 *
 * @throws LaplaceError `InvalidOption` for a size that is no integer >= 1.
 *
 * @example
 * ```ts
 * import { from, lastValueFrom } from 'rxjs';
 * import * as tf from '@tensorflow/tfjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe } from 'tfjs-laplace';
 *
 * const [width, height] = [tf.input({ shape: [1], name: 'width' }), tf.input({ shape: [1], name: 'height' })];
 * const both = tf.layers.concatenate().apply([width, height]) as tf.SymbolicTensor;
 * const model = tf.model({ inputs: [width, height], outputs: tf.layers.dense({ units: 1 }).apply(both) as tf.SymbolicTensor });
 *
 * const data = { x: { width: [1, 2, 3], height: Float32Array.of(2, 3, 5) }, y: [3.1, 4.9, 8.2] };
 * const factors = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
 * factors.count; // => 3
 * ```
 */
export function batches(data: TensorData, size: number): ReadonlyArray<() => LabelledBatch> {
  const { x, y, weights } = accepted('batches', Data, data);
  argument('batches', 'size', positiveInteger, size);
  return orFailing(() => {
    const [inputs, labels] = [cuttable('x', x), cuttable('y', y)];
    const counts = weights === undefined || weights === null ? undefined : cuttable('weights', weights);
    const N = commonLength(inputs) ?? labels.parts[0]?.length ?? 0;
    checkRows(inputs, N);
    checkLabels(labels, N);
    if (counts !== undefined) checkWeights(counts, N);
    return ranges(N, size).map((range) => () => ({
      x: inputs.cut(range) as Inputs,
      y: labels.cut(range) as Labels,
      ...(counts === undefined ? {} : { weights: counts.cut(range) as tf.Tensor }),
    }));
  });
}

/** The batches, or a single one that cannot be had: it throws what the cutting of the batches threw. */
function orFailing<B>(cut: () => ReadonlyArray<() => B>): ReadonlyArray<() => B> {
  try {
    return cut();
  } catch (error) {
    return [
      () => {
        throw error;
      },
    ];
  }
}

/**
 * Cuts inputs alone into batches of `size` examples, for `predict`. Errors are those of `batches`.
 *
 * @param examples N, which a flat array does not say. Where the inputs say it, both must agree.
 */
export function inputBatches(
  x: tf.Tensor | ReadonlyArray<tf.Tensor>,
  size: number,
  examples?: number,
): ReadonlyArray<() => ReadonlyArray<tf.Tensor>>;
export function inputBatches(x: Inputs, size: number, examples?: number): ReadonlyArray<() => Inputs>;
export function inputBatches(x: Inputs, size: number, examples?: number): ReadonlyArray<() => Inputs> {
  argument('inputBatches', 'size', positiveInteger, size);
  argument('inputBatches', 'examples', optional(positiveInteger), examples);
  return orFailing(() => {
    const inputs = cuttable('x', x);
    const own = commonLength(inputs);
    if (own !== undefined && examples !== undefined && own !== examples) throw otherCount(own, examples);
    const N = own ?? examples;
    const flat = inputs.parts.find((part) => part.flat);
    if (flat !== undefined && N === undefined) throw noRows(flat);
    checkRows(inputs, N ?? 0);
    return ranges(N ?? 0, size).map((range) => () => {
      const own = inputs.cut(range) as Inputs;
      return isTensor(own) ? [own] : own;
    });
  });
}

const noRows = ({ field, length }: Part): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `Nothing says where an example of ${field} ends`,
    field,
    found: `a flat array of ${length} numbers`,
    expected: 'a tensor [N, …] or nested arrays',
    remedy: 'Say how many examples there are: inputBatches(x, size, N). Or give it to predict as one batch.',
  });

const otherCount = (found: number, expected: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'The inputs are not as many as the argument says',
    field: 'examples',
    found: `${found} examples`,
    expected: String(expected),
  });

/** N as the inputs tell it. Undefined if all of them are flat arrays. Throws `InvalidInput` if they differ. */
function commonLength({ parts }: Cuttable): number | undefined {
  const lengths = parts.filter(({ flat }) => !flat).map(({ length }) => length);
  if (new Set(lengths).size > 1) {
    throw laplaceError('InvalidInput', {
      what: 'The inputs have different lengths',
      field: 'x',
      found: `${lengths.join(', ')} examples`,
      expected: 'the same first dimension',
    });
  }
  return lengths[0];
}

/** Throws `InvalidInput` if the numbers of a flat array are not N rows. */
function checkRows({ parts }: Cuttable, N: number): void {
  const uneven = parts.find(({ flat, length }) => flat && (N === 0 || length % N !== 0));
  if (uneven === undefined) return;
  throw laplaceError('InvalidInput', {
    what: `The numbers of ${uneven.field} are not as many for each example`,
    field: uneven.field,
    found: `a flat array of ${uneven.length} numbers for ${N} examples`,
    expected: `a multiple of ${N}`,
  });
}

function checkLabels({ parts }: Cuttable, N: number): void {
  const wrong = parts.find(({ length }) => length !== N);
  if (wrong === undefined) return;
  throw laplaceError('InvalidLabels', {
    what: 'There is not one label for each example',
    field: wrong.field,
    found: `${wrong.length} labels`,
    expected: `${N} labels`,
  });
}

function checkWeights({ parts }: Cuttable, N: number): void {
  const [part, ...others] = parts as readonly [Part, ...Part[]];
  if (others.length === 0 && part.vector && part.length === N) return;
  throw laplaceError('InvalidInput', {
    what: 'There is not one weight for each example',
    field: 'weights',
    found: part.vector ? `${part.length} weights` : 'more than one number for an example',
    expected: `a list of ${N} numbers`,
  });
}

const ranges = (N: number, size: number) =>
  Array.from({ length: Math.ceil(N / size) }, (_, i) => ({ start: i * size, count: Math.min(size, N - i * size), N }));
