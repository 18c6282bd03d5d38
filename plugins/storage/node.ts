/** Files on the disk of a Node process. */
import { within } from './failure.js';
import { loadNode } from './loadNode.js';
import { ENDING, type File, type Place } from './types.js';
import { removeRests, replaceFile } from './writeWhole.js';

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
        await replaceFile(file, bytes);
        await replaceFile(words, new TextEncoder().encode(`${JSON.stringify(about, null, 2)}\n`));
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
        const { fs } = await loadNode();
        await Promise.all([file, words].map((one) => fs.rm(one, { force: true })));
        // The process that wrote them was killed: this one is its successor, and writes no more.
        await Promise.all([file, words].map((one) => removeRests(one, -1).catch(() => {})));
      }),
  };
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
  const { fs } = await loadNode();
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
