/**
 * The conformal quantile. Of n held-out scores it takes the k-th smallest, k = ⌈(n + 1) level⌉. The score of a new example is not above
 * it with a probability of at least `level`, and of at most `level` + 1/(n + 1) if no two scores are equal, as long as the new example
 * and the held-out ones are exchangeable (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, theorem 2.2). If k > n, no score is high
 * enough: the quantile is infinite, and every value belongs to the set. O(n log n).
 */
import { type Flat, finite, positiveInteger, refined, taggedUnion, variant } from '../codec/index.js';

const count = refined('an integer >= 0', (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0);

const AtScore = variant('score', {
  /** The k-th smallest of the held-out scores. */
  score: finite,
  /** n. */
  examples: positiveInteger,
});
const Everything = variant('everything', {
  /** n, which is too small. */
  examples: count,
  /** The least n for which the quantile is finite at this level. */
  needed: positiveInteger,
});

/** Decodes a threshold. */
export const Thresholds = taggedUnion('a threshold', AtScore, Everything);

/** Up to which score values belong to a set: up to `score`, or `everything` because too few examples were held out. */
export type Threshold = Flat<(typeof Thresholds)['_A']>;

/** 100 · 0.07 is 7.000000000000001. With this factor a product that rounding has lifted is not rounded up to the next integer. */
const ROUNDING = 1 - 1e-12;

/** k = ⌈(n + 1) level⌉. It is n + 1 if n scores are too few. */
export const rankOf = (n: number, level: number): number => Math.ceil((n + 1) * level * ROUNDING);

/** The least n with ⌈(n + 1) level⌉ <= n. */
const leastCount = (level: number): number => Math.max(1, Math.ceil((level / (1 - level)) * ROUNDING));

/** The threshold of these held-out scores. */
export function thresholdOf(scores: ReadonlyArray<number>, level: number): Threshold {
  const examples = scores.length;
  const rank = rankOf(examples, level);
  return rank > examples
    ? Object.freeze({ _tag: 'everything', examples, needed: leastCount(level) })
    : Object.freeze({ _tag: 'score', score: Float64Array.from(scores).sort()[rank - 1] as number, examples });
}

/** The largest score that still belongs to the set. */
export const largestScore = (threshold: Threshold): number => (threshold._tag === 'score' ? threshold.score : Infinity);
