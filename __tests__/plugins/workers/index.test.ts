/** Linear algebra in workers: the same numbers, a free event loop, and nothing left behind. */
import type { either as E, taskEither as TE } from 'fp-ts';
import { lastValueFrom, of } from 'rxjs';
import { type Factors, type Matrix, type Progress, toPosterior, wasmEngine } from 'tfjs-laplace';
import type { LinalgSession } from 'tfjs-laplace/extend';
import { workerEngine } from 'tfjs-laplace/plugins/workers';
import { gaussianMatrix, orThrow, rectangle, withSpectrum } from '../../linalg/matrices.js';
import { pass } from '../../support/factors.js';
import { expectNoLeak, turn } from '../../support/memory.js';
import { chain, dataOf, pair } from '../../support/networks.js';

const here = orThrow(wasmEngine());

/** Workers that live: each holds one port. */
const alive = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;

/** Waits until no worker lives: for ever if one stays. */
async function ended(): Promise<void> {
  while (alive() > 0) await turn();
}

afterEach(ended);

/** Runs with a session, and closes it. */
async function inSession<A>(run: (session: LinalgSession) => Promise<A>, workers = 2): Promise<A> {
  const session = workerEngine({ workers }).open();
  return run(session).finally(() => session.close());
}

const result = async <L, A>(task: TE.TaskEither<L, A>): Promise<A> => orThrow((await task()) as E.Either<never, A>);

describe('a session', () => {
  it('gives what the engine of this thread gives, to the last bit', async () => {
    const a = withSpectrum(
      Array.from({ length: 70 }, (_, i) => 1 + i),
      1,
    );
    const b = rectangle(70, 3, 2);
    await inSession(async (session) => {
      expect(await session.symmetricEigen(a)()).toEqual(here.symmetricEigen(a));
      expect(await session.cholesky(a)()).toEqual(here.cholesky(a));
      expect(await session.logDeterminant(a)()).toEqual(here.logDeterminant(a));
      expect(await session.multiply(a, b)()).toEqual(here.multiply(a, b));
      const l = orThrow(here.cholesky(a));
      expect(await session.triangularSolve(l, b)()).toEqual(here.triangularSolve(l, b));
      const options = { transposed: true };
      expect(await session.triangularSolve(l, b, options)()).toEqual(here.triangularSolve(l, b, options));
    });
  });

  it('does float32 too', async () => {
    const a = gaussianMatrix(50, 1);
    const session = workerEngine({ float: 'float32' }).open();
    expect(await session.symmetricEigen(a)()).toEqual(orThrow(wasmEngine({ float: 'float32' })).symmetricEigen(a));
    session.close();
  });

  it('has any number of matrices done by few workers, and leaves those alone', async () => {
    const all = Array.from({ length: 9 }, (_, i) => gaussianMatrix(20 + 10 * i, i));
    const before = structuredClone(all);
    let most = 0;
    const found = await inSession((session) =>
      Promise.all(
        all.map(async (a) => {
          const eigen = await result(session.symmetricEigen(a));
          most = Math.max(most, alive());
          return eigen;
        }),
      ),
    );
    expect(found).toEqual(all.map((a) => orThrow(here.symmetricEigen(a))));
    expect(most).toBe(2);
    expect(all).toEqual(before);
  });

  it('refuses what any engine refuses, without a worker', async () => {
    await inSession(async (session) => {
      const broken = { rows: 1, cols: 1, data: Float64Array.of(Number.NaN) };
      expect(await session.symmetricEigen(broken)()).toMatchObject({ left: { kind: 'NotFinite' } });
      expect(await session.cholesky({ rows: 1, cols: 2, data: new Float64Array(2) })()).toMatchObject({
        left: { kind: 'InvalidInput' },
      });
      expect(alive()).toBe(0);
      expect(await session.cholesky({ rows: 1, cols: 1, data: Float64Array.of(-1) })()).toMatchObject({
        left: { kind: 'NotPositiveDefinite' },
      });
    });
  });

  it('leaves the event loop free', async () => {
    const a = gaussianMatrix(300, 1);
    await inSession(async (session) => {
      // The worker starts now, so that the turns below are turns of a decomposition.
      await result(session.symmetricEigen(gaussianMatrix(2, 1)));
      let decomposed = false;
      const decomposition = result(session.symmetricEigen(a)).finally(() => {
        decomposed = true;
      });
      await turn();
      // Had this thread decomposed, it would have had no turn before the end.
      expect(decomposed).toBe(false);
      await decomposition;
    }, 1);
  });

  it('that is closed ends what is under way and what waits, and takes no more', async () => {
    const session = workerEngine({ workers: 1 }).open();
    const closed = { left: { _tag: 'LaplaceError', kind: 'Backend', message: expect.stringMatching(/ended|closed/) } };
    await result(session.symmetricEigen(gaussianMatrix(2, 1)));
    // The worker, which has started, gets the first task with this turn; the second waits for it.
    const tasks = [900, 20].map((n) => session.symmetricEigen(gaussianMatrix(n, 1))());
    await turn();
    session.close();
    for (const task of tasks) expect(await task).toMatchObject(closed);
    await ended();
    session.close();
    expect(await session.multiply(gaussianMatrix(2, 1), gaussianMatrix(2, 1))()).toMatchObject(closed);
  });

  it('that is never used holds nothing', async () => {
    const session = workerEngine().open();
    session.close();
    expect(await session.cholesky(gaussianMatrix(2, 1))()).toMatchObject({ left: { kind: 'Backend' } });
  });
});

