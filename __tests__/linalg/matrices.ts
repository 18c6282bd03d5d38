/** Matrices with a known spectrum, engines by name, and how well a decomposition fits. */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../../src/errors.js';
import {
  engineNamed,
  identity,
  type LinalgEngine,
  matrix,
  multiply,
  type SymmetricEigen,
  symmetricPart,
  transpose,
} from '../../src/linalg/index.js';
import { foldIn, key, normals } from '../../src/random/index.js';
import type { Matrix } from '../../src/types.js';

export const EPSILON = 2 ** -52;

/** The engines that this run can have, known before a backend has started. */
export const ENGINES: ReadonlyArray<LinalgEngine['name']> =
  tf.findBackendFactory('tensorflow') === null ? ['javascript'] : ['javascript', 'tensorflow'];

const orThrow: <A>(result: E.Either<LaplaceError, A>) => A = E.getOrElseW((error) => {
  throw error;
});

/** The decomposition by the engine of that name. */
export const decompose = (name: LinalgEngine['name'], a: Matrix): SymmetricEigen =>
  F.pipe(
    engineNamed(name),
    E.chain((engine) => engine.symmetricEigen(a)),
    orThrow,
  );

export const norm = ({ data }: Matrix): number => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));

const subtract = (a: Matrix, b: Matrix): Matrix =>
  matrix(
    a.rows,
    a.cols,
    a.data.map((v, i) => v - (b.data[i] as number)),
  );

/** ‖A V − V Λ‖ / (n ε ‖A‖) and ‖VᵀV − I‖ / (n ε), Frobenius: both about 1, at most a few, for a backward stable algorithm. */
export function misfit(a: Matrix, { values, vectors }: SymmetricEigen): { residual: number; orthogonality: number } {
  const n = a.rows;
  const scaled = matrix(
    n,
    n,
    vectors.data.map((v, i) => v * (values[i % n] as number)),
  );
  const residual = norm(subtract(multiply(a, vectors), scaled));
  const orthogonality = norm(subtract(multiply(transpose(vectors), vectors), identity(n)));
  return { residual: residual / (n * EPSILON * (norm(a) || 1)), orthogonality: orthogonality / (n * EPSILON) };
}

/** A symmetric matrix of normal numbers. */
export const gaussianMatrix = (n: number, seed: number): Matrix =>
  symmetricPart(matrix(n, n, Float64Array.from(normals(key(seed), n * n))));

/** Q diag(values) Qᵀ, Q the product of three reflections: dense, and orthogonal to a few ε. */
export function withSpectrum(values: ReadonlyArray<number>, seed: number): Matrix {
  const n = values.length;
  const diagonal = matrix(
    n,
    n,
    identity(n).data.map((v, i) => v * (values[i % n] as number)),
  );
  const q = [0, 1, 2].map((i) => reflection(Float64Array.from(normals(foldIn(key(seed), i), n)))).reduce(multiply);
  return symmetricPart(multiply(multiply(q, diagonal), transpose(q)));
}

/** I − 2 v vᵀ / vᵀv. */
function reflection(v: Float64Array): Matrix {
  const n = v.length;
  const scale = 2 / v.reduce((sum, x) => sum + x * x, 0);
  return matrix(
    n,
    n,
    identity(n).data.map((one, i) => one - scale * (v[Math.floor(i / n)] as number) * (v[i % n] as number)),
  );
}
