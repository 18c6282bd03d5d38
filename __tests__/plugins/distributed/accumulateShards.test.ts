/** Runs in this process: the sum, what is used again, what is found to be damaged, and orders of delivery. */
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { from, NEVER, Observable, tap } from 'rxjs';
import {
  accumulateShards,
  localEngine,
  runName,
  type ShardEngine,
  type ShardEvent,
  type ShardsEvent,
} from 'tfjs-laplace/plugins/distributed';
import { modelFiles } from 'tfjs-laplace/plugins/storage';
import { shardRun } from '../../../plugins/distributed/shardRun.js';
import { expectNoLeak } from '../../support/memory.js';
import { classifier, EXAMPLES, examplesFrom, type Folder, folder, onePass, ROUNDING, sumOf, worst } from './run.js';

let own: Folder;
/** The first examples of the shards that were asked for. */
let opened: number[];
beforeEach(async () => {
  own = await folder();
  opened = [];
});
afterEach(() => own.remove());

const engine = localEngine({
  open: ({ first, end }) => {
    opened.push(first);
    return examplesFrom(first, end);
  },
});
const ALL = [{ dataset: 'made up', first: 0, end: EXAMPLES }];

describe('the sum', () => {
  it.each([
    ['kfac', 'kfac'],
    ['monteCarlo', { _tag: 'kfac', fisher: { _tag: 'monteCarlo', seed: 3 } }],
    ['ekfac', { _tag: 'ekfac', fisher: { _tag: 'monteCarlo', seed: 3 } }],
    ['diagonal', 'diagonal'],
  ] as const)('is that of one pass: %s', async (_, curvature) => {
    const found = await sumOf(accumulateShards(await own.plan({ curvature }), engine));
    const whole = await onePass(curvature);
    expect([found.count, found.datasetSize, found.parts]).toEqual([EXAMPLES, EXAMPLES, ALL]);
    expect([found.factors.rows, found.factors.fingerprint]).toEqual([whole.rows, whole.fingerprint]);
    expect(worst(found.factors, whole)).toBeLessThan(curvature === 'kfac' || curvature === 'diagonal' ? ROUNDING : 10 * ROUNDING);
  });

  it('tells its progress, and leaves one file', async () => {
    const plan = await own.plan();
    const events: ShardsEvent[] = [];
    await sumOf(accumulateShards(plan, engine).pipe(tap((event) => void events.push(event))));
    expect(events.at(-1)?._tag).toBe('sum');
    expect(events.at(-2)).toMatchObject({ _tag: 'progress', done: 12, total: 12, unit: 'batches' });
    expect(readdirSync(own.at(`run/${runName(plan)}`)).sort()).toEqual(['factors.json', 'factors.safetensors']);
  });

  it('is kept: the same plan again computes nothing', async () => {
    const plan = await own.plan();
    await sumOf(accumulateShards(plan, engine));
    opened = [];
    expect((await sumOf(accumulateShards(plan, engine))).parts).toEqual(ALL);
    expect(opened).toEqual([]);
    expect(runName(await own.plan({ batchSize: 2 }))).not.toBe(runName(plan));
    expect(runName(await own.plan({ where: own.at('elsewhere') }))).toBe(runName(plan));
  });

  it('takes no memory with it', async () => {
    let i = 0;
    const run = async (): Promise<void> =>
      void (await sumOf(accumulateShards(await own.plan({ where: own.at(`run-${i++}`) }), engine)));
    await run();
    await expectNoLeak(run);
  });
});

describe('files that are there', () => {
  const damages: ReadonlyArray<readonly [string, (file: string) => void]> = [
    ['cut', (file) => truncateSync(file, 700)],
    ['empty', (file) => truncateSync(file, 0)],
    [
      'with another byte',
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 8;
        writeFileSync(file, bytes);
      },
    ],
    ['of another shard', (file) => writeFileSync(file, readFileSync(file.replace('00003', '00004')))],
  ];

  it.each(damages)('%s: only these shards are summed again', async (_, damage) => {
    const plan = await own.plan();
    const whole = await sumOf(accumulateShards(plan, engine, { keepShards: true }));
    const at = (name: string): string => own.at(`run/${runName(plan)}/${name}.safetensors`);
    truncateSync(at('factors'), 100);
    damage(at('shard-00003'));
    opened = [];
    const again = await sumOf(accumulateShards(plan, engine));
    expect(opened).toEqual([30]);
    expect(again.factors).toEqual(whole.factors);
  });
});

/** An engine that writes files in an order of its own, tells some of them twice, and fails now and then. */
const unruly = (order: ReadonlyArray<number>, failAt: number): ShardEngine => ({
  sum: (plan, shards) =>
    new Observable<ShardEvent>((listener) => {
      const work = async (): Promise<void> => {
        const run = await shardRun(plan, ({ first, end }) => examplesFrom(first, end));
        for (const [i, shard] of order.filter((one) => shards.includes(one)).entries()) {
          if (i === failAt) throw new Error('the machine is gone');
          await run.sum(shard);
          listener.next({ _tag: 'shard', shard });
          if (i % 2 === 0) listener.next({ _tag: 'shard', shard });
        }
      };
      work().then(
        () => listener.complete(),
        (error) => listener.error(error),
      );
    }),
});

