/** Passes that are cut off and go on: the same bits, wherever it was; and what a checkpoint refuses. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { catchError, concat, concatMap, firstValueFrom, from, lastValueFrom, of, take, throwError } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Checkpoint,
  type Curvature,
  diagonal,
  ekfac,
  encodeFactors,
  type Factors,
  gaussian,
  kfac,
  kfra,
  lowRank,
  monteCarlo,
  observe,
  type Progress,
  toPosterior,
} from 'tfjs-laplace';
import { checkpoint, loadFactors, savePosterior } from 'tfjs-laplace/plugins/storage';
import { expectSameFactors } from '../../support/factors.js';
import { keptOf } from '../../support/kept.js';
import { right } from '../../support/math/laplace.js';
import { normalSource, take as numbers } from '../../support/math/monteCarlo.js';
import { chain, inputsFor } from '../../support/math/networks.js';
import { FLOAT32 } from '../../support/math/numbers.js';

let folder: string;
let model: tf.LayersModel;
beforeAll(() => {
  model = chain([4, 2]);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const [N, SIZE, EVERY] = [40, 3, 4];
const data = () => ({ x: inputsFor(model, N, 3)[0] as tf.Tensor, y: tf.tensor2d(numbers(2 * N, normalSource(4)), [N, 2]) });
const COUNT = Math.ceil(N / SIZE);

const sums = (
  source: ReturnType<typeof batches>,
  curvature: Curvature,
  own?: Checkpoint,
  onProgress?: (event: Progress) => void,
) =>
  from(source).pipe(
    observe(model, gaussian()),
    accumulateFactors(curvature, { ...(own && { checkpoint: own }), ...(onProgress && { onProgress }) }),
  );

/** Cuts a pass off after some batches: the source fails then. */
async function cutOff(after: number, curvature: Curvature, own: Checkpoint): Promise<void> {
  const source = concat(
    from(batches(data(), SIZE)).pipe(take(after)),
    throwError(() => new Error('the power is gone')),
  );
  const stream = source.pipe(observe(model, gaussian()), accumulateFactors(curvature, { checkpoint: own }));
  await expect(lastValueFrom(stream)).rejects.toThrow('the power is gone');
}

const bytesOf = (factors: Factors): Uint8Array => right(encodeFactors(factors));
const at = (): Checkpoint => checkpoint(`file://${folder}`, { every: EVERY });

describe.each<[string, Curvature]>([
  ['kfac', kfac()],
  ['kfac with draws', kfac({ fisher: monteCarlo({ samples: 2, seed: 5 }) })],
  ['kfac with shares', kfac({ noise: 'perOutput' })],
  ['the last layer', kfac({ layers: 'last' })],
  ['diagonal', diagonal()],
  ['kfra', kfra()],
  ['low rank', lowRank({ rank: 1 })],
])('%s', (_, curvature) => {
  it('has the same bits wherever it was cut off, once or again and again', async () => {
    const whole = bytesOf(await lastValueFrom(sums(batches(data(), SIZE), curvature, at())));
    for (let after = 0; after <= COUNT; after++) {
      await cutOff(after, curvature, at());
      expect(existsSync(join(folder, 'checkpoint.safetensors'))).toBe(after >= EVERY);
      expect(bytesOf(await lastValueFrom(sums(batches(data(), SIZE), curvature, at())))).toEqual(whole);
      expect(readdirSync(folder)).toEqual([]);
    }
    for (let after = 2; after <= COUNT; after += 3) await cutOff(after, curvature, at());
    expect(bytesOf(await lastValueFrom(sums(batches(data(), SIZE), curvature, at())))).toEqual(whole);
  });

  it('is near a pass without checkpoints, whose sums are cut elsewhere', async () => {
    const plain = await lastValueFrom(sums(batches(data(), SIZE), curvature));
    const own = await lastValueFrom(sums(batches(data(), SIZE), curvature, at()));
    expect(own.count).toBe(plain.count);
    expect(own.datasetSize).toBe(plain.datasetSize);
    expect(own.batches).toBeUndefined();
    // Sums of float32 products, in another order. Draws go with the batch's number, and are the same.
    expectSameFactors(own, plain, FLOAT32);
  });
});

it('writes no more often than asked for, and has the same bits', async () => {
  const rarely = () => checkpoint(`file://${folder}`, { every: EVERY, seconds: 1e9 });
  const whole = bytesOf(await lastValueFrom(sums(batches(data(), SIZE), kfac(), at())));
  await cutOff(COUNT - 1, kfac(), rarely());
  // The first sums were written, and none after them.
  expect((await loadFactors(`file://${folder}/checkpoint.safetensors`)).batches).toBe(EVERY);
  expect(bytesOf(await lastValueFrom(sums(batches(data(), SIZE), kfac(), rarely())))).toEqual(whole);
});

