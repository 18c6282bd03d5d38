/** Real processes: the sum, and what happens when they are killed, throw, or have nothing to work with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accumulateShards, processEngine, runName } from 'tfjs-laplace/plugins/distributed';
import { modelFiles } from 'tfjs-laplace/plugins/storage';
import { classifier, EXAMPLES, type Folder, folder, onePass, processes, ROUNDING, sumOf, worst } from './run.js';

let own: Folder;
beforeEach(async () => {
  own = await folder();
});
afterEach(() => own.remove());

const SHARDS = [0, 10, 20, 30, 40, 50];
const sorted = (numbers: ReadonlyArray<number>): number[] => [...numbers].sort((a, b) => a - b);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('sum what one pass sums, each shard once', async () => {
  const curvature = { _tag: 'kfac', fisher: { _tag: 'monteCarlo', seed: 3 } } as const;
  const found = await sumOf(accumulateShards(await own.plan({ curvature }), processes()));
  expect([found.count, found.parts]).toEqual([EXAMPLES, [{ dataset: 'made up', first: 0, end: EXAMPLES }]]);
  expect(worst(found.factors, await onePass(curvature))).toBeLessThan(10 * ROUNDING);
  expect(sorted(own.opened())).toEqual(SHARDS);
});

it('ekfac makes two passes around one basis', async () => {
  const found = await sumOf(accumulateShards(await own.plan({ curvature: 'ekfac' }), processes()));
  expect(worst(found.factors, await onePass('ekfac'))).toBeLessThan(10 * ROUNDING);
  expect(sorted(own.opened())).toEqual(sorted([...SHARDS, ...SHARDS]));
});

describe('a process that is killed', () => {
  it('is replaced, and its shard is summed once', async () => {
    const plan = await own.plan({}, { killsAt: 30, killsOnce: own.at('killed') });
    const found = await sumOf(accumulateShards(plan, processes()));
    expect(existsSync(own.at('killed'))).toBe(true);
    expect(found.count).toBe(EXAMPLES);
    expect(worst(found.factors, await onePass())).toBeLessThan(ROUNDING);
    // One kill costs one shard.
    expect(sorted(own.opened())).toEqual(sorted([...SHARDS, 30]));
  });

  it('by the same shard every time: the run fails, and names it', async () => {
    const plan = await own.plan({}, { killsAt: 30 });
    await expect(sumOf(accumulateShards(plan, processes()))).rejects.toMatchObject({
      kind: 'Backend',
      message: expect.stringMatching(/Shard 3, examples 30 to 39 of "made up".*SIGKILL/),
    });
    expect(own.opened().filter((first) => first === 30)).toHaveLength(3);
  });
});

it('a shard that throws is not tried again: the run fails with its words, and goes on when it is started again', async () => {
  const plan = await own.plan({}, { throwsAt: 20 });
  await expect(sumOf(accumulateShards(plan, processes(1)))).rejects.toMatchObject({
    kind: 'InvalidInput',
    message: expect.stringMatching(/Shard 2.*the examples cannot be read/),
  });
  expect(own.opened()).toEqual([0, 10, 20]);
});

describe('processes that cannot begin', () => {
  it('for a model with other weights: no range is opened', async () => {
    const plan = await own.plan();
    const other = classifier();
    other.setWeights(other.getWeights().map((w) => w.add(1)));
    await other.save(modelFiles(own.at('model')));
    await expect(sumOf(accumulateShards(plan, processes()))).rejects.toMatchObject({ kind: 'Mismatch', field: 'fingerprint' });
    expect(own.opened()).toEqual([]);
  });

  it('without a data module', async () => {
    const { data, ...plan } = await own.plan();
    const without = { ...plan, data: { ...data, module: `file://${own.at('none.mjs')}` } };
    await expect(sumOf(accumulateShards(without, processes(1)))).rejects.toMatchObject({
      kind: 'InvalidOption',
      field: 'data.module',
    });
  });

  it('since their program ends at once', async () => {
    writeFileSync(own.at('empty.mjs'), 'process.exit(3);');
    const engine = processEngine({ workers: 2, program: own.at('empty.mjs') });
    await expect(sumOf(accumulateShards(await own.plan(), engine))).rejects.toMatchObject({
      kind: 'Backend',
      message: expect.stringContaining('exit code 3'),
    });
  });

  it('for options that do not exist', () => {
    expect(() => processEngine({ worker: 3 } as never)).toThrow(/workers/);
    expect(() => processEngine({ workers: 0 })).toThrow(/workers/);
  });
});

describe('the coordinator', () => {
  const coordinator = async (): Promise<ChildProcess> => {
    writeFileSync(own.at('plan.json'), JSON.stringify(await own.plan()));
    return spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'coordinator.ts'), own.at('plan.json')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };

  it('may be killed at any time: its processes end, and the next one computes only what is missing', async () => {
    const plan = await own.plan();
    const child = await coordinator();
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await gone(own.pids());
    const files = readdirSync(own.at(`run/${runName(plan)}`)).filter((name) => /^shard-.*\.safetensors$/.test(name));
    expect(files.length).toBeGreaterThan(0);
    const before = own.opened().length;
    const found = await sumOf(accumulateShards(plan, processes()));
    expect(worst(found.factors, await onePass())).toBeLessThan(ROUNDING);
    expect(found.count).toBe(EXAMPLES);
    expect(own.opened().length - before).toBe(SHARDS.length - files.length);
  });

  it('may be two at once: both have the same sum', async () => {
    const plan = await own.plan();
    const both = await Promise.all([sumOf(accumulateShards(plan, processes(1))), sumOf(accumulateShards(plan, processes(1)))]);
    expect(both.map(({ count }) => count)).toEqual([EXAMPLES, EXAMPLES]);
    expect(both[0]?.factors).toEqual(both[1]?.factors);
  });
});

/** Waits until none of these processes is there any more. */
const gone = async (pids: ReadonlyArray<number>): Promise<void> => {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
};

it('unsubscribing ends the processes, and leaves no half-written file', async () => {
  const plan = await own.plan({}, { delay: 100 });
  await new Promise<void>((resolve) => {
    const subscription = accumulateShards(plan, processes(1)).subscribe((event) => {
      // The first shard, of two batches, is there.
      if (event._tag !== 'progress' || event.done <= 2) return;
      subscription.unsubscribe();
      resolve();
    });
  });
  expect(own.pids().length).toBeGreaterThan(0);
  await gone(own.pids());
  const files = readdirSync(own.at(`run/${runName(plan)}`));
  expect(files.filter((name) => name.includes('.part'))).toEqual([]);
  expect((await sumOf(accumulateShards(plan, processes()))).count).toBe(EXAMPLES);
});
