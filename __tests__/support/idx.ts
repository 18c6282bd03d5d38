/** Writes files of MNIST's format. */

/** The bytes of a file of MNIST's format. */
export function idx(shape: ReadonlyArray<number>, values: ReadonlyArray<number>, type = 8): Uint8Array {
  const [, size, put] = IDX_TYPES.find(([own]) => own === type) as (typeof IDX_TYPES)[number];
  const header = 4 * (1 + shape.length);
  const bytes = new Uint8Array(header + size * values.length);
  const view = new DataView(bytes.buffer);
  [(type << 8) | shape.length, ...shape].forEach((v, i) => void view.setUint32(4 * i, v));
  values.forEach((v, i) => void view[put](header + size * i, v));
  return bytes;
}

/** The types by number, their bytes, and how one is written (big-endian by default). */
export const IDX_TYPES = [
  [8, 1, 'setUint8'],
  [9, 1, 'setInt8'],
  [11, 2, 'setInt16'],
  [12, 4, 'setInt32'],
  [13, 4, 'setFloat32'],
  [14, 8, 'setFloat64'],
] as const;
