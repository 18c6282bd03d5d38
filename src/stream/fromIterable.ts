/** A stream that asks its source for each value only when the value before has been used. */
import { Observable } from 'rxjs';
import { hasFields, type Kind, ofKind } from '../codec/index.js';
import { orThrow } from '../orThrow.js';

const ITERABLE: Kind<object> = {
  name: 'an iterable of batches',
  is: (value): value is object => Symbol.iterator in Object(value) || Symbol.asyncIterator in Object(value),
  remedies: [
    { is: hasFields('iterator'), remedy: 'For a tf.data.Dataset use fromDataset.' },
    { is: (value) => typeof value === 'function', remedy: 'Call the generator function: fromIterable(generate()).' },
  ],
};

/**
 * A stream of the values of an iterable or an async iterable, for sources without end and for sources whose values hold memory.
 * The stream emits functions, as `inputBatches` does. An operator that takes functions (`predict`, `predictRunning`, `observe`
 * with `accumulateFactors`) calls each function when its turn comes, and that call asks the iterable for the next value.
 *
 * A value may itself be a function. The tensors that such a function makes are freed after use, as everywhere. Tensors that the
 * iterable yields still belong to the caller. Unsubscribing ends the iteration. An error of the iterable becomes the error of the
 * stream.
 *
 * @example
 * ```ts
 * import { lastValueFrom, take, toArray } from 'rxjs';
 * import { fromIterable } from 'tfjs-laplace';
 *
 * function* measurements() {
 *   for (let i = 0; ; i++) yield [[i, i * i]];
 * }
 * // A consumer that calls what it gets, as `predict` does. `from(measurements())` would never return.
 * const taken: number[][][] = [];
 * await new Promise((done) => {
 *   const subscription = fromIterable(measurements()).subscribe((next) => {
 *     if (taken.push(next()) === 3) queueMicrotask(() => done(subscription.unsubscribe()));
 *   });
 * });
 * taken; // => [[[0, 0]], [[1, 1]], [[2, 4]]]
 * ```
 */
export const fromIterable = <A extends object>(
  iterable: Iterable<A | (() => A)> | AsyncIterable<A | (() => A)>,
): Observable<() => A> =>
  new Observable((subscriber) => {
    /** Emits a function for a value, and waits until the function is called or nobody listens any more. */
    const calledFor = (value: A | (() => A)): Promise<void> =>
      new Promise((resolve) => {
        subscriber.add(resolve);
        subscriber.next(() => {
          subscriber.remove(resolve);
          resolve();
          return typeof value === 'function' ? value() : value;
        });
      });
    const iterate = async (): Promise<void> => {
      for await (const value of orThrow(ofKind('fromIterable', ITERABLE, iterable)) as typeof iterable) {
        if (!subscriber.closed) await calledFor(value);
        if (subscriber.closed) return;
      }
      subscriber.complete();
    };
    iterate().catch((error: unknown) => subscriber.error(error));
  });
