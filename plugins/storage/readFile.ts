/** Reads files on the disk of a Node process: whole, or in parts. */
import type { FileHandle } from 'node:fs/promises';
import type { ByteReader } from 'tfjs-laplace';
import { within } from './failure.js';
import { loadNode } from './loadNode.js';

/**
 * The bytes of a file on the disk, up to the size that a `Uint8Array` can have. Rejects with `Storage` for a file that cannot be read.
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
export const readBytes = (file: string): Promise<Uint8Array> =>
  withFile(file, ({ size, read }) => within('read', file, async () => read(0, size)));

/** A file on the disk that is open for reading. */
export interface DiskReader extends ByteReader {
  /** So many bytes from a place on; fewer where the file ends. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
}

/**
 * Opens a file for as long as some work takes: for `openPosterior` and `openFactors`, which read it a layer at a time. Rejects with `Storage`
 * for a file that cannot be read, and with what the work rejects with.
 *
 * @param file its path
 * @param work what is done with the open file; afterwards it is closed
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe, openFactors } from 'tfjs-laplace';
 * import { saveFactors, withFile } from 'tfjs-laplace/plugins/storage';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.randomNormal([4, 2]), y: tf.randomNormal([4, 1]) };
 * const factors = await lastValueFrom(from(batches(data, 2)).pipe(observe(model, 'gaussian'), accumulateFactors()));
 * await saveFactors(factors, 'file://out/one.safetensors');
 * const rows = await withFile('out/one.safetensors', async (file) => (await (await openFactors(file)).layer(0)).weights.rows);
 * rows; // => 3
 * ```
 */
export async function withFile<A>(file: string, work: (reader: DiskReader) => Promise<A>): Promise<A> {
  const { fs } = await loadNode();
  const handle = await within('read', file, () => fs.open(file, 'r'));
  try {
    const { size } = await within('read', file, () => handle.stat());
    return await work({ size, read: (offset, length) => within('read', file, () => partOf(handle, offset, length)) });
  } finally {
    await handle.close();
  }
}

/** So many bytes of a file, piece by piece: Node reads no more than 2 GiB at once. */
async function partOf(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, PIECE), offset + at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

/** In bytes. */
const PIECE = 2 ** 28;
