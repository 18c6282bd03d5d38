/**
 * Log-probabilities as logits. The logits of a softmax are its log-probabilities plus a constant for each row. A probability below
 * 2⁻¹²⁶, the smallest normal float32, counts as 2⁻¹²⁶, so that its logarithm is finite.
 */
const SMALLEST = 2 ** -126;

/** log p [C] of one row. */
export const logProbabilities = (row: ArrayLike<number>): Float64Array =>
  Float64Array.from(row, (p) => Math.log(Math.max(p, SMALLEST)));

/** exp(z_c) / Σ_k exp(z_k), [C]. */
export function softmax(z: ArrayLike<number>): Float64Array {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < z.length; c++) most = Math.max(most, z[c] as number);
  const e = Float64Array.from(z, (v) => Math.exp(v - most));
  const total = e.reduce((sum, v) => sum + v, 0);
  return e.map((v) => v / total);
}

/** −log softmax(z)_y, without the underflow of a small probability. */
export function crossEntropy(z: ArrayLike<number>, y: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < z.length; c++) most = Math.max(most, z[c] as number);
  let sum = 0;
  for (let c = 0; c < z.length; c++) sum += Math.exp((z[c] as number) - most);
  return most + Math.log(sum) - (z[y] as number);
}
