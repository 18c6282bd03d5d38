/**
 * K(ρ) = I + Σ_c z_c z_cᵀ / (δ_c + ρ) for many ρ. By Woodbury, K(ρ) is what it takes to invert diag(δ) + Z Zᵀ + ρ I. The rows of
 * a `lowRank` layer share δ and Z, and each has its own shift ρ. As written, R shifts and m rows z_c of r numbers cost 2 R m r² /
 * 2 operations.
 *
 * With many rows z_c, such as 10,000 outputs, interpolation takes a fraction of that. As a function of log δ, 1 / (δ + ρ) is as
 * smooth as a sigmoid for every ρ. So polynomials of degree 7 interpolate it between nodes at distance H. The matrices z_c z_cᵀ
 * are added up at the nodes once for all ρ, for 8 m r² / 2 operations. Then the R shifts cost R r² / 2 operations for each node.
 * The relative error of 1 / (δ_c + ρ) is at most 4e-10. So K stays positive definite, with a relative error no larger. All of
 * this is in float64 on the host.
 */
import type { Matrix } from '../../types.js';

/** Up to this many rows, each row is a node of its own, and nothing is interpolated. */
const FEW = 512;
/** The distance of neighbouring nodes in log δ. */
const H = 1 / 8;
/** The nodes of one polynomial, counted from the cell that holds a row's log δ. */
const OFFSETS = [-3, -2, -1, 0, 1, 2, 3, 4];

/** Σ_c f(δ_c) z_c z_cᵀ = Σ_k f(δ_k) T_k for f(δ) = 1 / (δ + ρ). */
export interface Grams {
  readonly rank: number;
  /** δ_k, the value of δ at each node. */
  readonly nodes: ReadonlyArray<number>;
  /** T_k for each node: its lower half row by row, r (r + 1) / 2 numbers. */
  readonly sums: ReadonlyArray<Float64Array>;
}

/**
 * Adds up z_c z_cᵀ at the nodes.
 *
 * @param root Z [m, r]
 * @param delta δ [m], each >= 0
 * @param few up to this many rows, each row is a node of its own
 */
export function gramsOf({ cols: r, data }: Matrix, delta: Float64Array, few = FEW): Grams {
  const sums = new Map<number, Float64Array>();
  const add = (node: number, weight: number, c: number): void => {
    const own = sums.get(node) ?? new Float64Array((r * (r + 1)) / 2);
    sums.set(node, own);
    for (let a = 0, at = 0; a < r; a++) {
      const left = weight * (data[c * r + a] as number);
      for (let b = 0; b <= a; b++, at++) own[at] = (own[at] as number) + left * (data[c * r + b] as number);
    }
  };
  for (let c = 0; c < delta.length; c++) {
    const own = delta[c] as number;
    if (delta.length <= few || own === 0) {
      add(own, 1, c);
      continue;
    }
    const place = Math.log(own) / H;
    const cell = Math.floor(place);
    for (const offset of OFFSETS) add(Math.exp(H * (cell + offset)), lagrange(place - cell, offset), c);
  }
  return { rank: r, nodes: [...sums.keys()], sums: [...sums.values()] };
}

/** The Lagrange polynomial at u: it is 1 at the offset `own` and 0 at the other offsets. */
const lagrange = (u: number, own: number): number =>
  OFFSETS.reduce((product, other) => (other === own ? product : (product * (u - other)) / (own - other)), 1);

/** Σ_k weight(δ_k) T_k, the lower half row by row. */
export function weighed({ rank: r, nodes, sums }: Grams, weight: (delta: number) => number): Float64Array {
  const half = new Float64Array((r * (r + 1)) / 2);
  for (let k = 0; k < nodes.length; k++) {
    const factor = weight(nodes[k] as number);
    const own = sums[k] as Float64Array;
    for (let at = 0; at < half.length; at++) half[at] = (half[at] as number) + factor * (own[at] as number);
  }
  return half;
}

/** K(ρ) for every ρ [R] > 0, as lower halves in [R, r, r]. For an infinite ρ it is I. */
export function shifted(grams: Grams, rho: Float64Array): Float64Array {
  const r = grams.rank;
  const all = new Float64Array(rho.length * r * r);
  for (let i = 0; i < rho.length; i++) {
    const half = weighed(grams, (delta) => 1 / (delta + (rho[i] as number)));
    for (let a = 0, at = 0; a < r; a++) {
      for (let b = 0; b <= a; b++, at++) all[(i * r + a) * r + b] = (half[at] as number) + (a === b ? 1 : 0);
    }
  }
  return all;
}
