/** What the places of files have in common. */
import type { io } from '@tensorflow/tfjs-core';
import type { ByteReader, Pieces } from 'tfjs-laplace';

/** Where a file is kept: a URL, or a handler of tf.io. */
export type Where = string | io.IOHandler;

/** Where something was saved. */
export interface Saved {
  /** The file, or the place in words. */
  readonly where: string;
  readonly bytes: number;
}

/** A file to be kept. */
export interface File {
  readonly pieces: Pieces;
  /** What people and tools may want to know without reading the bytes, as data for JSON. */
  readonly about: object;
}

/** A place that files can be written to or read from. Both reject with `Storage`. */
export interface Place {
  /** The place in words, for errors and for those who want to look. */
  readonly name: string;
  readonly write: (file: File) => Promise<void>;
  /** Gives what is kept to some work, and waits for it. What the work itself rejects with is passed on. */
  readonly read: Reading;
}

/** Reads a file, as long as some work takes. */
export type Reading = <A>(work: (file: ByteReader) => Promise<A>) => Promise<A>;

/** Bytes in memory as a file to be read. */
export const readerOf = (bytes: Uint8Array): ByteReader => ({
  size: bytes.length,
  read: async (at, length) => bytes.subarray(at, at + length),
});

/** How the names of files end. */
export const ENDING = '.safetensors';