describe('toPosterior', () => {
  const classes = pair('classes, softmax inside');
  let factors: Factors;
  beforeAll(async () => {
    factors = await pass(chain(classes), classes.likelihood, dataOf(classes, 8));
  });

  /** The factors with another A of the first layer. */
  const withInput = (change: (input: Matrix) => Matrix): Factors => {
    const [first, ...others] = factors.layers;
    if (first?.structure !== 'kronecker') throw new Error('expected two factors');
    const parts = { ...first.parts, input: change(first.parts.input) };
    return { ...factors, layers: [{ ...first, parts }, ...others] };
  };

  it('builds the same posterior, to the last bit, and tells of the engine and of each layer', async () => {
    const events: Progress[] = [];
    const onProgress = (event: Progress) => void events.push(event);
    const engine = workerEngine({ workers: 2 });
    const found = await lastValueFrom(of(factors).pipe(toPosterior({ engine, onProgress })));
    expect(found).toEqual(await lastValueFrom(of(factors).pipe(toPosterior({ engine: 'wasm' }))));
    expect(events.map(({ done, total }) => [done, total])).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(events.map(({ detail }) => detail).sort()).toEqual(['engine: wasm', 'hidden', 'outputs']);
  });

  it('one after another, by one engine', async () => {
    const posteriors: unknown[] = [];
    await of(factors, factors)
      .pipe(toPosterior({ engine: workerEngine({ workers: 1 }) }))
      .forEach((posterior) => posteriors.push(posterior));
    expect(posteriors).toHaveLength(2);
    expect(posteriors[0]).toEqual(posteriors[1]);
  });

  it('passes errors on, and ends the workers', async () => {
    const broken = withInput((input) => ({ ...input, data: input.data.map((v) => -v) }));
    const built = lastValueFrom(of(broken).pipe(toPosterior({ engine: workerEngine() })));
    await expect(built).rejects.toMatchObject({ kind: 'InvalidInput', field: 'input' });
  });

  it('ends the workers when it is unsubscribed', async () => {
    const slow = withInput(() => gaussianMatrix(900, 1));
    const next = jest.fn();
    const subscription = of(slow)
      .pipe(toPosterior({ engine: workerEngine({ workers: 2 }) }))
      .subscribe({ next, error: next });
    while (alive() === 0) await turn();
    subscription.unsubscribe();
    await ended();
    expect(next).not.toHaveBeenCalled();
  });

  it('holds no device memory', () =>
    expectNoLeak(() => lastValueFrom(of(factors).pipe(toPosterior({ engine: workerEngine({ workers: 1 }) })))));
});

it.each([0, -1, 1.5, Number.NaN])('refuses %d workers', (workers) => {
  expect(() => workerEngine({ workers })).toThrow(expect.objectContaining({ kind: 'InvalidOption', field: 'workers' }));
});

it('is itself a value that holds nothing', () => {
  expect(workerEngine()).toMatchObject({ name: 'wasm' });
});
