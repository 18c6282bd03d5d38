/** Matrices with a known spectrum, engines by name, and how well a decomposition fits. */
import * as tf from '@tensorflow/tfjs-core';
import { either as E } from 'fp-ts';
import type { LaplaceError } from '../../src/errors.js';
import {
  type EngineName,
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
export const AVAILABLE: ReadonlyArray<EngineName> =
  tf.findBackendFactory('tensorflow') === null ? ['javascript', 'wasm'] : ['javascript', 'wasm', 'tensorflow'];

export const orThrow: <A>(result: E.Either<LaplaceError, A>) => A = E.getOrElseW((error) => {
  throw error;
});

/** The engine of that name. */
export const engine = (name: EngineName): LinalgEngine => orThrow(engineNamed(name));

/** The decomposition by the engine of that name. */
export const decompose = (name: EngineName, a: Matrix): SymmetricEigen => orThrow(engine(name).symmetricEigen(a));

export const norm = ({ data }: Matrix): number => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0));

export const subtract = (a: Matrix, b: Matrix): Matrix =>
  matrix(
    a.rows,
    a.cols,
    a.data.map((v, i) => v - (b.data[i] as number)),
  );

/** The largest |a_ij − b_ij|. */
export const distance = (a: Matrix, b: Matrix): number =>
  subtract(a, b).data.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);

/** ‖A V − V Λ‖ / (n ε ‖A‖) and ‖VᵀV − I‖ / (n ε), Frobenius: both about 1, at most a few, for a backward stable algorithm. */
export function misfit(
  a: Matrix,
  { values, vectors }: SymmetricEigen,
  epsilon = EPSILON,
): { residual: number; orthogonality: number } {
  const n = a.rows;
  const probe = probes(n);
  const scaled = (b: Matrix): Matrix =>
    matrix(
      n,
      b.cols,
      b.data.map((v, i) => v * (values[Math.floor(i / b.cols)] as number)),
    );
  const along = multiply(vectors, probe);
  const residual = norm(subtract(multiply(a, along), multiply(vectors, scaled(probe))));
  const orthogonality = norm(subtract(multiply(transpose(vectors), along), probe));
  return { residual: residual / (n * epsilon * (norm(a) || 1)), orthogonality: orthogonality / (n * epsilon) };
}

/** Up to this size norms are exact; beyond, they are estimated from products with this many random vectors, at a percent of the cost. */
const EXACT = 64;

/** P [n, k] with E ‖X P‖² = ‖X‖² for every X (Hutchinson 1990): the identity, or scaled normals. */
function probes(n: number): Matrix {
  if (n <= EXACT) return identity(n);
  return matrix(
    n,
    EXACT,
    Float64Array.from(normals(key(31), n * EXACT), (v) => v / Math.sqrt(EXACT)),
  );
}

/** A symmetric matrix of normal numbers. */
export const gaussianMatrix = (n: number, seed: number): Matrix => symmetricPart(rectangle(n, n, seed));

/** A matrix of normal numbers. */
export const rectangle = (rows: number, cols: number, seed: number): Matrix =>
  matrix(rows, cols, Float64Array.from(normals(key(seed), rows * cols)));

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
