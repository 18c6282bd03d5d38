/** The matrices of a value as named arrays of a file, and back. */
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Matrix } from '../types.js';
import { damaged } from './container.js';
import { beyondOf, type Dtype } from './dtypes.js';
import type { Entry, NamedArray } from './safetensors.js';

/** The name of an array of layer number l. */
export const nameIn = (l: number, name: string): string => `layers.${l}.${name}`;

/** The name of a layer's share of output number c. */
export const shareName = (c: number): string => `shares.${c}`;

/** The matrices of a layer by name, without the number of the layer. */
export type Matrices = ReadonlyArray<readonly [name: string, matrix: Matrix]>;

/** The matrices of layer number l as arrays of a file. Throws as `arrayOf` does. */
export const arraysIn = (l: number, matrices: Matrices, dtype: Dtype): ReadonlyArray<NamedArray> =>
  matrices.map(([name, matrix]) => arrayOf(nameIn(l, name), matrix, dtype));

/** A matrix as an array of a file. Throws `NotFinite` for a number that is not finite, or that the format would make infinite. */
export function arrayOf(name: string, { rows, cols, data }: Matrix, dtype: Dtype): NamedArray {
  if (!(data instanceof Float64Array) || data.length !== rows * cols) throw noMatrix(name);
  const beyond = beyondOf(dtype);
  const bad = firstBeyond(data, beyond);
  if (bad === undefined) return { name, shape: [rows, cols], values: data };
  throw laplaceError('NotFinite', {
    what: `The array ${JSON.stringify(name)} cannot be written as ${dtype}`,
    field: name,
    found: String(bad),
    expected: Number.isFinite(bad) ? `numbers below ${beyond}` : 'finite numbers',
    remedy: Number.isFinite(bad) ? 'Take a wider format: F64 holds every number as it is.' : '',
  });
}

/** The first number that is not below a limit in size. A loop: a call for each of millions of numbers takes longer than their hash. */
function firstBeyond(data: Float64Array, beyond: number): number | undefined {
  for (let i = 0; i < data.length; i++) {
    const v = data[i] as number;
    if (!(v < beyond && v > -beyond)) return v;
  }
  return undefined;
}

const noMatrix = (name: string): LaplaceError =>
  laplaceError('InvalidInput', {
    what: `The array ${JSON.stringify(name)} cannot be written`,
    field: name,
    found: 'another kind of numbers, or another number of them than its shape says',
    expected: 'a Float64Array of rows times cols numbers',
  });

/** The shape that a matrix must have; undefined for one that the file decides. */
export type Wanted = Readonly<Partial<Record<'rows' | 'cols', number | undefined>>>;

/** The arrays of a file, each of which is to be taken once. */
export interface ArraysOfFile {
  readonly has: (name: string) => boolean;
  /** A matrix of finite numbers. Throws `InvalidFile` if the array is missing, or of another shape. */
  readonly take: (name: string, wanted: Wanted) => Matrix;
  /** Throws `InvalidFile` if an array was not taken. */
  readonly end: () => void;
}

export function arraysOf(entries: ReadonlyMap<string, Entry>): ArraysOfFile {
  const left = new Set(entries.keys());
  return {
    has: (name) => entries.has(name),
    take: (name, { rows, cols }) => {
      const entry = entries.get(name);
      if (entry === undefined || !left.delete(name)) throw damaged(`no array ${JSON.stringify(name)}`);
      const [r, c] = entry.shape;
      if (entry.shape.length !== 2 || r === undefined || c === undefined) throw shapeOff(name, entry, { rows, cols });
      if ((rows ?? r) !== r || (cols ?? c) !== c) throw shapeOff(name, entry, { rows, cols });
      const data = entry.read();
      if (firstBeyond(data, Number.POSITIVE_INFINITY) !== undefined) throw notFiniteIn(name);
      return { rows: r, cols: c, data };
    },
    end: () => {
      const [first] = left;
      if (first !== undefined) throw damaged(`the array ${JSON.stringify(first)}, which its manifest does not name`);
    },
  };
}

/** The error of an array with NaN or infinity. */
export const notFiniteIn = (name: string): LaplaceError => damaged(`a number that is not finite in ${JSON.stringify(name)}`);

const shapeOff = (name: string, { shape }: Entry, { rows = 0, cols = 0 }: Wanted): LaplaceError =>
  damaged(`${JSON.stringify(name)} of shape [${shape.join(', ')}] instead of [${rows || 'any'}, ${cols || 'any'}]`);
