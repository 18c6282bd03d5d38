/** Sources that make each batch when its turn comes, so that no more than one batch is on the device at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { Observable } from 'rxjs';
import { type LaplaceError, laplaceError } from '../errors.js';
import { isTensor, type LabelledBatch } from '../network/inputs.js';
import { breather } from './breathe.js';
import type { BatchSource, OwnedBatch } from './observed.js';

/**
 * A whole data set of N examples, as tensors [N, …]. Several inputs come as a list, labels of several outputs as a list or by
 * name.
 */
export interface TensorData {
  readonly x: tf.Tensor | ReadonlyArray<tf.Tensor>;
  readonly y: tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor>>;
  /** How often each example counts, [N]. Without weights each counts once. */
  readonly weights?: tf.Tensor;
}

/**
 * Cuts tensors into batches of `size` examples, in order. The last batch may be smaller. Each batch is a function that slices the
 * tensors when it is called, inside the caller's `tf.tidy`. Labels of several outputs stay the list or the record that they are.
 *
 * Tensors of different lengths make a single function, which throws `InvalidInput` or `InvalidLabels`: the stream that calls it
 * ends with this error.
 *
 * @throws LaplaceError `InvalidOption` for a size that is no integer >= 1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { batches } from 'tfjs-laplace';
 *
 * batches({ x: tf.zeros([10, 2]), y: tf.zeros([10, 1]) }, 4).length; // => 3
 * ```
 */
export function batches({ x, y, weights }: TensorData, size: number): ReadonlyArray<() => LabelledBatch> {
  checkSize(size);
  const inputs = [x].flat() as tf.Tensor[];
  const examples = inputs[0]?.shape[0] ?? 0;
  const problem = otherLengths(inputs) ?? otherLabels(y, examples) ?? otherWeights(weights, examples);
  if (problem !== undefined) return [failing(problem)];
  return slices(inputs, size).map((part, i) => () => ({
    x: part(),
    y: sliceAll(y, i * size, size),
    ...(weights === undefined ? {} : { weights: slice(weights, i * size, size) }),
  }));
}

/** A batch that cannot be had. */
const failing = (problem: LaplaceError) => (): never => {
  throw problem;
};

function checkSize(size: number): void {
  if (Number.isInteger(size) && size >= 1) return;
  throw laplaceError('InvalidOption', {
    what: 'The batch size is out of range',
    field: 'size',
    found: String(size),
    expected: 'an integer >= 1',
  });
}

function otherLengths(inputs: ReadonlyArray<tf.Tensor>): LaplaceError | undefined {
  const lengths = inputs.map((t) => t.shape[0] ?? 0);
  if (new Set(lengths).size <= 1) return undefined;
  return laplaceError('InvalidInput', {
    what: 'The inputs have different lengths',
    field: 'x',
    found: `${lengths.join(', ')} examples`,
    expected: 'the same first dimension',
  });
}

function otherLabels(y: TensorData['y'], examples: number): LaplaceError | undefined {
  const other = parts(y).find(([, labels]) => labels.shape[0] !== examples);
  if (other === undefined) return undefined;
  const [field, labels] = other;
  return laplaceError('InvalidLabels', {
    what: 'There is not one label for each example',
    field,
    found: `${labels.shape[0] ?? 0} labels`,
    expected: `${examples} labels`,
  });
}

function otherWeights(weights: tf.Tensor | undefined, examples: number): LaplaceError | undefined {
  if (weights === undefined || (weights.rank === 1 && weights.shape[0] === examples)) return undefined;
  return laplaceError('InvalidInput', {
    what: 'There is not one weight for each example',
    field: 'weights',
    found: `shape [${weights.shape.join(', ')}]`,
    expected: `[${examples}]`,
  });
}

/** The labels of every output, with the names that error messages give them. */
function parts(y: TensorData['y']): ReadonlyArray<readonly [field: string, labels: tf.Tensor]> {
  if (isTensor(y)) return [['y', y]];
  return Object.entries(y).map(([key, labels]) => [Array.isArray(y) ? `y[${key}]` : `y.${key}`, labels]);
}

/** The same examples' labels of every output, in the form in which the labels were given. */
function sliceAll(y: TensorData['y'], start: number, size: number): TensorData['y'] {
  if (isTensor(y)) return slice(y, start, size);
  const sliced = Object.entries(y).map(([key, labels]) => [key, slice(labels, start, size)] as const);
  return Array.isArray(y) ? sliced.map(([, labels]) => labels) : Object.fromEntries(sliced);
}

/** Cuts inputs alone into batches of `size` examples, for `predict`. Errors are those of `batches`. */
export function inputBatches(x: TensorData['x'], size: number): ReadonlyArray<() => ReadonlyArray<tf.Tensor>> {
  checkSize(size);
  const inputs = [x].flat() as tf.Tensor[];
  const problem = otherLengths(inputs);
  return problem === undefined ? slices(inputs, size) : [failing(problem)];
}

/** Inputs of one length, cut. */
const slices = (inputs: ReadonlyArray<tf.Tensor>, size: number): ReadonlyArray<() => ReadonlyArray<tf.Tensor>> =>
  Array.from(
    { length: Math.ceil((inputs[0]?.shape[0] ?? 0) / size) },
    (_, i) => () => inputs.map((t) => slice(t, i * size, size)),
  );

const slice = (t: tf.Tensor, start: number, size: number): tf.Tensor => {
  const [N, ...rest] = t.shape as [number, ...number[]];
  return tf.slice(t, [start, ...rest.map(() => 0)], [Math.min(size, N - start), ...rest]);
};

/** The part of `tf.data.Dataset` that `fromDataset` uses. */
export interface DatasetLike {
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown, unknown>> }>;
}

/**
 * The batches of a `tf.data` dataset with elements `{ xs, ys }` (or `{ x, y }`). The stream asks for the next element once the
 * last has been used. An element's tensors are disposed after use, so that each element can be used once. Unsubscribing stops the
 * iteration.
 *
 * An element that nobody uses holds up the others. To leave elements out, use the dataset's own `skip`, `take` and `filter`.
 */
export const fromDataset = (dataset: DatasetLike): Observable<BatchSource> =>
  new Observable((subscriber) => {
    const iterate = async (): Promise<void> => {
      const breathe = breather();
      const iterator = await dataset.iterator();
      while (!subscriber.closed) {
        const { value, done } = await iterator.next();
        if (value !== null && value !== undefined) await consumed(value as LabelledBatch);
        if (done) break;
        await breathe();
      }
      subscriber.complete();
    };
    /** Emits an element, and waits until the element has been used or nobody listens any more. */
    const consumed = (value: LabelledBatch): Promise<void> =>
      new Promise((resolve) => {
        let disposed = false;
        const dispose = (): void => {
          if (disposed) return;
          disposed = true;
          subscriber.remove(dispose);
          tf.dispose(value as unknown as tf.NamedTensorMap);
          resolve();
        };
        if (subscriber.closed) {
          dispose();
          return;
        }
        subscriber.add(dispose);
        subscriber.next((): OwnedBatch => ({ batch: value, dispose }));
      });
    iterate().catch((error: unknown) => subscriber.error(error));
  });
