/** Labels as a likelihood takes them: int32 where all are integers, names of classes as numbers. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { sizeOf } from './elements.js';
import { quoted } from './failure.js';
import { allFloat32 } from './rows.js';
import type { FileNumbers, LabelArray, NumberArray, Table } from './types.js';

/** Labels, and the names of their classes if the file has names. */
export interface LabelsOfFile {
  readonly y: LabelArray;
  readonly classes?: ReadonlyArray<string>;
}

/** The labels of an array [N, …]. `place` says where number i stands. */
export const arrayLabels = ({ shape, data }: NumberArray, place: (i: number) => string): LabelsOfFile => ({
  y: nested(numbers(data, place), shape),
});

/** The labels of columns: one number for each row, or a row of numbers, or the names of classes. */
export function columnLabels({ examples, targets, place }: Table): LabelsOfFile {
  const [first, ...others] = targets;
  const text = targets.find(({ cells }) => cells.some((cell) => typeof cell === 'string'));
  if (text === undefined || first === undefined) {
    const width = targets.length;
    const data = new Float64Array(examples * width);
    targets.forEach(({ cells }, t) => {
      for (let row = 0; row < examples; row++) data[row * width + t] = cells[row] as number;
    });
    const at = (i: number) => `${place(Math.floor(i / width))}, column '${targets[i % width]?.name}'`;
    return { y: nested(numbers(data, at), [examples, width]) };
  }
  const row = text.cells.findIndex((cell) => typeof cell === 'string');
  if (others.length > 0) throw amongOthers(text.name, `${place(row)}, column '${text.name}'`);
  const number = text.cells.findIndex((cell) => typeof cell === 'number');
  if (number >= 0) throw mixed(text.cells[row] as string, `${place(row)}, column '${text.name}'`, place(number));
  return classLabels(text.cells as ReadonlyArray<string>);
}

/** Names as numbers: the place of each among all names, sorted as JavaScript sorts strings. */
function classLabels(names: ReadonlyArray<string>): LabelsOfFile {
  const classes = [...new Set(names)].sort();
  const numberOf = new Map(classes.map((name, k) => [name, k]));
  return { y: Int32Array.from(names, (name) => numberOf.get(name) as number), classes };
}

/** Int32 if all numbers are integers that int32 holds, float32 otherwise. */
function numbers(data: FileNumbers, place: (i: number) => string): Int32Array | Float32Array {
  if (data instanceof Int32Array) return data;
  return data.every((value) => (value | 0) === value) ? Int32Array.from(data) : allFloat32(data, place);
}

/** Numbers [N] or [N, 1] stay flat, since a flat array of labels has one for each example. Others are nested as their shape is. */
const nested = (data: Int32Array | Float32Array, shape: ReadonlyArray<number>): LabelArray =>
  sizeOf(shape.slice(1)) === 1 ? data : nestedRows(data, shape);

function nestedRows(data: Int32Array | Float32Array, [N = 0, ...rest]: ReadonlyArray<number>): LabelArray {
  if (rest.length === 0) return data;
  const each = sizeOf(rest);
  return Array.from({ length: N }, (_, i) => nestedRows(data.subarray(i * each, (i + 1) * each), rest));
}

const amongOthers = (column: string, place: string): LaplaceError =>
  laplaceError('InvalidInput', {
    what: place,
    field: 'target',
    found: 'text, beside other columns of labels',
    expected: 'numbers',
    remedy: `Names of classes are labels alone: { target: [${quoted(column)}] }.`,
  });

const mixed = (cell: string, place: string, number: string): LaplaceError =>
  laplaceError('InvalidInput', {
    what: place,
    field: 'target',
    found: quoted(cell),
    expected: `a number, as in ${number.slice(number.lastIndexOf(', ') + 2)}`,
  });
