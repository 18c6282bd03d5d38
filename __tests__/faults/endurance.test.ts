/** Ten thousand batches: the heap, the device and the memory of the process are in the end what they were in the middle. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import { count, lastValueFrom, of } from 'rxjs';
import { accumulateFactors, fromIterable, kfac, observe, type Posterior, predict, toPosterior } from 'tfjs-laplace';
import { pass } from '../support/factors.js';
import { chain, dataOf, pair } from '../support/networks.js';
import { onWasmAlone } from '../support/wasmAlone.js';

const classes = pair('classes, softmax inside');
const BATCHES = 10_000;
/** Batches between two looks at the memory. */
const EVERY = 200;

/**
 * What a third of the looks may have on top of the third before. Between the middles of the thirds lie 3,333 batches. A leak of 100 bytes a
 * batch is 330 kB of heap: V8 keeps far less than that of code that it compiles late. Memory that the process has got back it keeps for the
 * next time, in chunks: a leak of one small tensor (a kB with what tfjs notes of it) a batch would show all the same.
 */
const MORE = { heap: 300_000, resident: 3_000_000 };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Look {
  readonly tensors: number;
  readonly bytes: number;
  readonly heap: number;
  readonly resident: number;
}

const look = (): Look => {
  collect();
  const { numTensors: tensors, numBytes: bytes } = tf.memory();
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { tensors, bytes, heap: heapUsed + external + arrayBuffers, resident: rss };
};

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/**
 * Compares the last third of the looks with the third before.
 *
 * @param waiting tensors, and bytes, that may be on the device at one look and not at another
 */
function expectFlat(looks: ReadonlyArray<Look>, waiting: { readonly tensors: number; readonly bytes: number }): void {
  const third = Math.floor(looks.length / 3);
  const of = (key: keyof Look, part: number): number =>
    median(looks.slice(part * third, (part + 1) * third).map((one) => one[key]));
  expect(third).toBeGreaterThan(10);
  for (const [key, more] of Object.entries({ ...MORE, ...waiting }) as ReadonlyArray<[keyof Look, number]>) {
    expect([key, of(key, 2) - of(key, 1) <= more, of(key, 1), of(key, 2)]).toEqual([key, true, of(key, 1), of(key, 2)]);
  }
}

onWasmAlone();

let model: tf.LayersModel;
let data: { x: tf.Tensor; y: tf.Tensor };
let posterior: Posterior;
beforeAll(async () => {
  model = chain(classes);
  data = dataOf(classes, 4);
  posterior = await lastValueFrom(of(await pass(model, classes.likelihood, data)).pipe(toPosterior()));
});

/** As many batches, each made when its turn comes. */
function* batchesOf<A>(make: () => A): Generator<() => A> {
  for (let i = 0; i < BATCHES; i++) yield make;
}

/** Looks now and then. */
function watcher(): { readonly looks: Look[]; readonly onDone: (done: number) => void } {
  const looks: Look[] = [];
  return { looks, onDone: (done) => void (done % EVERY === 0 && looks.push(look())) };
}

it('observed and summed', async () => {
  const { looks, onDone } = watcher();
  const factors = await lastValueFrom(
    fromIterable(batchesOf(() => ({ x: tf.clone(data.x), y: tf.clone(data.y) }))).pipe(
      observe(model, classes.likelihood),
      accumulateFactors(kfac(), { onProgress: ({ done }) => onDone(done) }),
    ),
  );
  expect(factors.count).toBe(4 * BATCHES);
  // Each of the four sums waits for 256 rows before it multiplies them. They come 4 or 12 at a time, of up to 6 numbers.
  expectFlat(looks, { tensors: 4 * (256 / 4), bytes: 4 * 256 * 6 * 4 });
});

it('predicted', async () => {
  const { looks, onDone } = watcher();
  const made = await lastValueFrom(
    fromIterable(batchesOf(() => tf.clone(data.x))).pipe(
      predict(model, posterior, undefined, { onProgress: ({ done }) => onDone(done) }),
      count(),
    ),
  );
  expect(made).toBe(BATCHES);
  expectFlat(looks, { tensors: 0, bytes: 0 });
});
