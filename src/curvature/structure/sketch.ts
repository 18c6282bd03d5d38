/**
 * The sketch Y = G Ω [m, l] of an output factor G [m, m] that is too large to be summed whole. Ω [m, l] is standard normal and
 * depends only on the layout, so the sketches of shards can be added. If l reaches m, Ω is the identity and Y is all of G.
 */
import { foldIn, key } from '../../random/key.js';
import { normals } from '../../random/normals.js';
import type { Matrix } from '../../types.js';

/** How a factor is sketched. */
export interface Sketch {
  /** The largest number of eigenvectors that are kept. */
  readonly rank: number;
  /** l, the number of columns of Ω. */
  readonly columns: number;
  readonly seed: number;
}

/**
 * Columns of Ω beyond the rank. They bring the expected error near the best possible (Halko, Martinsson & Tropp 2011, section
 * 4.2).
 */
const OVERSAMPLING = 10;

/** How a factor of m rows is sketched. */
export const sketchOf = (m: number, { rank, seed }: Pick<Sketch, 'rank' | 'seed'>): Sketch => ({
  rank: Math.min(rank, m),
  columns: Math.min(m, rank + OVERSAMPLING),
  seed,
});

/** The test matrix Ω [m, l]: standard normal, or the identity if l = m. */
export function testMatrix(m: number, { columns, seed }: Sketch): Matrix {
  if (columns < m) return { rows: m, cols: columns, data: Float64Array.from(normals(foldIn(key(seed), columns), m * columns)) };
  const data = new Float64Array(m * m);
  for (let i = 0; i < m; i++) data[i * m + i] = 1;
  return { rows: m, cols: m, data };
}
