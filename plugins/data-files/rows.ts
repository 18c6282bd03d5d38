/** Numbers as float32, which models take, and cells as labels. */
import { emptyCell, notFinite } from './failure.js';
import type { Cell, FileNumbers } from './types.js';

/** A number as it will be in float32. Throws `NotFinite` for NaN, for infinity, and for a number that float32 does not reach. */
export function float32(value: number, place: () => string): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw notFinite(place(), value);
  return rounded;
}

/** A cell as a label. Throws `NotFinite` for one that is empty, and for NaN and infinity. */
export function labelOf(cell: Cell, place: () => string): Cell {
  if (cell === '') throw emptyCell(place());
  if (typeof cell === 'number' && !Number.isFinite(cell)) throw notFinite(place(), cell);
  return cell;
}

/** The numbers of an array in float32: the array itself, if it is one. `place` says where number i stands. */
export function allFloat32(data: FileNumbers, place: (i: number) => string): Float32Array {
  const rounded = data instanceof Float32Array ? data : Float32Array.from(data);
  for (let i = 0; i < rounded.length; i++) {
    if (!Number.isFinite(rounded[i])) throw notFinite(place(i), data[i] as number);
  }
  return rounded;
}

/** Numbers whose count is not known before the last has come. */
export function growing(): { readonly push: (value: number) => void; readonly end: () => Float32Array } {
  let all = new Float32Array(1024);
  let length = 0;
  return {
    push: (value) => {
      if (length === all.length) {
        const larger = new Float32Array(2 * length);
        larger.set(all);
        all = larger;
      }
      all[length++] = value;
    },
    end: () => all.subarray(0, length),
  };
}
