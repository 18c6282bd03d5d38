/** The bytes of a file, piece by piece, so that no more than one piece of them is in memory beside the value. */
import { FILE_PIECE } from '../limits.js';
import { bytesFor, type Dtype, sizeOf } from './dtypes.js';
import type { NamedArray } from './safetensors.js';

/**
 * The bytes of a file, one piece after another: first the header, then the arrays in pieces of at most 4 MiB. Each piece is a copy of its
 * own. The pieces can be gone through any number of times, as long as nobody changes the value.
 */
export interface Pieces extends Iterable<Uint8Array> {
  /** The bytes of all pieces together. */
  readonly size: number;
}

/** A piece of a file, and its place in it. */
export interface PlacedPiece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The bytes of a file in pieces that may come in any order. */
export interface PlacedPieces extends AsyncIterable<PlacedPiece> {
  /** The bytes of all pieces together. */
  readonly size: number;
}

/** The bytes of an array's numbers, to be used at once: each piece may be the array's own memory. */
export function* viewsOfArray({ values }: NamedArray, dtype: Dtype): Generator<Uint8Array> {
  const step = FILE_PIECE / sizeOf(dtype);
  for (let at = 0; at < values.length; at += step) yield bytesFor(values.subarray(at, at + step), dtype);
}

/** All pieces in one. */
export function joined(pieces: Pieces): Uint8Array {
  const bytes = new Uint8Array(pieces.size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
