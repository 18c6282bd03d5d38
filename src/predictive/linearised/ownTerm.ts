/**
 * Takes the term of one training example out of the Gaussian over its outputs, f ~ N(f*, V), in closed form. With the gradient g of its
 * NLL in f, the curvature Λ = R Rᵀ of its NLL and W = V R:
 *
 *   corrected   V₋ = (V⁻¹ − Λ)⁻¹ = V + W (I − S)⁻¹ Wᵀ,   S = Rᵀ V R,   f₋ = f* + V₋ g
 *   plain       V₋ = V,                                               f₋ = f* + V g
 *
 * The corrected form is one Newton step of the loss without the example, from the trained weights. It is exact in a linear model with
 * Gaussian noise. tr S = tr(Λ V) is the leverage: how many parameters the example determines. The eigenvalues of S are below 1 where V is
 * exact; near 1 the example determines its own outputs, and above 1 an approximate V counts it more than once.
 *
 * Pure, float64, O(C³) an example. Source: Opper & Winther 2000; Rad & Maleki 2020; Nickl et al. 2023.
 */
import { choleskyRoots } from '../../linalg/small.js';

/**
 * The corrected form is trusted where no eigenvalue of I − S is below this: V₋ is then at most ten times as wide as V in any direction, and
 * an error of V counts at most a hundredfold.
 */
export const LEAST_REMAINDER = 0.1;

/** One training example in the linearised model. */
export interface OwnTerm {
  /** f* [C]. */
  readonly mean: ArrayLike<number>;
  /** V [C·C], row by row. */
  readonly covariance: ArrayLike<number>;
  /** g [C]. */
  readonly gradient: ArrayLike<number>;
  /** Rᵀ [K·C], row by row: Λ = Σ_k r_k r_kᵀ. */
  readonly root: ArrayLike<number>;
}

/** f₋ [C] and V₋ [C·C]. */
export interface LeftOut {
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
}

/** What is left of an example's outputs without its own term. */
export interface WithoutOwn {
  /** tr(Λ V). */
  readonly leverage: number;
  /** Whether every eigenvalue of I − S is at least `LEAST_REMAINDER`. */
  readonly isTrusted: boolean;
  readonly plain: LeftOut;
  /** Undefined if I − S is not positive definite, or if nobody asked for it. */
  readonly corrected: LeftOut | undefined;
}

/** Takes the example's own term out. */
export function withoutOwn({ mean, covariance, gradient, root }: OwnTerm, isCorrected: boolean): WithoutOwn {
  const C = mean.length;
  const K = root.length / C;
  const V = symmetric(covariance, C);
  const W = new Float64Array(K * C);
  for (let k = 0; k < K; k++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let d = 0; d < C; d++) sum += (root[k * C + d] as number) * (V[d * C + c] as number);
      W[k * C + c] = sum;
    }
  }
  const S = new Float64Array(K * K);
  for (let k = 0; k < K; k++) {
    for (let l = 0; l <= k; l++) {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += (W[k * C + c] as number) * (root[l * C + c] as number);
      S[k * K + l] = sum;
    }
  }
  let leverage = 0;
  for (let k = 0; k < K; k++) leverage += S[k * K + k] as number;
  const step = (of: Float64Array): LeftOut => ({ mean: moved(mean, of, gradient), covariance: of });
  const factor = isCorrected ? remainder(S, K, 1) : undefined;
  return {
    leverage,
    isTrusted: remainder(S, K, 1 - LEAST_REMAINDER) !== undefined,
    plain: step(V),
    corrected: factor && step(widened(V, factor, W, C)),
  };
}

/** (V + Vᵀ) / 2: a covariance from the device is symmetric only up to rounding. */
function symmetric(covariance: ArrayLike<number>, C: number): Float64Array {
  const V = new Float64Array(C * C);
  for (let c = 0; c < C; c++) {
    for (let d = 0; d < C; d++) V[c * C + d] = ((covariance[c * C + d] as number) + (covariance[d * C + c] as number)) / 2;
  }
  return V;
}

/** L with L Lᵀ = size · I − S, from the lower half of S. Undefined if that is not positive definite. */
function remainder(S: Float64Array, K: number, size: number): Float64Array | undefined {
  const L = S.map((value) => -value);
  for (let k = 0; k < K; k++) L[k * K + k] = size + (L[k * K + k] as number);
  choleskyRoots(L, K);
  for (let k = 0; k < K; k++) if (!((L[k * K + k] as number) > 0)) return undefined;
  return L;
}

/** V + Xᵀ X with L X = W. */
function widened(V: Float64Array, L: Float64Array, W: Float64Array, C: number): Float64Array {
  const K = W.length / C;
  const X = new Float64Array(W);
  const whole = new Float64Array(V);
  for (let k = 0; k < K; k++) {
    for (let c = 0; c < C; c++) {
      let sum = X[k * C + c] as number;
      for (let l = 0; l < k; l++) sum -= (L[k * K + l] as number) * (X[l * C + c] as number);
      X[k * C + c] = sum / (L[k * K + k] as number);
    }
    for (let c = 0; c < C; c++) {
      for (let d = 0; d < C; d++)
        whole[c * C + d] = (whole[c * C + d] as number) + (X[k * C + c] as number) * (X[k * C + d] as number);
    }
  }
  return whole;
}

/** f* + V g. */
function moved(mean: ArrayLike<number>, V: Float64Array, gradient: ArrayLike<number>): Float64Array {
  const C = mean.length;
  return Float64Array.from(mean, (f, c) => {
    let sum = f;
    for (let d = 0; d < C; d++) sum += (V[c * C + d] as number) * (gradient[d] as number);
    return sum;
  });
}
