/**
 * The engine with TensorFlow's own kernels, under Node: SelfAdjointEigV2, Cholesky, MatrixTriangularSolve and MatMul in float64.
 * The eigendecomposition takes 0.9 s at n = 1200, on one core. In the asynchronous engine eigendecompositions of equal size run
 * together, one to a core.
 *
 * TensorFlow.js knows no float64, but its native binding does: it runs operations by name and attribute type. The bytes of a
 * float64 matrix [n, n] go in as float32 [n, n, 2], and TensorFlow's Bitcast makes float64 of them again. Results return the same
 * way. Nothing is converted, so no digit is lost. The tensors are the binding's: tf.memory() does not know them. Each is deleted,
 * whatever fails.
 *
 * The binding is recognised by its members on the current backend: nothing of tfjs-node is imported.
 */
import * as tf from '@tensorflow/tfjs-core';
import { function as F, option as O } from 'fp-ts';
import type { Matrix } from '../types.js';
import { batching } from './batching.js';
import type { Decomposition } from './canonical.js';
import { createAsyncEngine, createEngine } from './create.js';
import type { AsyncLinalgEngine, LinalgEngine } from './engine.js';
import { matrix } from './matrix.js';
import type { Kernels } from './operations.js';

/** A tensor of the binding. */
type Id = number;

/** The members of tfjs-node's native addon that are used here. */
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

/** The binding of the current tfjs backend, if that is TensorFlow's. */
const currentBinding = (): O.Option<Binding> =>
  F.pipe(
    // tf.backend() throws where no backend is registered or none has started. Linear algebra on the host needs none.
    O.tryCatch(() => (tf.backend() as { binding?: unknown }).binding),
    O.filter(isBinding),
  );

/** TensorFlow's engine, if the current tfjs backend is TensorFlow's. */
export const tensorflowEngine = (): O.Option<LinalgEngine> =>
  F.pipe(
    currentBinding(),
    O.map((binding) => createEngine('tensorflow', kernelsOf(binding))),
  );

/** The same engine in asynchronous form. Matrices of equal size that are asked for in one turn are decomposed together. */
export const batchingTensorflowEngine = (): O.Option<AsyncLinalgEngine> =>
  F.pipe(
    currentBinding(),
    O.map((binding) => createAsyncEngine('tensorflow', () => batching(kernelsOf(binding), (all) => decomposed(binding, all)))),
  );

/** Decomposes matrices of one size by one operation. */
function decomposed(binding: Binding, all: ReadonlyArray<Matrix>): ReadonlyArray<Decomposition> {
  const n = all[0]?.rows ?? 0;
  const data = new Float64Array(all.length * n * n);
  all.forEach((a, i) => {
    data.set(a.data, i * n * n);
  });
  return float64(binding, ({ put, run }) => {
    const [values, vectors] = run('SelfAdjointEigV2', { compute_v: true }, [put(data, [all.length, n, n])], 2) as [Read, Read];
    const [own, columns] = [values(), vectors()];
    return all.map((_, i) => ({
      values: own.slice(i * n, (i + 1) * n),
      vectors: matrix(n, n, columns.slice(i * n * n, (i + 1) * n * n)),
    }));
  });
}

/** TensorFlow's message about a matrix that isn't positive definite. */
const NO_CHOLESKY = /Cholesky decomposition was not successful/;

function kernelsOf(binding: Binding): Kernels {
  return {
    symmetricEigen: (a) => decomposed(binding, [a])[0] as Decomposition,
    cholesky: (a) => {
      try {
        return O.some(
          float64(binding, ({ put, run }) =>
            matrix(a.rows, a.rows, (run('Cholesky', {}, [putMatrix(put, a)], 1) as [Read])[0]()),
          ),
        );
      } catch (error) {
        if (error instanceof Error && NO_CHOLESKY.test(error.message)) return O.none;
        throw error;
      }
    },
    triangularSolve: (l, b, transposed) =>
      float64(binding, ({ put, run }) => {
        const [x] = run(
          'MatrixTriangularSolve',
          { lower: true, adjoint: transposed },
          [l, b].map((x) => putMatrix(put, x)),
          1,
        ) as [Read];
        return matrix(b.rows, b.cols, x());
      }),
    multiply: (a, b) =>
      float64(binding, ({ put, run }) => {
        const [product] = run(
          'MatMul',
          { transpose_a: false, transpose_b: false },
          [a, b].map((x) => putMatrix(put, x)),
          1,
        ) as [Read];
        return matrix(a.rows, b.cols, product());
      }),
  };
}

/** Gets the numbers of a tensor. */
type Read = () => Float64Array;

/** The steps that a computation in float64 is made of. */
interface Float64Session {
  /** Makes a tensor of that shape from numbers. */
  put(data: Float64Array, shape: ReadonlyArray<number>): Id;
  /** Runs an operation in float64. `switches` are its boolean attributes. */
  run(name: string, switches: Readonly<Record<string, boolean>>, inputs: ReadonlyArray<Id>, outputs: number): ReadonlyArray<Read>;
}

const putMatrix = (put: Float64Session['put'], { rows, cols, data }: Matrix): Id => put(data, [rows, cols]);

/** Runs a computation and deletes its tensors. */
function float64<A>(binding: Binding, compute: (session: Float64Session) => A): A {
  const { TF_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE } = binding;
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  const held: Id[] = [];
  const execute = (...operation: Parameters<Binding['executeOp']>): ReadonlyArray<Id> => {
    const ids = binding.executeOp(...operation).map(({ id }) => id);
    held.push(...ids);
    return ids;
  };
  const put: Float64Session['put'] = (data, shape) => {
    const words = new Float32Array(data.buffer, data.byteOffset, WORDS * data.length);
    const tensor = binding.createTensor([...shape, WORDS], TF_FLOAT, words);
    held.push(tensor);
    return execute('Bitcast', [type('T', TF_FLOAT), type('type', DOUBLE)], [tensor], 1)[0] as Id;
  };
  const read = (id: Id): Float64Array => {
    const [words] = execute('Bitcast', [type('T', DOUBLE), type('type', TF_FLOAT)], [id], 1) as [Id];
    return new Float64Array(binding.tensorDataSync(words).buffer);
  };
  const run: Float64Session['run'] = (name, switches, inputs, outputs) => {
    const attributes = Object.entries(switches).map(([key, value]) => ({ name: key, type: TF_ATTR_BOOL, value }));
    return execute(name, [type('T', DOUBLE), ...attributes], inputs, outputs).map((id) => () => read(id));
  };
  try {
    return compute({ put, run });
  } finally {
    for (const id of held) binding.deleteTensor(id);
  }
}
