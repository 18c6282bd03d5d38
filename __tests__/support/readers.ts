/** Readers of bytes in memory. */
import type { ByteReader } from 'tfjs-laplace';

export const readerOf = (bytes: Uint8Array): ByteReader => ({
  size: bytes.length,
  read: async (at, length) => bytes.subarray(at, at + length),
});

/** A reader that keeps what was asked for. */
export function countingReader(bytes: Uint8Array): ByteReader & { readonly asked: Array<readonly [at: number, length: number]> } {
  const asked: Array<readonly [number, number]> = [];
  return {
    size: bytes.length,
    asked,
    read: async (at, length) => {
      asked.push([at, length]);
      return bytes.slice(at, at + length);
    },
  };
}

/** All bytes that were asked for. */
export const bytesAsked = (asked: ReadonlyArray<readonly [number, number]>): number =>
  asked.reduce((sum, [, length]) => sum + length, 0);
