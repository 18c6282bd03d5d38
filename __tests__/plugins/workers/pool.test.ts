/** The pool when workers break, with workers of paper. */
import type { WasmCall, WasmModule } from 'tfjs-laplace/extend';
import { createPool } from '../../../plugins/workers/pool.js';
import type { Listener, StartThread } from '../../../plugins/workers/thread.js';

const MODULE = 'the module' as unknown as WasmModule;

const call = (name: string): WasmCall => ({ name, sizes: [1], region: Float64Array.of(1) });

/** Workers whose answers the test gives. */
function paper() {
  const workers: Array<{ readonly listener: Listener; readonly posted: unknown[]; ended: boolean }> = [];
  const start: StartThread = async (listener) => {
    const worker = { listener, posted: [] as unknown[], ended: false };
    workers.push(worker);
    return {
      post: (data) => void worker.posted.push(data),
      end: () => {
        worker.ended = true;
      },
    };
  };
  return { workers, start };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const reply = { status: 0, region: Float64Array.of(2) };

it('posts the module first, then a call, and the next one when that is answered', async () => {
  const { workers, start } = paper();
  const pool = createPool(MODULE, 1, start);
  const results = [pool.execute(call('a')), pool.execute(call('b'))];
  await turn();
  expect(workers.map((w) => w.posted)).toEqual([[MODULE, call('a')]]);
  workers[0]?.listener.answer({ reply });
  expect(await results[0]).toBe(reply);
  expect(workers.map((w) => w.posted)).toEqual([[MODULE, call('a'), call('b')]]);
  workers[0]?.listener.answer({ error: 'unreachable' });
  await expect(results[1]).rejects.toThrow('unreachable');
});

it('a worker that breaks takes its call with it; another goes on', async () => {
  const { workers, start } = paper();
  const pool = createPool(MODULE, 1, start);
  const results = [pool.execute(call('a')), pool.execute(call('b'))];
  results[0]?.catch(() => {});
  await turn();
  workers[0]?.listener.failure(new Error('out of memory'));
  await expect(results[0]).rejects.toThrow('out of memory');
  expect(workers[0]?.ended).toBe(true);
  await turn();
  expect(workers[1]?.posted).toEqual([MODULE, call('b')]);
  workers[1]?.listener.answer({ reply });
  expect(await results[1]).toBe(reply);
});

it('says why no worker starts', async () => {
  const pool = createPool(MODULE, 2, () => Promise.reject(new Error('a policy')));
  await expect(Promise.allSettled([pool.execute(call('a')), pool.execute(call('b'))])).resolves.toMatchObject([
    { reason: { message: 'a policy' } },
    { reason: { message: 'a policy' } },
  ]);
});

it('ends workers that were still starting when it was closed', async () => {
  const { workers, start } = paper();
  const pool = createPool(MODULE, 2, start);
  const result = pool.execute(call('a'));
  pool.close();
  await expect(result).rejects.toMatchObject({ kind: 'Backend' });
  await turn();
  expect(workers.map((w) => [w.posted, w.ended])).toEqual([[[], true]]);
  await expect(pool.execute(call('b'))).rejects.toMatchObject({ kind: 'Backend' });
});
