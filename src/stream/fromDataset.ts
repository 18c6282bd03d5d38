/** The batches of a `tf.data` dataset, one at a time: the next element is asked for once the last has been used and freed. */
import * as tf from '@tensorflow/tfjs-core';
import { Observable } from 'rxjs';
import { hasFields, type Kind, ofKind } from '../codec/index.js';
import type { LabelledBatch } from '../network/inputs.js';
import { orThrow } from '../orThrow.js';
import { breather } from './breathe.js';
import type { BatchSource, OwnedBatch } from './observed.js';

/** The part of `tf.data.Dataset` that `fromDataset` uses. */
export interface DatasetLike {
  iterator(): Promise<{ next(): Promise<IteratorResult<unknown, unknown>> }>;
}

const DATASET: Kind<DatasetLike> = {
  name: 'a tf.data.Dataset',
  is: (value): value is DatasetLike => typeof (value as Partial<DatasetLike> | null | undefined)?.iterator === 'function',
  remedies: [
    { is: Array.isArray, remedy: 'Batches in an array are a stream by from(array) of rxjs.' },
    { is: (value) => Symbol.iterator in Object(value) || Symbol.asyncIterator in Object(value), remedy: 'Use fromIterable.' },
    { is: hasFields('x', 'y'), remedy: 'Use from(batches({ x, y }, size)).' },
  ],
};

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
      const iterator = await orThrow(ofKind('fromDataset', DATASET, dataset)).iterator();
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
