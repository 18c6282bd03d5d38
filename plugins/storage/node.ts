/** Files on the disk of a Node process. */
import type { FileHandle } from 'node:fs/promises';
import type { ByteReader, Pieces } from 'tfjs-laplace';
import type { PlacedPieces } from 'tfjs-laplace/extend';
import { within } from './failure.js';
import { loadNode } from './loadNode.js';
import { withFile } from './readFile.js';
import { ENDING, type Place } from './types.js';
import { removeRests, replaceFile } from './writeWhole.js';

/** A place on disk. */
export interface NodePlace extends Place {
  /** Writes a file whose pieces come one after another, in any order, and the words about it. */
  readonly writePlaced: (pieces: PlacedPieces, about: object) => Promise<void>;
  /** As `read`; undefined if there is no file. Rejects with `Storage` for one that cannot be read. */
  readonly find: <A>(work: (file: ByteReader) => Promise<A>) => Promise<A | undefined>;
  /** Removes the file and the words about it, if they are there. */
  readonly remove: () => Promise<void>;
}

/** The place of a path: a file with the ending `.safetensors`, or a folder, in which the file has its usual name. */
export function nodePlace(path: string, name: string): NodePlace {
  const file = path.endsWith(ENDING) ? path : `${path.replace(/\/+$/, '')}/${name}${ENDING}`;
  const words = `${file.slice(0, -ENDING.length)}.json`;
  const write = (content: Parameters<typeof replaceFile>[1], about: object): Promise<void> =>
    within('write', file, async () => {
      await replaceFile(file, content);
      await replaceFile(words, (empty) => empty.writeFile(`${JSON.stringify(about, null, 2)}\n`));
    });
  return {
    name: file,
    write: ({ pieces, about }) => write((empty) => writePieces(empty, pieces), about),
    writePlaced: (pieces, about) => write((empty) => writePlacedPieces(empty, pieces), about),
    read: (work) => withFile(file, work),
    find: async (work) => ((await isThere(file)) ? withFile(file, work) : undefined),
    remove: () =>
      within('write', file, async () => {
        const { fs } = await loadNode();
        await Promise.all([file, words].map((one) => fs.rm(one, { force: true })));
        // The process that wrote them was killed: this one is its successor, and writes no more.
        await Promise.all([file, words].map((one) => removeRests(one, -1).catch(() => {})));
      }),
  };
}

async function writePieces(file: FileHandle, pieces: Pieces): Promise<void> {
  for (const bytes of pieces) await writeAll(file, bytes, null);
}

async function writePlacedPieces(file: FileHandle, pieces: PlacedPieces): Promise<void> {
  for await (const { at, bytes } of pieces) await writeAll(file, bytes, at);
}

/** Writes bytes at a place, or behind those that were written last. Node may write less than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array, at: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at === null ? null : at + done);
    done += bytesWritten;
  }
}

/** Whether there is a file. Rejects with `Storage` if nobody can tell. */
const isThere = (file: string): Promise<boolean> =>
  within('read', file, async () => {
    const { fs } = await loadNode();
    return fs.stat(file).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
  });
