/**
 * How the evidence depends on a layer's prior precision τ: all that it takes of a structure, in one place. A new structure is one more
 * `Determinant`.
 *
 *   R(τ) = log det (posterior precision) − log det (prior precision) = Σ log(1 + λ/τ)
 *   γ(τ) = −dR / d log τ = Σ λ / (λ + τ)          the parameters that the data determine (MacKay 1992)
 *   dγ / d log τ = −Σ λ τ / (λ + τ)²              in [−γ, 0]
 *
 * λ is the curvature of the whole data set along a direction, N α_i γ_j or N times the entry of a spectrum. Factored damping has
 * (a + √τ) (b + √τ) along a direction, a = √N α_i, b = √N γ_j: its R is a sum of two, over rows and over columns, and costs n + m.
 */
import { isLowRank } from './lowRank.js';
import { lowRankDeterminant } from './lowRankDeterminant.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** γ and dγ / d log τ at a τ. */
export interface Effective {
  readonly count: number;
  /** In [−count, 0]. */
  readonly slope: number;
}

/** One layer's part of the evidence as functions of τ. */
export interface Determinant {
  /** R(τ). */
  readonly logRatio: (tau: number) => number;
  /** γ(τ) and its slope: one division a direction, no logarithm. */
  readonly effective: (tau: number) => Effective;
}

/** The determinant of a layer. */
export function determinant(posterior: Posterior, layer: PosteriorLayer): Determinant {
  if (isLowRank(layer)) return lowRankDeterminant(posterior, layer);
  const { damping, datasetSize: N } = posterior;
  if (layer.spectrum !== undefined) return exact([[N, layer.spectrum.data]]);
  const { groups, n, m, input, gradient } = layer;
  const sides = Array.from({ length: groups }, (_, p) => ({
    alpha: input.values.subarray(p * n, (p + 1) * n),
    gamma: gradient.values.subarray(p * m, (p + 1) * m),
  }));
  switch (damping._tag) {
    case 'exact':
      return exact(sides.flatMap(({ alpha, gamma }) => Array.from(alpha, (a): Row => [N * a, gamma])));
    case 'factored': {
      const root = Math.sqrt(N);
      return factored(
        sides.flatMap(({ alpha, gamma }): Row[] => [
          [m * root, alpha],
          [n * root, gamma],
        ]),
        root,
      );
    }
  }
}

/** Curvatures: a factor, and the numbers that it multiplies. */
type Row = readonly [factor: number, values: Float64Array];

/** λ = factor · value. Rows of zeros (pixels that are never on, say) add nothing. */
function exact(all: ReadonlyArray<Row>): Determinant {
  const rows = all.filter(([factor]) => factor > 0);
  return {
    logRatio: (tau) => rows.reduce((sum, [factor, values]) => sum + sumLog1p(values, factor / tau), 0),
    effective: (tau) => {
      let count = 0;
      let slope = 0;
      for (const [factor, values] of rows) {
        for (let j = 0; j < values.length; j++) {
          const lambda = factor * (values[j] as number);
          const share = lambda / (lambda + tau);
          count += share;
          slope -= share * (1 - share);
        }
      }
      return { count, slope };
    },
  };
}

/** Σ weight · log(1 + √N value / √τ), a row's factor being its weight times √N. */
function factored(rows: ReadonlyArray<Row>, root: number): Determinant {
  return {
    logRatio: (tau) => rows.reduce((sum, [factor, values]) => sum + (factor / root) * sumLog1p(values, root / Math.sqrt(tau)), 0),
    effective: (tau) => {
      const rootTau = Math.sqrt(tau);
      let count = 0;
      let slope = 0;
      for (const [factor, values] of rows) {
        const weight = factor / root;
        for (const value of values) {
          const share = (root * value) / (root * value + rootTau);
          count += (weight * share) / 2;
          slope -= (weight * share * (1 - share)) / 4;
        }
      }
      return { count, slope };
    },
  };
}

/** Below it, products of 1 + x don't overflow when one more factor comes. */
const FULL = 1e150;

/**
 * Σ log(1 + scale · value): the logarithm of products, as many factors as float64 holds. What is kept is the product minus 1, so that
 * directions of which the data say little keep their digits, as they would with log1p of each.
 */
function sumLog1p(values: Float64Array, scale: number): number {
  let sum = 0;
  let beyond = 0;
  for (let j = 0; j < values.length; j++) {
    const x = scale * (values[j] as number);
    if (x > FULL) sum += Math.log1p(x);
    else {
      beyond += x + x * beyond;
      if (beyond > FULL) {
        sum += Math.log1p(beyond);
        beyond = 0;
      }
    }
  }
  return sum + Math.log1p(beyond);
}
