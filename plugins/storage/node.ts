/**
 * Files on the disk of a Node process. A file is written beside its place, brought to the disk (fsync), and renamed. So whoever reads finds
 * the former file or the new one, whole, also if the process or the machine ends in between.
 */
import { within } from './failure.js';
import { ENDING, type File, type Place } from './types.js';

/** The names are put together at run time, because a bundler for browsers would follow a literal name in an import. */
const [FS, PATH] = ['fs/promises', 'path'].map((name) => ['node', name].join(':')) as [string, string];

const load = async () => {
  const [fs, path] = await Promise.all([
    import(/* @vite-ignore */ /* webpackIgnore: true */ FS) as Promise<typeof import('node:fs/promises')>,
    import(/* @vite-ignore */ /* webpackIgnore: true */ PATH) as Promise<typeof import('node:path')>,
  ]);
  return { fs, path };
};

/** A place on disk. */
export interface NodePlace extends Place {
  /** The bytes of the file; undefined if there is none. Rejects with `Storage` for one that cannot be read. */
  readonly find: () => Promise<Uint8Array | undefined>;
  /** Removes the file and the words about it, if they are there. */
  readonly remove: () => Promise<void>;
}

/** The place of a path: a file with the ending `.safetensors`, or a folder, in which the file has its usual name. */
export function nodePlace(path: string, name: string): NodePlace {
  const file = path.endsWith(ENDING) ? path : `${path.replace(/\/+$/, '')}/${name}${ENDING}`;
  const words = `${file.slice(0, -ENDING.length)}.json`;
  return {
    name: file,
    write: ({ bytes, about }: File) =>
      within('write', file, async () => {
        await writeWhole(file, bytes);
        await writeWhole(words, new TextEncoder().encode(`${JSON.stringify(about, null, 2)}\n`));
      }),
    read: () => readBytes(file),
    find: () =>
      within('read', file, () =>
        readWhole(file).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return undefined;
          throw error;
        }),
      ),
    remove: () =>
      within('write', file, async () => {
        const { fs } = await load();
        await Promise.all([file, words].map((one) => fs.rm(one, { force: true })));
        // The process that wrote them was killed: this one is its successor, and writes no more.
        await Promise.all([file, words].map((one) => removeRests(one, -1).catch(() => {})));
      }),
  };
}

/**
 * Writes a file so that it is there whole, or as it was before. The folder is made if it does not exist. What processes that were killed have
 * left behind is removed, if it is an hour old.
 */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const { fs, path } = await load();
  const folder = path.dirname(file);
  await fs.mkdir(folder, { recursive: true });
  await removeRests(file, HOUR);
  const beside = `${file}.${crypto.randomUUID()}${PART}`;
  try {
    const handle = await fs.open(beside, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(beside, file);
    await syncFolder(folder);
  } finally {
    await fs.rm(beside, { force: true });
  }
}

const PART = '.part';
/** In milliseconds. Nobody writes one file for so long. */
const HOUR = 3_600_000;

/** Removes files that were being written when their process ended, if nobody has touched them for so many milliseconds. */
async function removeRests(file: string, age: number): Promise<void> {
  const { fs, path } = await load();
  const [folder, start] = [path.dirname(file), `${path.basename(file)}.`];
  const names = await fs.readdir(folder);
  for (const name of names.filter((own) => own.startsWith(start) && own.endsWith(PART))) {
    const rest = path.join(folder, name);
    const { mtimeMs } = await fs.stat(rest).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > age) await fs.rm(rest, { force: true });
  }
}

/**
 * The bytes of a file on the disk, of any size. Rejects with `Storage` for a file that cannot be read.
 *
 * @param file its path
 *
 * @example
 * ```ts
 * import { readBytes } from 'tfjs-laplace/plugins/storage';
 *
 * const bytes = await readBytes('package.json');
 * String.fromCharCode(bytes[0]); // => '{'
 * ```
 */
export const readBytes = (file: string): Promise<Uint8Array> => within('read', file, () => readWhole(file));

/** The bytes of a file, piece by piece: Node reads no more than 2 GiB at once. */
async function readWhole(file: string): Promise<Uint8Array> {
  const { fs } = await load();
  const handle = await fs.open(file, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(size - at, PIECE), at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** In bytes. */
const PIECE = 2 ** 28;

/** Brings the new name to the disk. Windows cannot open folders, and keeps names in order by itself. */
async function syncFolder(folder: string): Promise<void> {
  const { fs } = await load();
  const handle = await fs.open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
