/** What the places of files have in common. */
import type { io } from '@tensorflow/tfjs-core';

/** Where a file is kept: a URL, or a handler of tf.io. */
export type Where = string | io.IOHandler;

/** A file to be kept. */
export interface File {
  readonly bytes: Uint8Array;
  /** What people and tools may want to know without reading the bytes, as data for JSON. */
  readonly about: object;
}

/** A place that files can be written to or read from. Both reject with `Storage`. */
export interface Place {
  /** The place in words, for errors and for those who want to look. */
  readonly name: string;
  readonly write: (file: File) => Promise<void>;
  readonly read: () => Promise<Uint8Array>;
}

/** How the names of files end. */
export const ENDING = '.safetensors';
