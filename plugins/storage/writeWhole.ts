/**
 * Writes a file on the disk of a Node process: beside its place, brought to the disk (fsync), and renamed. So whoever reads finds the former
 * file or the new one, whole, also if the process or the machine ends in between.
 */
import type { FileHandle } from 'node:fs/promises';
import { within } from './failure.js';
import { loadNode } from './loadNode.js';
import { whileUnfinished } from './unfinished.js';

/**
 * Writes a file so that it is there whole, or as it was before. The folder is made if it does not exist. For Node.
 *
 * Rejects with `Storage` if the file cannot be written. Nothing half-written is left then.
 *
 * @param content bytes, or text, which is written in UTF-8
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { writeWhole } from 'tfjs-laplace/plugins/storage';
 *
 * const path = join(await mkdtemp(join(tmpdir(), 'laplace-')), 'results', 'report.json');
 * await writeWhole(path, '{}');
 * await readFile(path, 'utf8'); // => '{}'
 * ```
 */
export const writeWhole = (path: string, content: string | Uint8Array): Promise<void> =>
  within('write', path, () => replaceFile(path, (file) => file.writeFile(content)));

/**
 * The same, with the errors of Node. What processes that were killed have left behind is removed, if it is an hour old.
 *
 * @param write writes the content into a file that is empty
 */
export async function replaceFile(file: string, write: (empty: FileHandle) => Promise<void>): Promise<void> {
  const { fs, path } = await loadNode();
  const folder = path.dirname(file);
  await makeFolder(folder);
  await removeRests(file, HOUR);
  const beside = `${file}.${crypto.randomUUID()}${PART}`;
  await whileUnfinished(beside, async () => {
    const handle = await fs.open(beside, 'wx');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(beside, file);
    await syncFolder(folder);
  });
}

/**
 * Makes a folder, and those above it. The `recursive` of Node's own `mkdir` tries again without end where no folder can be made although the
 * one above is there, in /proc for example.
 */
async function makeFolder(folder: string): Promise<void> {
  const { fs, path } = await loadNode();
  const make = () => fs.mkdir(folder).catch(unlessThere);
  const unlessThere = async (error: NodeJS.ErrnoException): Promise<void> => {
    const isFolder = await fs.stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) throw error;
  };
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || path.dirname(folder) === folder) throw error;
    await makeFolder(path.dirname(folder));
    await make();
  });
}

const PART = '.part';
/** In milliseconds. Nobody writes one file for so long. */
const HOUR = 3_600_000;

/** Removes files that were being written when their process ended, if nobody has touched them for so many milliseconds. */
export async function removeRests(file: string, age: number): Promise<void> {
  const { fs, path } = await loadNode();
  const [folder, start] = [path.dirname(file), `${path.basename(file)}.`];
  const names = await fs.readdir(folder);
  for (const name of names.filter((own) => own.startsWith(start) && own.endsWith(PART))) {
    const rest = path.join(folder, name);
    const { mtimeMs } = await fs.stat(rest).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > age) await fs.rm(rest, { force: true });
  }
}

/** Brings the new name to the disk. Windows cannot open folders, and keeps names in order by itself. */
async function syncFolder(folder: string): Promise<void> {
  const { fs } = await loadNode();
  const handle = await fs.open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
