/** MAPIE's values (generate.py says how they are made, and where its definitions differ). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conformalIntervals, conformalSets, predictionIntervals, predictionSets } from 'tfjs-laplace';
import { thresholdOf } from '../../src/conformal/quantile.js';
import { aps } from '../../src/conformal/sets/aps.js';
import { ranked } from '../../src/conformal/sets/cumulative.js';
import { raps } from '../../src/conformal/sets/raps.js';
import { type ClassScore, scoresOf } from '../../src/conformal/sets/scores.js';
import { right } from '../support/math/laplace.js';

interface Scored {
  readonly scores: number[];
  /** [levels][B] */
  readonly sets: number[][][];
}

/** Intervals [levels][B][2]. */
type Spans = number[][][];

const MAPIE: {
  readonly levels: number[];
  readonly probabilities: number[][];
  readonly labels: number[];
  readonly new: number[][];
  readonly uHeldOut: number[];
  readonly uNew: number[];
  readonly lac: Scored;
  readonly aps: Scored;
  readonly raps: Scored & { readonly penalty: number; readonly free: number };
  readonly regression: {
    readonly x: number[][];
    readonly targets: number[];
    readonly new: number[][];
    readonly absolute: Spans;
    readonly normalised: Spans;
    readonly cqr: Spans;
  };
} = JSON.parse(readFileSync(join(__dirname, 'mapie.json'), 'utf8'));

/** Both sides add up six float64 probabilities in the same order, and interpolate nothing. */
const DIGITS = 13;

const rows = (list: ReadonlyArray<Int32Array>): number[][] => list.map((set) => Array.from(set));
const levels = MAPIE.levels.map((level, l) => [level, l] as const);

it.each(levels)('lac at level %f', (level, l) => {
  const fitted = right(conformalSets(MAPIE.probabilities, MAPIE.labels, { score: 'lac', level }));
  expect(rows(right(predictionSets(MAPIE.new, fitted)))).toEqual(MAPIE.lac.sets[l]);
});

const randomised: ReadonlyArray<readonly [string, ClassScore, Scored]> = [
  ['aps', aps(), MAPIE.aps],
  ['raps', raps({ penalty: MAPIE.raps.penalty, free: MAPIE.raps.free }), MAPIE.raps],
];

const heldOut = (score: ClassScore): number[] =>
  MAPIE.probabilities.map((row, i) => scoresOf(score, row, MAPIE.uHeldOut[i] as number)[MAPIE.labels[i] as number] as number);

/** The sets of MAPIE's new examples with MAPIE's random numbers. */
function setsWith(score: ClassScore, level: number): number[][] {
  const threshold = thresholdOf(heldOut(score), level);
  if (threshold._tag === 'everything') throw new Error('too few');
  return MAPIE.new.map((row, i) =>
    Array.from(scoresOf(score, row, MAPIE.uNew[i] as number)).flatMap((s, c) => (s <= threshold.score ? [c] : [])),
  );
}

it.each(randomised)("%s: scores of held-out labels, with MAPIE's random numbers", (_, score, { scores }) => {
  heldOut(score).forEach((s, i) => {
    expect(s).toBeCloseTo(scores[i] as number, DIGITS);
  });
});

it.each(levels)('aps at level %f', (level, l) => {
  expect(setsWith(aps(), level)).toEqual(MAPIE.aps.sets[l]);
});

it.each(levels)('raps at level %f, but for the last class where MAPIE divides by something else', (level, l) => {
  const { penalty, free, sets } = MAPIE.raps;
  const other = setsWith(raps({ penalty, free }), level).flatMap((set, i) => {
    const theirs = sets[l]?.[i] as number[];
    const [longer, shorter] = set.length > theirs.length ? [set, theirs] : [theirs, set];
    const extra = longer.filter((c) => !shorter.includes(c));
    expect(shorter.every((c) => longer.includes(c))).toBe(true);
    return extra.map((c) => [ranked(MAPIE.new[i] as number[]).ranks[c] as number, extra.length] as const);
  });
  for (const [rank, count] of other) {
    expect(count).toBe(1);
    expect(rank).toBeGreaterThan(free);
  }
});

const { x, targets, new: fresh } = MAPIE.regression;
const column = (table: number[][], c: number): number[][] => table.map((row) => [row[c] as number]);
const means = (table: number[][]) => ({ mean: column(table, 0), variance: column(table, 1).map(([s = 0]) => [s * s]) });
const ends = (table: number[][]) => ({ lower: column(table, 2), upper: column(table, 3) });

it.each(['absolute', 'normalised', 'cqr'] as const)('%s', (score) => {
  const of = score === 'cqr' ? ends : means;
  for (const [level, l] of levels) {
    const fitted = right(
      conformalIntervals(
        of(x),
        targets.map((y) => [y]),
        { score, level },
      ),
    );
    const { lower, upper } = right(predictionIntervals(of(fresh), fitted));
    MAPIE.regression[score][l]?.forEach(([low, high], i) => {
      expect(lower[i]?.[0]).toBeCloseTo(low as number, DIGITS);
      expect(upper[i]?.[0]).toBeCloseTo(high as number, DIGITS);
    });
  }
});
