/**
 * Subscribers that throw, and subscriptions that end at any moment: nothing stays on the device, no rejection goes unhandled, and the error
 * of a subscriber is told once. (Sources and consumers that fail: `stream/operators`.)
 */
import * as tf from '@tensorflow/tfjs';
import { concat, config, EMPTY, from, lastValueFrom, NEVER, type Observable, type OperatorFunction, of, tap } from 'rxjs';
import {
  accumulateFactors,
  batches,
  ekfac,
  type Factors,
  features,
  functionSampling,
  kfac,
  linearised,
  mapSamples,
  observe,
  type Posterior,
  predict,
  predictRunning,
  sampleFunctions,
  sampleModels,
  toPosterior,
  tune,
  weightSampling,
} from 'tfjs-laplace';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import { rejection } from '../support/errors.js';
import { pass } from '../support/factors.js';
import { expectNoLeak, settled, turn } from '../support/memory.js';
import { chain, dataOf, pair } from '../support/networks.js';

const classes = pair('classes, softmax inside');
let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };
let factors: Factors;
let posterior: Posterior;
const unhandled: unknown[] = [];
const hear = (reason: unknown): void => void unhandled.push(reason);

beforeAll(async () => {
  model = chain(classes);
  data = dataOf(classes, 12);
  factors = await pass(model, classes.likelihood, data);
  posterior = await lastValueFrom(of(factors).pipe(toPosterior()));
  process.on('unhandledRejection', hear);
});
afterAll(() => void process.off('unhandledRejection', hear));
afterEach(async () => {
  await settled();
  expect(unhandled.splice(0)).toEqual([]);
});

const dispose = (value: unknown): void => {
  if (value instanceof tf.Sequential || value instanceof tf.LayersModel) value.dispose();
};
const sources = () => from(batches(data, 4));
const observed = () => sources().pipe(observe(model, classes.likelihood));
const inputs = () => from([data.x, data.x, data.x]);
/** A stream whose source ends as `end` does: at once, or never. */
const through =
  <A, B>(source: () => Observable<A>, operator: () => OperatorFunction<A, B>) =>
  (end: Observable<never>): Observable<unknown> =>
    concat(source(), end).pipe(operator());

const STREAMS: ReadonlyArray<[string, (end: Observable<never>) => Observable<unknown>]> = [
  ['observe', through(sources, () => observe(model, classes.likelihood))],
  ['accumulateFactors', through(observed, () => accumulateFactors(kfac()))],
  ['accumulateFactors, ekfac', through(observed, () => accumulateFactors(ekfac()))],
  ['toPosterior', through(() => of(factors, { ...factors }), toPosterior)],
  [
    'toPosterior, workers',
    through(
      () => of(factors),
      () => toPosterior({ engine: workerEngine({ workers: 1 }) }),
    ),
  ],
  ['predict', through(inputs, () => predict(model, posterior))],
  ['predict, weightSampling', through(inputs, () => predict(model, posterior, weightSampling({ samples: 3 })))],
  ['predict, functionSampling', through(inputs, () => predict(model, posterior, functionSampling({ samples: 3 })))],
  ['predictRunning', through(inputs, () => predictRunning(model, posterior, weightSampling({ samples: 3 })))],
  ['features', through(inputs, () => features(model))],
  ['sampleFunctions', through(inputs, () => sampleFunctions(model, posterior, { samples: 3 }))],
  [
    'sampleModels',
    through(
      () => of(posterior),
      () => sampleModels(model, { samples: 4 }),
    ),
  ],
  [
    'mapSamples',
    through(
      () => of(posterior),
      () => mapSamples(model, { samples: 4 }, (_, s) => s),
    ),
  ],
  [
    'tune',
    through(
      () => of(posterior),
      () => tune(model, batches(data, 6), { precisions: [1, 10] }),
    ),
  ],
];

/** Moments at which a subscription ends: after so many turns of the promise queue, or of the event loop. */
const TICKS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144];
const TURNS = [1, 2, 3, 5];
const ticks = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn();
};
const MOMENTS = [...TICKS.map((count) => () => ticks(count)), ...TURNS.map((count) => () => turns(count))];

describe.each(STREAMS)('%s', (_, stream) => {
  it('leaves nothing wherever it is left', async () => {
    await expectNoLeak(async () => {
      for (const moment of MOMENTS) {
        const subscriptions = [EMPTY, NEVER].map((end) => stream(end).pipe(tap(dispose)).subscribe());
        await moment();
        for (const subscription of subscriptions) subscription.unsubscribe();
      }
    });
  });

  it('leaves nothing when its subscriber throws, and goes on: RxJS tells the error', async () => {
    const told: unknown[] = [];
    config.onUnhandledError = (error) => void told.push(error);
    const boom = new Error('boom');
    try {
      await expectNoLeak(async () => {
        told.length = 0;
        const seen = await new Promise<number>((resolve, reject) => {
          let count = 0;
          stream(EMPTY).subscribe({
            next: (value) => {
              dispose(value);
              count++;
              throw boom;
            },
            error: reject,
            complete: () => resolve(count),
          });
        });
        await settled();
        expect(told).toEqual(Array(seen).fill(boom));
        expect(seen).toBeGreaterThan(0);
      });
    } finally {
      config.onUnhandledError = null;
    }
  });
});

it.each<[string, (onProgress: () => never) => Observable<unknown>]>([
  ['accumulateFactors', (onProgress) => observed().pipe(accumulateFactors(kfac(), { onProgress }))],
  ['toPosterior', (onProgress) => of(factors).pipe(toPosterior({ onProgress }))],
  ['predict', (onProgress) => inputs().pipe(predict(model, posterior, linearised(), { onProgress }))],
  ['tune', (onProgress) => of(posterior).pipe(tune(model, batches(data, 6), { precisions: [1, 10] }, { onProgress }))],
])('%s ends with the error of a listener to progress', async (_, stream) => {
  const boom = new Error('boom');
  const fail = (): never => {
    throw boom;
  };
  await expectNoLeak(async () => expect(await rejection(lastValueFrom(stream(fail)))).toBe(boom));
});
