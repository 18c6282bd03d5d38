/** The scores of classes. A new score is a file beside this one, and a line in each of the two lists below. */
import { type Flat, taggedUnion } from '../../codec/index.js';
import { foldIn, key, uniforms } from '../../random/index.js';
import { Aps, apsScores } from './aps.js';
import { Lac, lacScores } from './lac.js';
import { Raps, rapsScores } from './raps.js';
import type { ClassScoreRule } from './rule.js';

/** The variants of these scores. */
export const CLASS_SCORES = [Lac, Aps, Raps] as const;

/** Decodes a score of classes. */
export const ClassScores = taggedUnion('a score of classes', ...CLASS_SCORES);

/** How unusual each class is for an example: the higher, the less the class fits. */
export type ClassScore = Flat<(typeof ClassScores)['_A']>;

const RULES: { readonly [T in ClassScore['_tag']]: ClassScoreRule<Extract<ClassScore, { readonly _tag: T }>> } = {
  lac: lacScores,
  aps: apsScores,
  raps: rapsScores,
};

/** The scores of all classes for one example. */
export const scoresOf: ClassScoreRule<ClassScore> = (score, row, u) =>
  (RULES[score._tag] as ClassScoreRule<ClassScore>)(score, row, u);

/** Held-out and new examples draw from different streams. */
export const HELD_OUT = 0;
export const NEW = 1;

/** The random parts [N] of N examples, all 0 if the score has none. */
export const randomParts = (score: ClassScore, N: number, purpose: number, seed?: number): ArrayLike<number> =>
  'randomised' in score && score.randomised ? uniforms(foldIn(key(seed ?? score.seed), purpose), N) : new Float64Array(N);
