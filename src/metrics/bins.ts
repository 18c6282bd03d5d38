/**
 * Bins of scores, with the sums that calibration needs. An example has a score s in [0, 1] (a probability) and an outcome o, 1 if what was
 * predicted came true, otherwise 0.
 *
 *   width   bin m = ((m − 1) / M, m / M]; the first bin also holds 0
 *   mass    bins of N / M examples in the order of their scores; equal scores share a bin, that of their middle rank
 *
 * Sums over the examples of a bin add up over parts of a data set. Bins of equal width have the same edges for every part, bins of equal
 * mass have not. O(N), or O(N log N) for equal mass.
 */
import { defaulted, literals, positiveInteger, struct } from '../codec/index.js';
import { ascending } from './rows.js';

/** How predictions are put into bins: bins of equal width, or bins with equally many predictions. */
export type Binning = 'width' | 'mass';

export interface CalibrationOptions {
  /** M, an integer >= 1. Default 15. */
  readonly bins?: number;
  /** Bins of equal width, or with equally many predictions. Default `'width'`. */
  readonly binning?: Binning;
}

export const binCount = defaulted(positiveInteger, 15);
export const CalibrationOptionsCodec = struct('options', {
  bins: binCount,
  binning: defaulted(literals('width', 'mass'), 'width'),
});

/** For each bin [M]: the number of examples, and sums over them. */
export interface BinSums {
  readonly count: Float64Array;
  readonly scores: Float64Array;
  readonly outcomes: Float64Array;
  /** Sums of squared scores. */
  readonly squares: Float64Array;
  /** Sums of score times outcome. */
  readonly products: Float64Array;
}

/** Bins of a data set. Bin m holds scores in (edges[m], edges[m + 1]]. */
export interface Bins {
  readonly edges: Float64Array;
  readonly sums: BinSums;
}

const SUMS = ['count', 'scores', 'outcomes', 'squares', 'products'] as const;

export const noSums = (M: number): BinSums => mapSums(() => new Float64Array(M));

/** The sums of two disjoint parts of a data set. */
export const addSums = (a: BinSums, b: BinSums): BinSums =>
  mapSums((part) => a[part].map((sum, m) => sum + (b[part][m] as number)));

const mapSums = (of: (part: (typeof SUMS)[number]) => Float64Array): BinSums =>
  Object.fromEntries(SUMS.map((part) => [part, of(part)])) as unknown as BinSums;

/** The edges of M bins of equal width. */
export const evenEdges = (M: number): Float64Array => Float64Array.from({ length: M + 1 }, (_, m) => m / M);

/** Puts examples into bins. */
export function binned(scores: ArrayLike<number>, outcomes: ArrayLike<number>, M: number, binning: Binning): Bins {
  const place = binning === 'width' ? byWidth(scores, M) : byMass(scores, M);
  const sums = noSums(M);
  for (let i = 0; i < scores.length; i++) {
    const m = place[i] as number;
    const score = scores[i] as number;
    const outcome = outcomes[i] as number;
    add(sums.count, m, 1);
    add(sums.scores, m, score);
    add(sums.outcomes, m, outcome);
    add(sums.squares, m, score * score);
    add(sums.products, m, score * outcome);
  }
  return { edges: binning === 'width' ? evenEdges(M) : massEdges(scores, place, M), sums };
}

const add = (sums: Float64Array, m: number, value: number): void => {
  sums[m] = (sums[m] as number) + value;
};

/** The bin of equal width that holds a score. Rounding can lift a float32 probability above 1: it then goes into the last bin. */
export const binOf = (score: number, M: number): number => Math.max(0, Math.min(M, Math.ceil(score * M)) - 1);

const byWidth = (scores: ArrayLike<number>, M: number): Uint32Array => Uint32Array.from(scores, (score) => binOf(score, M));

function byMass(scores: ArrayLike<number>, M: number): Uint32Array {
  const N = scores.length;
  const order = ascending(scores);
  const place = new Uint32Array(N);
  for (let start = 0; start < N; ) {
    let end = start + 1;
    while (end < N && scores[order[end] as number] === scores[order[start] as number]) end++;
    const m = Math.floor((M * (start + end - 1)) / (2 * N));
    for (let k = start; k < end; k++) place[order[k] as number] = m;
    start = end;
  }
  return place;
}

/** The upper edge of a bin is its highest score. An empty bin has the edges of a point. */
function massEdges(scores: ArrayLike<number>, place: Uint32Array, M: number): Float64Array {
  const edges = new Float64Array(M + 1);
  for (let i = 0; i < scores.length; i++) {
    const upper = (place[i] as number) + 1;
    edges[upper] = Math.max(edges[upper] as number, scores[i] as number);
  }
  for (let m = 1; m <= M; m++) edges[m] = Math.max(edges[m] as number, edges[m - 1] as number);
  return edges;
}
