/** Values through a worker: one loop, whatever the number of values and of what comes of each. */
import { from, lastValueFrom, Subject, take, toArray } from 'rxjs';
import { sequential } from '../../src/stream/sequential.js';
import { rejection } from '../support/errors.js';
import { settled } from '../support/memory.js';

/** A worker that says what happens to it. */
const watched = (steps: number, log: string[] = []) => ({
  log,
  operator: sequential<number, number>(async () => {
    log.push('open');
    return {
      run: async function* (value, index) {
        try {
          for (let step = 0; step < steps; step++) {
            log.push(`${value}.${step}`);
            // Every other step has nothing to emit.
            yield step % 2 === 0 ? index * steps + step : undefined;
          }
        } finally {
          log.push(`left ${value}`);
        }
      },
      close: () => log.push('close'),
    };
  }),
});

it('works off 20,000 values of a synchronous source in order, without deep calls', async () => {
  // Twice as many as calls can be deep.
  const count = 20_000;
  const numbers = Array.from({ length: count }, (_, i) => i);
  const { operator } = watched(1, { push: () => 0 } as never);
  expect(await lastValueFrom(from(numbers).pipe(operator, toArray()))).toEqual(numbers);
});

it('emits what comes of each value, and closes once', async () => {
  const { operator, log } = watched(3);
  expect(await lastValueFrom(from([7, 8]).pipe(operator, toArray()))).toEqual([0, 2, 3, 5]);
  expect(log).toEqual(['open', '7.0', '7.1', '7.2', 'left 7', '8.0', '8.1', '8.2', 'left 8', 'close']);
});

it('leaves the value in work at its next step, and what waits altogether', async () => {
  const { operator, log } = watched(1000);
  await lastValueFrom(from([7, 8]).pipe(operator, take(2)));
  await settled();
  expect(log).toEqual(['open', '7.0', '7.1', '7.2', 'left 7', 'close']);
});

it('leaves a value that is at a step without anything to emit', async () => {
  const log: string[] = [];
  const endless = sequential<number, number>(async () => ({
    run: async function* () {
      try {
        for (;;) yield undefined;
      } finally {
        log.push('left');
      }
    },
    close: () => log.push('close'),
  }));
  const subscription = from([1]).pipe(endless).subscribe();
  // A timer has its turn meanwhile.
  await settled();
  expect(log).toEqual([]);
  subscription.unsubscribe();
  await settled();
  expect(log).toEqual(['left', 'close']);
});

it('does not begin a value when it is left while the worker opens', async () => {
  const log: string[] = [];
  let opened: () => void = () => {};
  const slow = sequential<number, number>(async () => {
    await new Promise<void>((resolve) => {
      opened = resolve;
    });
    return {
      run: async function* () {
        log.push('run');
        yield 1;
      },
      close: () => log.push('close'),
    };
  });
  const subscription = from([1]).pipe(slow).subscribe();
  await settled();
  subscription.unsubscribe();
  opened();
  await settled();
  expect(log).toEqual(['close']);
});

it('takes values again after it has been idle', async () => {
  const { operator, log } = watched(1);
  const source = new Subject<number>();
  const seen: number[] = [];
  const ended = jest.fn();
  source.pipe(operator).subscribe({ next: (v) => seen.push(v), complete: ended });
  source.next(7);
  await settled();
  source.next(8);
  await settled();
  expect(seen).toEqual([0, 1]);
  source.complete();
  await settled();
  expect(ended).toHaveBeenCalledTimes(1);
  expect(log.filter((l) => l === 'open' || l === 'close')).toEqual(['open', 'close']);
});

it('fails with the value that fails, closed, and works no further', async () => {
  const boom = new Error('boom');
  const log: string[] = [];
  const failing = sequential<number, number>(async () => ({
    run: async function* (value) {
      log.push(`run ${value}`);
      yield value;
      if (value === 2) throw boom;
    },
    close: () => log.push('close'),
  }));
  expect(await rejection(lastValueFrom(from([1, 2, 3]).pipe(failing)))).toBe(boom);
  expect(log).toEqual(['run 1', 'run 2', 'close']);
});
