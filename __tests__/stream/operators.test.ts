/**
 * What every operator does whatever its work is: nothing for a source that says nothing, an end for one that ends, the source's
 * own error, and no more work (nor memory) once nobody listens.
 */
import * as tf from '@tensorflow/tfjs';
import {
  concat,
  from,
  lastValueFrom,
  map,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import {
  accumulateFactors,
  activationSampling,
  batches,
  type Factors,
  kfac,
  mapSamples,
  type ObservedBatch,
  observe,
  type Posterior,
  predict,
  predictRunning,
  sampleModels,
  toPosterior,
  weightSampling,
} from 'tfjs-laplace';
import { expectRejection, rejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { expectNoLeak, settled } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');

let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };
let factors: Factors;
let posterior: Posterior;

beforeAll(async () => {
  model = chain(classes);
  data = dataOf(classes, 12);
  factors = await pass(model, classes.likelihood, data);
  posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
});

interface Case {
  readonly name: string;
  readonly operator: () => OperatorFunction<never, unknown>;
  /** Three values that the operator takes. */
  readonly values: () => ReadonlyArray<unknown>;
  /** How many come out of the three. */
  readonly emits: number;
  /** Whether a source without a value is an error. */
  readonly needsOne?: boolean;
  /** Values that come out are freed by whoever gets them. */
  readonly free?: (value: unknown) => void;
}

const observed = (): ReadonlyArray<ObservedBatch> => {
  const result: ObservedBatch[] = [];
  from(batches(data, 4))
    .pipe(observe(model, classes.likelihood))
    .subscribe((batch) => result.push(batch));
  return result;
};
const inputs = () => [data.x, data.x, data.x];

const CASES: ReadonlyArray<Case> = [
  { name: 'observe', operator: () => observe(model, classes.likelihood) as never, values: () => batches(data, 4), emits: 3 },
  { name: 'accumulateFactors', operator: () => accumulateFactors(kfac()) as never, values: observed, emits: 1, needsOne: true },
  { name: 'toPosterior', operator: () => toPosterior() as never, values: () => [factors, factors, factors], emits: 3 },
  { name: 'predict', operator: () => predict(model, posterior) as never, values: inputs, emits: 3 },
  {
    name: 'predict, activationSampling',
    operator: () => predict(model, posterior, activationSampling({ samples: 2 })) as never,
    values: inputs,
    emits: 3,
  },
  {
    name: 'predict, weightSampling',
    operator: () => predict(model, posterior, weightSampling({ samples: 2 })) as never,
    values: inputs,
    emits: 3,
  },
  {
    name: 'predictRunning',
    operator: () => predictRunning(model, posterior, weightSampling({ samples: 1 })) as never,
    values: inputs,
    emits: 3,
  },
  {
    name: 'sampleModels',
    operator: () => sampleModels(model, { samples: 4 }) as never,
    // A later posterior takes over: the networks of the last one are emitted.
    values: () => [posterior, posterior, posterior],
    emits: 4,
    free: (member) => (member as tf.LayersModel).dispose(),
  },
  {
    name: 'mapSamples',
    operator: () => mapSamples(model, { samples: 4 }, (_, s) => s) as never,
    values: () => [posterior, posterior, posterior],
    emits: 4,
  },
];

describe.each(CASES)('$name', ({ operator, values, emits, needsOne = false, free = () => {} }) => {
  const through = (source: Observable<unknown>): Observable<unknown> => (source as Observable<never>).pipe(operator());
  const all = (source: Observable<unknown>) => lastValueFrom(through(source).pipe(tap(free), toArray()));

  it('waits for a source that never says anything', async () => {
    const notify = jest.fn();
    const subscription = through(NEVER).subscribe({ next: notify, error: notify, complete: notify });
    await settled();
    expect(notify).not.toHaveBeenCalled();
    subscription.unsubscribe();
  });

  it('ends with an empty source', async () => {
    if (needsOne) await expectRejection(all(of()), 'Empty');
    else expect(await all(of())).toEqual([]);
  });

  it('takes one value', async () => {
    expect(await all(of(values()[0]))).toHaveLength(emits === 3 ? 1 : emits);
  });

  it('takes several', async () => {
    expect(await all(from(values()))).toHaveLength(emits);
  });

  it('hands on the error of its source', async () => {
    const boom = new Error('boom');
    expect(await rejection(all(throwError(() => boom)))).toBe(boom);
    expect(
      await rejection(
        all(
          concat(
            from(values()),
            throwError(() => boom),
          ),
        ),
      ),
    ).toBe(boom);
  });

  it('fails when a consumer does, and lets its source go', async () => {
    const boom = new Error('boom');
    const source = new Subject<unknown>();
    const failing = lastValueFrom(
      through(source).pipe(
        tap(free),
        map(() => {
          throw boom;
        }),
      ),
    );
    const caught = rejection(failing);
    for (const value of values()) source.next(value);
    if (emits === 1) source.complete();
    expect(await caught).toBe(boom);
    expect(source.observed).toBe(false);
  });

  it('lets its source go when nobody listens any more', async () => {
    const source = new Subject<unknown>();
    const seen: unknown[] = [];
    const subscription = through(source)
      .pipe(tap(free))
      .subscribe((value) => seen.push(value));
    source.next(values()[0]);
    await settled();
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
    const then = seen.length;
    source.next(values()[1]);
    await settled();
    expect(seen).toHaveLength(then);
  });

  it('leaves nothing on the device', async () => {
    await expectNoLeak(() => all(from(values())));
  });

  it('has freed everything by the time it ends', async () => {
    await all(from(values()));
    await settled();
    const before = tf.memory().numTensors;
    await all(from(values()));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves nothing on the device when it is left half-way', async () => {
    await expectNoLeak(async () => {
      const subscription = through(from(values())).pipe(tap(free)).subscribe();
      // One turn of the promise queue: the work has begun.
      await Promise.resolve();
      subscription.unsubscribe();
    });
    await expectNoLeak(() => lastValueFrom(through(from(values())).pipe(tap(free), take(1))));
  });

  it('leaves nothing on the device when its source or its consumer fails', async () => {
    const boom = new Error('boom');
    await expectNoLeak(() =>
      rejection(
        all(
          concat(
            from(values()),
            throwError(() => boom),
          ),
        ),
      ),
    );
    await expectNoLeak(() =>
      rejection(
        lastValueFrom(
          through(from(values())).pipe(
            tap(free),
            map(() => {
              throw boom;
            }),
          ),
        ),
      ),
    );
  });
});
