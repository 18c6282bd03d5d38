/**
 * Isotonic calibration: the non-decreasing function q of a probability that minimises Σ_i (q(p_i) − y_i)², by pooling adjacent violators
 * (PAV). Equal p_i count as one with their mean. Between the points it is linear, and constant beyond them. In the binary case q also
 * has the lowest NLL of all non-decreasing functions. Without many held-out examples it overfits. O(N log N).
 * Reference: Ayer et al. 1955; Zadrozny & Elkan 2002; linear between the points as in scikit-learn's IsotonicRegression.
 */
import { array, make, refined, struct, variant } from '../codec/index.js';
import { ascending } from '../metrics/rows.js';
import { type BinaryExamples, eachClass, mapsOf, together } from './oneVersusRest.js';
import type { CalibrationRule } from './rule.js';

const unit = refined('a number in [0, 1]', (v): v is number => typeof v === 'number' && v >= 0 && v <= 1);
/** A float32 probability may exceed 1 by a rounding. */
const reading = refined('a number in [0, 1.01]', (v): v is number => typeof v === 'number' && v >= 0 && v <= 1.01);

export const IsotonicMethod = variant('isotonic', {});
export const IsotonicMap = variant('isotonic', {
  /** The points of each curve by ascending `from`: which probability becomes which. One curve for two classes, else one for each. */
  curves: array('a list of curves', array('a list of points', struct('a point { from, to }', { from: reading, to: unit }))),
});

type Curve = (typeof IsotonicMap)['_A']['curves'][number];

/**
 * Isotonic regression for `fitCalibrator` (Zadrozny & Elkan 2002): any non-decreasing map of a probability. It needs many held-out
 * examples, and may make probabilities equal, or 0.
 *
 * @example
 * ```ts
 * import { isotonicRegression } from 'tfjs-laplace';
 *
 * isotonicRegression(); // => { _tag: 'isotonic' }
 * ```
 */
export const isotonicRegression = (): (typeof IsotonicMethod)['_A'] => make('isotonicRegression', IsotonicMethod, {}, 'isotonic');

export const isotonicRule: CalibrationRule<(typeof IsotonicMethod)['_A'], (typeof IsotonicMap)['_A']> = {
  fit: (_, rows, labels) => Object.freeze({ _tag: 'isotonic', curves: eachClass(rows, labels, curveOf) }),
  apply: ({ curves }, row) => together(curves, row, valueAt),
  suits: ({ curves }, C) => curves.length === mapsOf(C),
};

interface Block {
  readonly first: number;
  readonly last: number;
  readonly sum: number;
  readonly count: number;
}

/** The ends of the blocks that PAV leaves. */
function curveOf({ p, y }: BinaryExamples): Curve {
  const blocks: Block[] = [];
  for (const i of ascending(p)) {
    const [at, own] = [p[i] as number, y[i] as number];
    const before = blocks.at(-1);
    let block: Block = { first: at, last: at, sum: own, count: 1 };
    // Equal probabilities are one point, before any block is pooled with the one on its left.
    if (before !== undefined && before.last === at) {
      blocks.pop();
      block = { ...before, sum: before.sum + own, count: before.count + 1 };
    }
    blocks.push(block);
  }
  const pooled: Block[] = [];
  for (const next of blocks) {
    let block = next;
    for (let left = pooled.at(-1); left !== undefined && left.sum * block.count >= block.sum * left.count; left = pooled.at(-1)) {
      pooled.pop();
      block = { first: left.first, last: block.last, sum: left.sum + block.sum, count: left.count + block.count };
    }
    pooled.push(block);
  }
  const points = pooled.flatMap(({ first, last, sum, count }) => {
    const ends = first === last ? [first] : [first, last];
    return ends.map((from) => Object.freeze({ from, to: sum / count }));
  });
  return Object.freeze(points);
}

/** The value of a curve, by bisection. */
function valueAt(curve: Curve, p: number): number {
  const from = (i: number): number => curve[i]?.from as number;
  const to = (i: number): number => curve[i]?.to as number;
  let [low, high] = [0, curve.length - 1];
  if (p <= from(low)) return to(low);
  if (p >= from(high)) return to(high);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from(middle) <= p) low = middle;
    else high = middle;
  }
  return to(low) + ((to(high) - to(low)) * (p - from(low))) / (from(high) - from(low));
}
