/**
 * Cholesky roots of many small positive definite matrices, which lie one behind the other in one array. No engine is used: it
 * would check and copy each matrix, which takes longer than the work itself. Float64, in place, r³ / 3 operations a matrix.
 */

/** Puts L with A = L Lᵀ in place of the lower half of each A [r, r]. The upper half stays. Each A must be positive definite. */
export function choleskyRoots(matrices: Float64Array, r: number): void {
  for (let first = 0; first < matrices.length; first += r * r) {
    for (let j = 0; j < r; j++) {
      const own = first + j * r;
      for (let i = j; i < r; i++) {
        const row = first + i * r;
        let sum = matrices[row + j] as number;
        for (let k = 0; k < j; k++) sum -= (matrices[row + k] as number) * (matrices[own + k] as number);
        matrices[row + j] = i === j ? Math.sqrt(sum) : sum / (matrices[own + j] as number);
      }
    }
  }
}

/** L⁻¹ of each lower triangular L [r, r], zero above the diagonal. */
export function inverseRoots(roots: Float64Array, r: number): Float64Array {
  const inverses = new Float64Array(roots.length);
  for (let first = 0; first < roots.length; first += r * r) {
    for (let j = 0; j < r; j++) {
      inverses[first + j * r + j] = 1 / (roots[first + j * r + j] as number);
      for (let i = j + 1; i < r; i++) {
        let sum = 0;
        for (let k = j; k < i; k++) sum -= (roots[first + i * r + k] as number) * (inverses[first + k * r + j] as number);
        inverses[first + i * r + j] = sum / (roots[first + i * r + i] as number);
      }
    }
  }
  return inverses;
}

/** log det A of each matrix, from its root L. */
export function logDeterminants(roots: Float64Array, r: number): Float64Array {
  return Float64Array.from({ length: r === 0 ? 0 : roots.length / (r * r) }, (_, m) => {
    let sum = 0;
    for (let i = 0; i < r; i++) sum += Math.log(roots[(m * r + i) * r + i] as number);
    return 2 * sum;
  });
}
