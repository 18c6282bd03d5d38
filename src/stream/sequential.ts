/**
 * The queue of the consuming operators. A worker is opened when the first value arrives. Values go through the worker one at a
 * time and in order. The worker is closed when the stream ends or nobody listens any more, but never while it works on a value.
 *
 * Values that arrive meanwhile wait in a list, at the cost of one reference each. One loop works off the list, so that neither
 * promises nor calls pile up.
 */
import { Observable, type OperatorFunction } from 'rxjs';
import { deviceError } from '../network/device.js';
import { breather } from './breathe.js';

/** Works on values until it is closed. */
export interface Worker<A, B> {
  /**
   * Yields the results of a value, in order. `undefined` is not emitted. If nobody listens any more, the generator is returned at
   * the next yield, also at a yield of `undefined`.
   */
  readonly run: (value: A, index: number) => AsyncGenerator<B | undefined, void>;
  readonly close: () => void;
}

/** An operator that sends every value through a worker. Rejections of `open` and `run` are errors of the stream. */
export const sequential =
  <A, B>(open: () => Promise<Worker<A, B>>): OperatorFunction<A, B> =>
  (source) =>
    new Observable((subscriber) => {
      const breathe = breather();
      const waiting = queue<A>();
      let worker: Worker<A, B> | undefined;
      let working = false;
      let index = 0;
      /** Tells the end of the source, once all values are done. */
      let ending: (() => void) | undefined;
      const close = (): void => {
        worker?.close();
        worker = undefined;
      };
      const through = async (value: A): Promise<void> => {
        worker ??= await open();
        if (subscriber.closed) return;
        for await (const result of worker.run(value, index++)) {
          if (result !== undefined) subscriber.next(result);
          await breathe();
          if (subscriber.closed) return;
        }
      };
      const work = async (): Promise<void> => {
        try {
          for (let next = waiting.take(); next !== undefined; next = waiting.take()) await through(next.value);
        } catch (error) {
          ending = () => subscriber.error(deviceError(error));
          waiting.clear();
        }
        working = false;
        // The worker is closed before anybody hears of the end.
        if (subscriber.closed || ending !== undefined) close();
        ending?.();
      };
      const start = (): void => {
        if (working) return;
        working = true;
        void Promise.resolve().then(work);
      };
      const subscription = source.subscribe({
        next: (value) => {
          waiting.add(value);
          start();
        },
        error: (error: unknown) => {
          ending = () => subscriber.error(deviceError(error));
          start();
        },
        complete: () => {
          ending = () => subscriber.complete();
          start();
        },
      });
      return () => {
        subscription.unsubscribe();
        waiting.clear();
        if (!working) close();
      };
    });

interface Node<A> {
  readonly value: A;
  next: Node<A> | undefined;
}

/** A queue, first in, first out, with operations in constant time. */
function queue<A>() {
  let first: Node<A> | undefined;
  let last: Node<A> | undefined;
  return {
    add: (value: A): void => {
      const node: Node<A> = { value, next: undefined };
      if (last === undefined) first = node;
      else last.next = node;
      last = node;
    },
    take: (): { readonly value: A } | undefined => {
      const node = first;
      first = node?.next;
      if (first === undefined) last = undefined;
      return node;
    },
    clear: (): void => {
      first = undefined;
      last = undefined;
    },
  };
}
