/** A file too large to try every byte of, with the structure that only wide layers have. (Every byte of all others: `files/faults`.) */
import { decodePosterior, encodePosterior } from 'tfjs-laplace';
import { kindOf, right } from '../support/math/laplace.js';
import { uniformSource } from '../support/math/monteCarlo.js';
import { fittedWith } from '../support/structures.js';

const TRIES = 40;

it('is refused wherever it is cut off, and whichever byte is another: a sample', async () => {
  const { posterior } = await fittedWith('inputDiagonal');
  const bytes = right(encodePosterior(posterior));
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const uniform = uniformSource(7);
  // Both ends, the seam between header and numbers, and places at random in each.
  const places = new Set([
    ...[0, 7, 8, 7 + header, 8 + header, bytes.length - 1],
    ...Array.from({ length: TRIES }, () => Math.floor(uniform() * header)),
    ...Array.from({ length: TRIES }, () => 8 + header + Math.floor(uniform() * (bytes.length - 8 - header))),
  ]);
  const wrong: string[] = [];
  for (const at of places) {
    if (kindOf(decodePosterior(bytes.subarray(0, at))) !== 'InvalidFile') wrong.push(`cut at ${at}`);
    const was = bytes[at] as number;
    bytes[at] = was ^ (1 << (at % 8));
    if (kindOf(decodePosterior(bytes)) !== 'InvalidFile') wrong.push(`changed at ${at}`);
    bytes[at] = was;
  }
  expect(wrong).toEqual([]);
  expect(right(decodePosterior(bytes))).toStrictEqual(posterior);
});
