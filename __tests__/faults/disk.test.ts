/**
 * A disk that is full, and one that cannot be written: the error is `Storage`, the former file is whole, and nothing else is left. The disk
 * is a small one in memory, which only root may mount: elsewhere these tests are skipped, and say why.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import { accumulateFactors, batches, type Factors, gaussian, kfac, observe, type Posterior, toPosterior } from 'tfjs-laplace';
import { checkpoint, loadPosterior, saveFactors, savePosterior, writeWhole } from 'tfjs-laplace/plugins/storage';
import { expectRejection } from '../support/errors.js';
import { chain, inputsFor } from '../support/math/networks.js';
import { expectNoLeak } from '../support/memory.js';

const SIZE = 64 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'disk-'));
const own = join(folder, 'small');
const where = `file://${own}`;

/** Mounts the disk. Says why it cannot. */
function mounted(): string | undefined {
  try {
    mkdirSync(own);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', own], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return String((error as { readonly stderr?: unknown }).stderr || error).trim();
  }
}
const why = mounted();
if (why !== undefined) process.stderr.write(`No disk of its own to fill, so tests of full disks are skipped: ${why}\n`);
const onDisk = why === undefined ? describe : describe.skip;
afterAll(() => {
  if (why === undefined) execFileSync('umount', [own]);
  rmSync(folder, { recursive: true });
});

/** Factors and a posterior of a chain whose hidden layer has so many units: its covariance has that many squared numbers. */
async function fitted(units: number): Promise<{ factors: Factors; posterior: Posterior }> {
  const model = chain([units, 2]);
  const source = batches({ x: inputsFor(model, 4, 3)[0] as tf.Tensor, y: tf.ones([4, 2]) }, 4);
  const factors = await lastValueFrom(from(source).pipe(observe(model, gaussian()), accumulateFactors(kfac())));
  return { factors, posterior: await lastValueFrom(of(factors).pipe(toPosterior())) };
}
/** 64 units take 64² · 8 bytes for one matrix: half of the disk, and a posterior has several. */
const [SMALL, LARGE] = [3, 64];

/** Fills a page of the disk, if there is one left. */
function takePage(page: number): boolean {
  try {
    writeFileSync(join(own, `filler-${page}`), new Uint8Array(4096));
    return true;
  } catch {
    rmSync(join(own, `filler-${page}`), { force: true });
    return false;
  }
}

beforeEach(() => {
  if (why === undefined) for (const file of readdirSync(own)) rmSync(join(own, file));
});

