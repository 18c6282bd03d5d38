/**
 * xoshiro128++: uniform 32-bit words, one after another, for bulk draws. A word costs a quarter of what it costs with Threefry.
 * The 128 bits of state come from Threefry, so that streams of different keys are unrelated (the period is 2¹²⁸ − 1: overlaps
 * don't happen).
 *
 * All arithmetic is of integers, so the words are the same on every platform. The state belongs to the function that draws and
 * never leaves it. Reference: Blackman & Vigna 2021, "Scrambled linear pseudorandom number generators", section 5.
 */
import { blockOf, type Key } from './key.js';
import { threefry } from './threefry.js';

/** Mutable: four words, not all zero. */
export type State = Int32Array;

/** This bit is set in the high word of every counter that seeds numbers. The counters of derived keys (key.ts) stay below it. */
const NUMBERS = 0x80000000;

/**
 * The start of a key's stream. Each purpose (a small integer) has a stream of its own, so that normals and uniforms of one key
 * have nothing to do with each other.
 */
export function seededState(key: Key, purpose: number): State {
  const block = (i: number) => threefry(blockOf(key), [NUMBERS, 2 * purpose + i]);
  const state = Int32Array.of(...block(0), ...block(1));
  // All zeros is the one state that xoshiro would never leave. It comes up for 2⁻¹²⁸ of all keys.
  return state.some((word) => word !== 0) ? state : Int32Array.of(1, 0, 0, 0);
}

/** The next word, as a signed integer. */
export function next(s: State): number {
  const s0 = s[0] as number;
  const s1 = s[1] as number;
  const sum = (s0 + (s[3] as number)) | 0;
  const word = (((sum << 7) | (sum >>> 25)) + s0) | 0;
  const s2 = (s[2] as number) ^ s0;
  const s3 = (s[3] as number) ^ s1;
  s[0] = s0 ^ s3;
  s[1] = s1 ^ s2;
  s[2] = s2 ^ (s1 << 9);
  s[3] = (s3 << 11) | (s3 >>> 21);
  return word;
}

/** The next word as a number in (0, 1): a multiple of 2⁻³², moved to the middle of its step. */
export const nextUnit = (s: State): number => ((next(s) >>> 0) + 0.5) * 2 ** -32;
