/** The inputs of a file in float32, with their shape. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { sizeOf } from './elements.js';
import { notFinite } from './failure.js';
import { type Content, placeIn } from './read.js';
import { allFloat32 } from './rows.js';
import type { DataInputs } from './types.js';

/** The inputs that a file holds, divided by a number. Throws `NotFinite`, `InvalidInput` for a single number, `Empty` where there are none. */
export function inputsOf(content: Content, divide: number): DataInputs {
  const { name } = content;
  const shape = content._tag === 'array' ? content.array.shape : [content.table.examples, content.table.inputs.length];
  const examples = countOf(name, shape);
  const numbers = content._tag === 'array' ? allFloat32(content.array.data, placeIn(name, shape)) : content.table.data;
  const x = divided(numbers, divide, name);
  return { x, shape, examples, ...(content._tag === 'table' ? { columns: content.table.inputs } : {}) };
}

/** N as the first dimension tells it. */
export function countOf(name: string, shape: ReadonlyArray<number>): number {
  const [N] = shape;
  if (N === undefined) throw noExamples('InvalidInput', name, 'a single number, without dimensions');
  if (N === 0) throw noExamples('Empty', name, 'no example');
  if (sizeOf(shape) === 0) throw noExamples('Empty', name, `${N} examples without a number: the shape is [${shape.join(', ')}]`);
  return N;
}

const noExamples = (kind: 'InvalidInput' | 'Empty', name: string, found: string): LaplaceError =>
  laplaceError(kind, { what: name, found, expected: 'at least one example; the first dimension counts examples' });

/** Divides in place: the numbers are those of a file that nobody else has read. */
function divided(numbers: Float32Array, divide: number, name: string): Float32Array {
  if (divide === 1) return numbers;
  for (let i = 0; i < numbers.length; i++) {
    const value = (numbers[i] as number) / divide;
    numbers[i] = value;
    if (!Number.isFinite(numbers[i])) throw notFinite(`${name}, divided by ${divide}`, value);
  }
  return numbers;
}
