/**
 * The engine of TensorFlow's own kernels, under Node: SelfAdjointEigV2 in float64, O(n³), 0.7 s at n = 1200 on two cores (float32: 0.3 s).
 *
 * TensorFlow.js knows no float64, its native binding does: operations run by name and attribute type. A float64 matrix [n, n] goes
 * in as its own bytes, float32 [n, n, 2], and TensorFlow's Bitcast gives them their meaning back; results return the same way.
 * No conversion happens, so no digit is lost. Tensors here are the binding's, unknown to tf.memory(); each is deleted, whatever fails.
 *
 * The binding is found by its shape on the current backend: nothing of tfjs-node is imported.
 */
import * as tf from '@tensorflow/tfjs-core';
import { option as O } from 'fp-ts';
import type { Matrix } from '../types.js';
import { createEngine, type LinalgEngine } from './engine.js';
import { matrix } from './matrix.js';

/** A tensor of the binding. */
type Id = number;

/** What tfjs-node's native addon offers, as far as it is used here. */
interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  /** Shares the memory of `values` for as long as the tensor lives. */
  createTensor(shape: ReadonlyArray<number>, dtype: number, values: Float32Array): Id;
  deleteTensor(id: Id): void;
  /** A copy of the values. */
  tensorDataSync(id: Id): Float32Array;
  executeOp(
    name: string,
    attributes: ReadonlyArray<{ readonly name: string; readonly type: number; readonly value: number | boolean }>,
    inputs: ReadonlyArray<Id>,
    outputs: number,
  ): ReadonlyArray<{ readonly id: Id }>;
}

/** TF_DOUBLE of TensorFlow's C interface (tf_datatype.h), which the binding does not list. */
const DOUBLE = 2;

/** Float32 words in a float64. */
const WORDS = 2;

const METHODS = ['createTensor', 'deleteTensor', 'tensorDataSync', 'executeOp'];
const CONSTANTS = ['TF_FLOAT', 'TF_ATTR_BOOL', 'TF_ATTR_TYPE'];

function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false;
  const typeOf = (name: string) => typeof Reflect.get(value, name);
  return METHODS.every((name) => typeOf(name) === 'function') && CONSTANTS.every((name) => typeOf(name) === 'number');
}

/** The engine of the current tfjs backend, when that is TensorFlow's. */
export function tensorflowEngine(): O.Option<LinalgEngine> {
  const { binding } = tf.backend() as { binding?: unknown };
  return isBinding(binding) ? O.some(createEngine('tensorflow', (a) => symmetricEigen(binding, a))) : O.none;
}

function symmetricEigen(binding: Binding, { rows: n, data }: Matrix): { values: Float64Array; vectors: Matrix } {
  const { TF_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE } = binding;
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  const held: Id[] = [];
  const run = (...operation: Parameters<Binding['executeOp']>): ReadonlyArray<Id> => {
    const ids = binding.executeOp(...operation).map(({ id }) => id);
    held.push(...ids);
    return ids;
  };
  const read = (id: Id): Float64Array => {
    const [words] = run('Bitcast', [type('T', DOUBLE), type('type', TF_FLOAT)], [id], 1) as [Id];
    return new Float64Array(binding.tensorDataSync(words).buffer);
  };
  try {
    const words = binding.createTensor(
      [n, n, WORDS],
      TF_FLOAT,
      new Float32Array(data.buffer, data.byteOffset, WORDS * data.length),
    );
    held.push(words);
    const [a] = run('Bitcast', [type('T', TF_FLOAT), type('type', DOUBLE)], [words], 1) as [Id];
    const attributes = [type('T', DOUBLE), { name: 'compute_v', type: TF_ATTR_BOOL, value: true }];
    const [values, vectors] = run('SelfAdjointEigV2', attributes, [a], 2) as [Id, Id];
    return { values: read(values), vectors: matrix(n, n, read(vectors)) };
  } finally {
    for (const id of held) binding.deleteTensor(id);
  }
}
