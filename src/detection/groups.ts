/** Both groups of inputs, and the scores of each, for `evaluateDetection`. Outside is the positive group. */
import { either as E, function as F } from 'fp-ts';
import { anything, argument, array, decode, dictionary, isRecord, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type DetectionInputs, type Known, knownOf } from './inputs.js';
import { type DetectionScore, nameOf, ruleOf, Scores, UNFITTED } from './scores.js';

/** Inputs like the training data, and others. */
export interface DetectionGroups {
  readonly inside: DetectionInputs;
  readonly outside: DetectionInputs;
}

const Groups = struct('an object with inside and outside', { inside: anything, outside: anything });

/** The same with all batches joined. */
export interface KnownGroups {
  readonly inside: Known;
  readonly outside: Known;
}

/** Checks both groups. */
export const knownGroups = (field: string, given: unknown): E.Either<LaplaceError, KnownGroups> =>
  F.pipe(
    decode(Groups, given, field, 'InvalidInput'),
    E.chain(({ inside, outside }) =>
      F.pipe(
        E.Do,
        E.bind('inside', () => knownOf('inside', inside)),
        E.bind('outside', () => knownOf('outside', outside)),
      ),
    ),
  );

/** Scores with their names. */
export type Named = ReadonlyArray<readonly [name: string, score: DetectionScore]>;

const List = array('a list of scores, or an object of scores by name', Scores);
const ByName = dictionary('scores by name, at least one', Scores);

/** Throws `InvalidOption` for something else than scores, or if two scores of a list have the same name. */
export function named(scores: unknown): Named {
  if (isRecord(scores)) return Object.entries(argument('evaluateDetection', 'scores', ByName, scores));
  const list = argument('evaluateDetection', 'scores', List, scores).map((score) => [nameOf(score), score] as const);
  const twice = list.find(([name], i) => list.findIndex(([other]) => other === name) < i);
  if (twice === undefined) return list;
  throw laplaceError('InvalidOption', {
    what: 'evaluateDetection: scores',
    field: 'scores',
    found: `'${twice[0]}' twice`,
    expected: 'a name for each score',
    remedy: 'Give them names of their own: { scores: { cold: energy({ temperature: 0.1 }), warm: energy() } }.',
  });
}

const has = ({ inside, outside }: KnownGroups, score: DetectionScore): boolean =>
  ruleOf(score).suits(inside) && ruleOf(score).suits(outside);

/** The scores without fitting that both groups have. */
export const possible = (known: KnownGroups): Named =>
  UNFITTED.map((tag) => [tag, argument('evaluateDetection', 'score', Scores, tag)] as const).filter(([, score]) =>
    has(known, score),
  );

/** The values of one score, and those of the baseline if it has the score. */
export interface Line {
  readonly name: string;
  readonly own: Scored;
  readonly other: Scored | undefined;
}

/** Scores outside, and inside. */
interface Scored {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** The values of all scores, or the first error. */
export function linesOf(
  scores: Named,
  known: KnownGroups,
  other: KnownGroups | undefined,
): E.Either<LaplaceError, ReadonlyArray<Line>> {
  if (scores.length === 0) {
    return E.left(
      laplaceError('InvalidInput', {
        what: 'No score can be computed',
        field: 'groups',
        found: 'inside and outside without a common field',
        expected: 'prediction or outputs in both',
        remedy: 'Scores of features need a fitted detector: { scores: [fitted] }.',
      }),
    );
  }
  return F.pipe(
    scores,
    E.traverseArray(([name, score]) =>
      F.pipe(
        E.Do,
        E.bind('own', () => scored(score, known)),
        E.bind('other', () => (other === undefined || !has(other, score) ? E.right(undefined) : scored(score, other))),
        E.filterOrElse(({ own, other: base }) => base === undefined || sameSizes(own, base), otherSizes),
        E.map((groups): Line => ({ name, ...groups })),
      ),
    ),
  );
}

const scored = (score: DetectionScore, { inside, outside }: KnownGroups): E.Either<LaplaceError, Scored> =>
  F.pipe(
    E.Do,
    E.bind('positives', () => ruleOf(score).of(score, outside)),
    E.bind('negatives', () => ruleOf(score).of(score, inside)),
  );

const sameSizes = (a: Scored, b: Scored): boolean =>
  a.positives.length === b.positives.length && a.negatives.length === b.negatives.length;

const sizesOf = ({ positives, negatives }: Scored): string => `${negatives.length} inside, ${positives.length} outside`;

const otherSizes = ({ own, other }: { readonly own: Scored; readonly other: Scored | undefined }): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'The baseline',
    field: 'baseline',
    found: other === undefined ? 'nothing' : sizesOf(other),
    expected: `${sizesOf(own)}, as the groups have`,
  });
