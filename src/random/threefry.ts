/**
 * Threefry-2x32 with 20 rounds: a bijection of 64-bit counters for every 64-bit key, (c₀, c₁) ↦ threefry(key, c). Its outputs
 * for distinct counters or distinct keys pass as independent uniform words, so a counter names a random number.
 *
 * Words are unsigned 32-bit integers; each of the 20 rounds adds, rotates and xors, and every fourth is followed by a key
 * injection. All arithmetic is of integers, so results are the same on every platform. Reference: Salmon, Moraes, Dror & Shaw
 * 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */

/** Two unsigned 32-bit words. */
export type Block = readonly [number, number];

/** Rotations of the four rounds between key injections; the two rows take turns. */
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Skein's constant. It makes the key schedule's third word, so that an all-zero key is no fixed point. */
const PARITY = 0x1bd11bda;

const INJECTIONS = 5;

/** The block that belongs to a counter under a key. */
export function threefry([k0, k1]: Block, [c0, c1]: Block): Block {
  const schedule = [k0, k1, PARITY ^ k0 ^ k1] as const;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let i = 1; i <= INJECTIONS; i++) {
    for (const rotation of ROTATIONS[(i - 1) % 2] as readonly number[]) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    }
    x0 = (x0 + (schedule[i % 3] as number)) | 0;
    x1 = (x1 + (schedule[(i + 1) % 3] as number) + i) | 0;
  }
  return [x0 >>> 0, x1 >>> 0];
}
