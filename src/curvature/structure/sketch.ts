/**
 * What is summed of an output factor that is too large to be summed whole: its products with a few vectors, Y = G Ω. Ω is standard
 * normal, a function of the layout alone, so that sums of shards can be added; where as many vectors as outputs would be needed, it
 * is the identity and Y all of G.
 */
import { foldIn, key } from '../../random/key.js';
import { normals } from '../../random/normals.js';
import type { Matrix } from '../../types.js';

/** How a factor is sketched. */
export interface Sketch {
  /** The most eigenvectors that are kept. */
  readonly rank: number;
  /** l: columns of Ω. */
  readonly columns: number;
  readonly seed: number;
}

/** More columns than the rank: with them the expected error comes near the best (Halko, Martinsson & Tropp 2011, section 4.2). */
const OVERSAMPLING = 10;

/** The sketch of a factor of m rows. */
export const sketchOf = (m: number, { rank, seed }: Pick<Sketch, 'rank' | 'seed'>): Sketch => ({
  rank: Math.min(rank, m),
  columns: Math.min(m, rank + OVERSAMPLING),
  seed,
});

/** Ω [m, l]. */
export function testMatrix(m: number, { columns, seed }: Sketch): Matrix {
  if (columns < m) return { rows: m, cols: columns, data: Float64Array.from(normals(foldIn(key(seed), columns), m * columns)) };
  const data = new Float64Array(m * m);
  for (let i = 0; i < m; i++) data[i * m + i] = 1;
  return { rows: m, cols: m, data };
}