it('any order of delivery, with duplicates and failures, gives the same file', async () => {
  const plan = await own.plan();
  const expected = (await sumOf(accumulateShards(plan, engine))).factors;
  let i = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      async (order, failures) => {
        const other = { ...plan, where: own.at(`order-${i++}`) };
        for (const failAt of failures) await sumOf(accumulateShards(other, unruly(order, failAt))).catch(() => {});
        expect((await sumOf(accumulateShards(other, unruly(order, -1)))).factors).toEqual(expected);
      },
    ),
    { numRuns: 12, seed: 4 },
  );
});

describe('failures', () => {
  it('a model with other weights: nothing is computed', async () => {
    const plan = await own.plan();
    const other = classifier();
    other.setWeights(other.getWeights().map((w) => w.add(1)));
    await other.save(modelFiles(own.at('model')));
    await expect(sumOf(accumulateShards(plan, engine))).rejects.toMatchObject({ kind: 'Mismatch', field: 'fingerprint' });
    expect(opened).toEqual([]);
  });

  it('a model that computes something else with the same weights: nothing is computed, and its own plan is another run', async () => {
    const plan = await own.plan();
    const bent = tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, activation: 'relu', inputShape: [3], name: 'hidden' }),
        tf.layers.dense({ units: 3, name: 'kind' }),
      ],
    });
    bent.setWeights(classifier().getWeights());
    await bent.save(modelFiles(own.at('model')));
    await expect(sumOf(accumulateShards(plan, engine))).rejects.toMatchObject({ kind: 'Mismatch', field: 'architecture' });
    expect(opened).toEqual([]);
    expect(runName(await own.plan())).not.toBe(runName(plan));
  });

  it('a range of another number of examples', async () => {
    const short = localEngine({ open: ({ first, end }) => examplesFrom(first, first === 20 ? end - 1 : end) });
    await expect(sumOf(accumulateShards(await own.plan(), short))).rejects.toMatchObject({
      kind: 'InvalidInput',
      message: expect.stringMatching(/Shard 2.*9 examples, expected 10/),
    });
  });

  it('NaN in a shard: the error names the shard', async () => {
    const bad = localEngine({
      open: ({ first, end }) => ({ ...examplesFrom(first, end), x: Array.from({ length: 10 }, () => [0, Number.NaN, 0]) }),
    });
    await expect(sumOf(accumulateShards(await own.plan(), bad))).rejects.toMatchObject({
      kind: 'NotFinite',
      message: expect.stringMatching(/Shard 0.*batch 0/),
    });
  });

  it('silence: the missing shards are named', async () => {
    const silent: ShardEngine = {
      sum: (_, shards) =>
        new Observable(
          (listener) => void from([{ _tag: 'shard', shard: shards[0] as number } as const]).subscribe((e) => listener.next(e)),
        ),
    };
    const run = accumulateShards(await own.plan(), silent, { deadline: 0.2 });
    await expect(sumOf(run)).rejects.toMatchObject({
      kind: 'NotReady',
      message: expect.stringContaining('5 of 6 shards are missing: 1, 2, 3, 4, 5'),
    });
    const never: ShardEngine = { sum: () => NEVER };
    await expect(sumOf(accumulateShards(await own.plan(), never, { deadline: 0.1 }))).rejects.toMatchObject({ kind: 'NotReady' });
  });

  it('an engine that says that it is done, and is not', async () => {
    const lying: ShardEngine = { sum: (_, shards) => from(shards.map((shard) => ({ _tag: 'shard', shard }) as const)) };
    await expect(sumOf(accumulateShards(await own.plan(), lying))).rejects.toMatchObject({
      kind: 'Storage',
      message: expect.stringContaining('6 of 6 shards'),
    });
  });

  it('options that do not exist', async () => {
    const plan = await own.plan();
    expect(() => accumulateShards(plan, engine, { deadlin: 1 } as never)).toThrow(/deadline/);
    expect(() => accumulateShards(plan, engine, { deadline: 0 })).toThrow(/deadline/);
    await expect(own.plan({ batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(own.plan({ likelihood: 'categorial' as never })).rejects.toMatchObject({ kind: 'InvalidRecipe' });
    await expect(own.plan({ model: own.at('none') })).rejects.toMatchObject({ kind: 'Storage' });
  });
});

it('unsubscribing keeps whole files, and a new run goes on', async () => {
  const plan = await own.plan();
  await new Promise<void>((resolve) => {
    const subscription = accumulateShards(plan, engine).subscribe((event) => {
      if (event._tag === 'progress' && event.done >= 4) {
        subscription.unsubscribe();
        resolve();
      }
    });
  });
  const files = readdirSync(own.at(`run/${runName(plan)}`)).filter((name) => name.endsWith('.safetensors'));
  expect(files.length).toBeGreaterThanOrEqual(1);
  expect(existsSync(own.at(`run/${runName(plan)}/factors.safetensors`))).toBe(false);
  opened = [];
  expect((await sumOf(accumulateShards(plan, engine))).count).toBe(EXAMPLES);
  expect(opened.length).toBeLessThanOrEqual(5);
});