it('reads only the batches that are not in its sums, and counts them on', async () => {
  await cutOff(9, kfac(), at());
  expect((await loadFactors(`file://${folder}/checkpoint.safetensors`)).batches).toBe(8);
  const read: number[] = [];
  const source = batches(data(), SIZE).map((batch, i) => () => {
    read.push(i);
    return typeof batch === 'function' ? batch() : batch;
  });
  const done: number[] = [];
  await lastValueFrom(sums(source as never, kfac(), at(), (event) => done.push(event.done)));
  expect([...new Set(read)]).toEqual(Array.from({ length: COUNT - 8 }, (_, i) => 8 + i));
  expect(done).toEqual(Array.from({ length: COUNT - 8 }, (_, i) => 9 + i));
});

describe.each([12, 13])('%i batches, of which the last section has some or none', (count) => {
  const some = () => batches(data(), SIZE).slice(0, count);
  const failing = (own: Checkpoint) =>
    lastValueFrom(
      concat(
        from(some()),
        throwError(() => new Error('gone')),
      ).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: own })),
    ).catch(() => {});

  it('tells another curvature and other weights before the work begins', async () => {
    await failing(at());
    await expect(lastValueFrom(sums(some(), diagonal(), at()))).rejects.toMatchObject({ kind: 'Mismatch' });
    const other = chain([4, 2]);
    other.setWeights(other.getWeights().map((w) => tf.mul(w, 1.5)));
    let observed = 0;
    const stream = from(some()).pipe(
      observe(other, gaussian()),
      accumulateFactors(kfac(), { checkpoint: at(), onProgress: () => observed++ }),
    );
    await expect(lastValueFrom(stream)).rejects.toMatchObject({ kind: 'Mismatch', field: 'fingerprint' });
    expect(observed).toBe(0);
  });

  it('goes on at its very end, and is gone when the first value has come', async () => {
    await failing(at());
    const whole = await firstValueFrom(sums(some(), kfac(), at()));
    expect(whole.count).toBe(SIZE * count);
    expect(whole.batches).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not take one part for another', async () => {
    const monday = (part: string | undefined) =>
      lastValueFrom(
        concat(
          from(some()),
          throwError(() => new Error('gone')),
        ).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: at(), ...(part !== undefined && { part }) })),
      );
    await expect(monday('monday')).rejects.toThrow('gone');
    await expect(monday('tuesday')).rejects.toMatchObject({ kind: 'Mismatch', field: 'part' });
    await expect(monday(undefined)).rejects.toMatchObject({ kind: 'Mismatch', field: 'part' });
    const found = await lastValueFrom(
      from(some()).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: at(), part: 'monday' })),
    );
    expect(found.parts).toEqual([{ dataset: 'monday', first: 0, end: found.count }]);
  });
});

it('gives what it has when it fails, whether a section is open or not', async () => {
  for (const after of [2, EVERY, EVERY + 1]) {
    let gathered: Factors | undefined;
    const onFailure = (factors: Factors): void => {
      gathered = factors;
    };
    const stream = concat(
      from(batches(data(), SIZE)).pipe(take(after)),
      throwError(() => new Error('gone')),
    ).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: at(), part: 'monday', onFailure }));
    await expect(lastValueFrom(stream)).rejects.toThrow('gone');
    expect([gathered?.count, gathered?.batches, gathered?.parts]).toEqual([
      SIZE * after,
      undefined,
      [{ dataset: 'monday', first: 0, end: SIZE * after }],
    ]);
    await at().clear();
  }
});

it('frees the device if nobody listens any more while a checkpoint is being read', async () => {
  await cutOff(9, kfac(), at());
  const own = data();
  await lastValueFrom(from(batches(own, SIZE)).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
  const { numTensors } = tf.memory();
  const slow: Checkpoint = { ...at(), load: async () => new Promise((resolve) => setTimeout(() => resolve(undefined), 30)) };
  const subscription = from(batches(own, SIZE))
    .pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: slow }))
    .subscribe();
  await new Promise((resolve) => setTimeout(resolve, 10));
  subscription.unsubscribe();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(tf.memory().numTensors).toBe(numTensors);
});

it('takes what a checkpoint of one’s own gives for what it is', async () => {
  const own = (load: () => Promise<unknown>): Checkpoint => ({ ...at(), load: load as Checkpoint['load'] });
  expect(
    (
      await lastValueFrom(
        sums(
          batches(data(), SIZE),
          kfac(),
          own(async () => null),
        ),
      )
    ).count,
  ).toBe(N);
  await expect(
    lastValueFrom(
      sums(
        batches(data(), SIZE),
        kfac(),
        own(async () => ({ batches: 2 })),
      ),
    ),
  ).rejects.toMatchObject({
    kind: 'InvalidInput',
  });
  const whole = await lastValueFrom(sums(batches(data(), SIZE), kfac()));
  await expect(
    lastValueFrom(
      sums(
        batches(data(), SIZE),
        kfac(),
        own(async () => whole),
      ),
    ),
  ).rejects.toMatchObject({
    kind: 'Mismatch',
    field: 'checkpoint',
  });
});

it('removes what a process that was killed has left behind', async () => {
  writeFileSync(join(folder, 'checkpoint.safetensors.0.part'), 'half');
  writeFileSync(join(folder, 'other.safetensors.0.part'), 'not ours');
  await lastValueFrom(sums(batches(data(), SIZE), kfac(), at()));
  expect(readdirSync(folder)).toEqual(['other.safetensors.0.part']);
});

