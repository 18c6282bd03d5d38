/**
 * The shape that the consuming operators share: something is opened when the first value arrives, values go through it one at a
 * time and in order, and it is closed when the stream ends or nobody listens any more, but never under a value in work.
 */
import { Observable, type OperatorFunction } from 'rxjs';
import { deviceError } from '../network/device.js';
import { breather } from './breathe.js';

/** What is opened: works on values until it is closed. */
export interface Worker<A, B> {
  readonly run: (value: A, index: number) => Promise<B>;
  readonly close: () => void;
}

/** An operator that sends every value through a worker. Rejections of `open` and `run` are errors of the stream. */
export const sequential =
  <A, B>(open: () => Promise<Worker<A, B>>): OperatorFunction<A, B> =>
  (source) =>
    new Observable((subscriber) => {
      const breathe = breather();
      let worker: Worker<A, B> | undefined;
      let work: Promise<void> = Promise.resolve();
      let index = 0;
      const close = (): void => {
        worker?.close();
        worker = undefined;
      };
      // What was opened is closed before anybody hears of the end.
      const fail = (error: unknown): void => {
        close();
        subscriber.error(deviceError(error));
      };
      const then = (step: () => Promise<void> | void): void => {
        work = work.then(() => (subscriber.closed ? undefined : step())).catch(fail);
      };
      const subscription = source.subscribe({
        next: (value) =>
          then(async () => {
            worker ??= await open();
            subscriber.next(await worker.run(value, index++));
            await breathe();
          }),
        error: (error: unknown) => then(() => fail(error)),
        complete: () =>
          then(() => {
            close();
            subscriber.complete();
          }),
      });
      return () => {
        subscription.unsubscribe();
        void work.finally(close);
      };
    });
