/** Inputs that are asked for one by one. */
import { Observable } from 'rxjs';

/**
 * A stream of the values of an iterable or an async iterable that asks for each when the one before has come to its turn: for sources
 * without end, and for those that hold something while a value waits. Emits functions, as `inputBatches` does; an operator that takes
 * functions (`predict`, `predictRunning`, `observe` with `accumulateFactors`) calls each when its turn comes, which asks for the next.
 *
 * A value may be a function itself: what it makes is then freed after use, as everywhere. Tensors that the iterable made stay its own.
 * Unsubscribing ends the iteration; an error of the iterable is that of the stream.
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
    /** Emits a value and waits until it is called for, or nobody will call any more. */
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
      for await (const value of iterable) {
        if (!subscriber.closed) await calledFor(value);
        if (subscriber.closed) return;
      }
      subscriber.complete();
    };
    iterate().catch((error: unknown) => subscriber.error(error));
  });