describe('refuses', () => {
  it('other weights, another curvature, fewer batches', async () => {
    await cutOff(9, kfac(), at());
    await expect(lastValueFrom(sums(batches(data(), SIZE), diagonal(), at()))).rejects.toMatchObject({ kind: 'Mismatch' });
    await expect(lastValueFrom(sums(batches(data(), SIZE).slice(0, 5), kfac(), at()))).rejects.toMatchObject({
      kind: 'Mismatch',
      field: 'checkpoint',
    });
    const weights = model.getWeights().map((w) => tf.clone(w));
    model.setWeights(weights.map((w) => tf.mul(w, 1.5)));
    await expect(lastValueFrom(sums(batches(data(), SIZE), kfac(), at()))).rejects.toMatchObject({
      kind: 'Mismatch',
      field: 'fingerprint',
    });
    model.setWeights(weights);
    // The checkpoint is still there.
    expect((await lastValueFrom(sums(batches(data(), SIZE), kfac(), at()))).count).toBe(N);
  });

  it('a damaged file, and a file of something else', async () => {
    await cutOff(9, kfac(), at());
    const path = join(folder, 'checkpoint.safetensors');
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    await expect(lastValueFrom(sums(batches(data(), SIZE), kfac(), at()))).rejects.toMatchObject({ kind: 'InvalidFile' });
    await savePosterior((await keptOf('kronecker')).posterior, `file://${path}`);
    await expect(lastValueFrom(sums(batches(data(), SIZE), kfac(), at()))).rejects.toMatchObject({
      kind: 'InvalidFile',
      field: 'kind',
    });
  });

  it('ekfac without a basis, and places that are no files', async () => {
    const stream = () => lastValueFrom(sums(batches(data(), SIZE), ekfac(), at()));
    await expect(Promise.resolve().then(stream)).rejects.toMatchObject({ kind: 'InvalidOption', field: 'checkpoint' });
    for (const where of ['indexeddb://pass', 'out/pass', 'file://', 3])
      expect(() => checkpoint(where as string)).toThrow(/file:/);
    expect(() => checkpoint('file://out', { every: 0 })).toThrow(/every/);
    expect(() => checkpoint('file://out', { seconds: -1 })).toThrow(/seconds/);
    expect(() => checkpoint('file://out', { minutes: 3 } as never)).toThrow(/minutes/);
  });
});

it('works for ekfac with a basis', async () => {
  const basis = await lastValueFrom(sums(batches(data(), SIZE), kfac()).pipe(toPosterior()));
  const pass = (own: Checkpoint, failing: number | undefined) => {
    const source = from(batches(data(), SIZE));
    const cut =
      failing === undefined
        ? source
        : concat(
            source.pipe(take(failing)),
            throwError(() => new Error('gone')),
          );
    return lastValueFrom(cut.pipe(observe(model, gaussian()), accumulateFactors(ekfac(), { basis, checkpoint: own })));
  };
  const whole = bytesOf(await pass(at(), undefined));
  await pass(at(), 9).catch(() => {});
  expect(bytesOf(await pass(at(), undefined))).toEqual(whole);
});

it('leaves nothing on the device when it is cut off or ended', async () => {
  const own = data();
  const go = (): Promise<unknown> =>
    lastValueFrom(from(batches(own, SIZE)).pipe(observe(model, gaussian()), accumulateFactors(kfac(), { checkpoint: at() })));
  await go();
  const { numTensors } = tf.memory();
  await go();
  const failing = concat(
    from(batches(own, SIZE)).pipe(take(6)),
    throwError(() => new Error('gone')),
  ).pipe(
    observe(model, gaussian()),
    accumulateFactors(kfac(), { checkpoint: at() }),
    catchError(() => of(undefined)),
    concatMap((value) => of(value)),
  );
  await lastValueFrom(failing);
  expect(tf.memory().numTensors).toBe(numTensors);
});

/** How many times the process is killed. `KILLS=100` takes some minutes. */
const KILLS = Number(process.env.KILLS ?? 3);

it(`has the same bits after the process was killed at ${KILLS} random moments`, async () => {
  const result = join(folder, 'result.safetensors');
  const start = (place: string): ChildProcess =>
    spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'pass.ts'), place, result], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('exit', resolve));
  await ended(start(join(folder, 'whole')));
  const whole = readFileSync(result);
  const normal = normalSource(7);
  for (let kills = 0; kills < KILLS; ) {
    rmSync(result, { force: true });
    const child = start(join(folder, 'cut'));
    const end = ended(child);
    await new Promise<void>((resolve) => {
      child.stdout?.once('data', () => resolve());
      child.once('exit', () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, 60 * Math.abs(normal())));
    if (child.kill('SIGKILL')) kills++;
    await end;
  }
  await ended(start(join(folder, 'cut')));
  expect(readFileSync(result).equals(whole)).toBe(true);
}, 3_600_000);