onDisk('a full disk', () => {
  it('keeps the former posterior, factors and their words whole', async () => {
    const [small, large] = [await fitted(SMALL), await fitted(LARGE)];
    await savePosterior(small.posterior, where);
    await saveFactors(small.factors, where);
    const files = readdirSync(own);
    const before = files.map((file) => readFileSync(join(own, file)));
    for (const save of [() => savePosterior(large.posterior, where), () => saveFactors(large.factors, where)]) {
      const error = await expectRejection(save(), 'Storage', { field: 'where' });
      expect(error.message).toMatch(/ENOSPC|no space/i);
      expect(readdirSync(own)).toEqual(files);
      expect(files.map((file) => readFileSync(join(own, file)))).toEqual(before);
    }
    expect(await loadPosterior(where)).toStrictEqual(small.posterior);
  });

  it('has no room for the words beside the file: a whole file, the former or the new one', async () => {
    const { posterior } = await fitted(SMALL);
    await savePosterior(posterior, where);
    const errors: unknown[] = [];
    // Every file takes pages of its own. The disk fills up page by page, until there is room for nothing.
    for (let page = 0; takePage(page); page++) {
      await savePosterior(posterior, where).catch((error) => errors.push(error));
      expect(await loadPosterior(where)).toStrictEqual(posterior);
      expect(readdirSync(own).filter((file) => file.includes('part'))).toEqual([]);
    }
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error).toMatchObject({ kind: 'Storage' });
  });

  it('ends a pass at its checkpoint: the sums go to onFailure, and the former checkpoint stays', async () => {
    const model = chain([20, 2]);
    const data = { x: inputsFor(model, 12, 3)[0] as tf.Tensor, y: tf.ones([12, 2]) };
    const pass = (onDone: (done: number) => void, gathered: (factors: Factors) => void = () => {}) =>
      lastValueFrom(
        from(batches(data, 2)).pipe(
          observe(model, gaussian()),
          accumulateFactors(kfac(), {
            checkpoint: checkpoint(where, { every: 2 }),
            onProgress: ({ done }) => onDone(done),
            onFailure: gathered,
          }),
        ),
      );
    let former: Buffer | undefined;
    const checkpoints = () => readdirSync(own).filter((file) => file.endsWith('.safetensors'));
    const fill = (done: number): void => {
      if (done !== 3) return;
      former = readFileSync(join(own, checkpoints()[0] as string));
      for (let page = 0; takePage(page); page++);
    };
    const empty = (): void => {
      for (const file of readdirSync(own)) if (file.startsWith('filler')) rmSync(join(own, file));
    };
    const seen: number[] = [];
    const error = await expectRejection(
      pass(fill, ({ count }) => seen.push(count)),
      'Storage',
    );
    expect(error.message).toMatch(/ENOSPC|no space/i);
    expect(seen).toEqual([8]);
    expect(readdirSync(own).filter((file) => file.includes('part'))).toEqual([]);
    expect(readFileSync(join(own, checkpoints()[0] as string)).equals(former as Buffer)).toBe(true);
    empty();
    // The pass goes on where the checkpoint is.
    const counted: number[] = [];
    const factors = await pass((done) => void counted.push(done));
    expect([factors.count, counted]).toEqual([12, [3, 4, 5, 6]]);
    await expectNoLeak(async () => {
      await expectRejection(pass(fill), 'Storage');
      for (const file of readdirSync(own)) rmSync(join(own, file));
    });
  });
});

onDisk('a disk that is read only, for root too', () => {
  const remount = (mode: 'ro' | 'rw') => execFileSync('mount', ['-o', `remount,${mode}`, own], { stdio: 'pipe' });
  afterEach(() => remount('rw'));

  it('keeps what it has, and says so', async () => {
    const { factors, posterior } = await fitted(SMALL);
    await savePosterior(posterior, where);
    const files = readdirSync(own);
    remount('ro');
    for (const save of [() => savePosterior(posterior, where), () => saveFactors(factors, where)]) {
      const error = await expectRejection(save(), 'Storage', { field: 'where' });
      expect(error.message).toMatch(/EROFS|read-only/i);
    }
    expect(readdirSync(own)).toEqual(files);
    expect(await loadPosterior(where)).toStrictEqual(posterior);
  });
});

it('a path below a file', async () => {
  const { factors, posterior } = await fitted(SMALL);
  const file = join(folder, 'file');
  writeFileSync(file, 'mine');
  await expectRejection(savePosterior(posterior, `file://${file}/below`), 'Storage', { field: 'where' });
  await expectRejection(saveFactors(factors, `file://${file}/below/further`), 'Storage', { field: 'where' });
  await expectRejection(checkpoint(`file://${file}/below`, { every: 1 }).save({ ...factors, batches: 1 }), 'Storage');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

// Only Linux has a place where a folder exists and no folder can be made in it, for root too: Node's own recursive mkdir never returns there.
(existsSync('/proc/self') ? it : it.skip)('a folder in which no folder can be made', async () => {
  for (const path of ['/proc/none', '/proc/none/below']) {
    await expectRejection(writeWhole(`${path}/file.json`, '{}'), 'Storage');
  }
});

it('two files in a new folder at the same time', async () => {
  const below = join(folder, 'a', 'b', 'c');
  await Promise.all(['one', 'two', 'three'].map((name) => writeWhole(join(below, name), name)));
  expect(readdirSync(below).sort()).toEqual(['one', 'three', 'two']);
});
