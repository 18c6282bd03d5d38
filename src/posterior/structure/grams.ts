/**
 * K(ρ) = I + Σ_c z_c z_cᵀ / (δ_c + ρ) for many ρ: what rows that share a matrix diag(δ) + Z Zᵀ need of it to be inverted at a shift of
 * their own (Woodbury). For R shifts, m rows z_c of r numbers: 2 R m r² / 2 operations as written.
 *
 * Of many rows (10,000 outputs, say) it takes a fraction of that: as a function of log δ, 1 / (δ + ρ) is as smooth as a sigmoid, whatever
 * ρ, so that it may be interpolated between nodes that are H apart, by polynomials of degree 7. The z_c z_cᵀ are then added up at the
 * nodes, once for all ρ: 8 m r² / 2 operations, and R r² / 2 for each node; 1 / (δ_c + ρ) is off by 4e-10 of itself at most, so that K is
 * positive definite as before, and off by no more than that of itself. Float64, on the host.
 */
import type { Matrix } from '../../types.js';

/** Up to this many rows each is a node of its own, and nothing is interpolated. */
const FEW = 512;
/** Distance of two nodes in log δ. */
const H = 1 / 8;
/** Nodes of one polynomial, from −3 to 4 around the cell of a row. */
const OFFSETS = [-3, -2, -1, 0, 1, 2, 3, 4];

/** Σ_c f(δ_c) z_c z_cᵀ = Σ_k f(δ_k) T_k for f(δ) = 1 / (δ + ρ). */
export interface Grams {
  readonly rank: number;
  /** δ_k. */
  readonly nodes: ReadonlyArray<number>;
  /** T_k, the lower half row by row, r (r + 1) / 2 numbers. */
  readonly sums: ReadonlyArray<Float64Array>;
}

/** Adds up the rows of Z [m, r] at the nodes; δ >= 0. `few`: rows up to which each is a node. */
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

/** The polynomial that is 1 at one offset and 0 at the others. */
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

/** K(ρ) of every ρ > 0, the lower halves of [R, r, r]; of an infinite one I. */
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
