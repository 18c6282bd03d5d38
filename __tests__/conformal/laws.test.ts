/** What conformal prediction promises, on simulated data: coverage, nested sets, too few examples, ties, groups, and values as data. */
import * as fc from 'fast-check';
import { either as E } from 'fp-ts';
import {
  absoluteError,
  aps,
  boundsCoverage,
  type ClassScore,
  conformalIntervals,
  conformalSets,
  cqr,
  credibleIntervals,
  decodeConformal,
  type IntervalScore,
  lac,
  meanSetSize,
  normalisedError,
  predictionIntervals,
  predictionSets,
  raps,
  setCoverage,
} from 'tfjs-laplace';
import { right } from '../support/math/laplace.js';
import { normalSource, take, uniformSource } from '../support/math/monteCarlo.js';
import { CLASSIFICATION, REGRESSION } from '../support/predictions.js';

const C = 4;

/** Examples whose labels follow a softmax, and a network that is too sure of it. One in three has a label of class 3, whatever the logits. */
function classSource(seed: number, known = true) {
  const [uniform, normal] = [uniformSource(seed), normalSource(seed + 1)];
  const softmax = (z: number[]) => {
    const e = z.map(Math.exp);
    const total = e.reduce((a, b) => a + b);
    return e.map((v) => v / total);
  };
  return (n: number) => {
    const examples = Array.from({ length: n }, () => {
      const z = take(C, normal);
      let [u, label] = [uniform(), 0];
      for (const p of softmax(z)) {
        if (u < p) break;
        u -= p;
        label += 1;
      }
      const y = uniform() < 1 / 3 ? 3 : Math.min(label, C - 1);
      return { row: softmax((known ? z : take(C, normal)).map((v) => 2 * v)), y };
    });
    return { rows: examples.map(({ row }) => row), labels: examples.map(({ y }) => y) };
  };
}

/** n = 20 and a level of 0.9: k = 19, so that a score without ties covers with a probability of exactly 19/21 = 0.905. */
const [TRIALS, N, LEVEL] = [2000, 20, 0.9];
/** Five standard errors of a share of TRIALS, 0.034: the seeds are fixed. k = 18, the rank of ⌈n level⌉, would cover 18/21 = 0.857. */
const ERROR = 5 * Math.sqrt((LEVEL * (1 - LEVEL)) / TRIALS);

const SCORES: ReadonlyArray<readonly [string, (seed: number) => ClassScore, boolean, boolean]> = [
  ['lac', () => lac(), true, true],
  ['aps', (seed) => aps({ seed }), true, true],
  ['aps without randomisation', () => aps({ randomised: false }), true, true],
  ['raps', (seed) => raps({ penalty: 0.1, free: 1, seed }), true, true],
  ['raps without randomisation', () => raps({ randomised: false, free: 0 }), true, true],
  ['lac of random probabilities', () => lac(), false, true],
];

it.each(SCORES)('%s covers at its level, whatever the network is', (_, score, known) => {
  const draw = classSource(3, known);
  let hits = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const [heldOut, fresh] = [draw(N), draw(1)];
    const fitted = right(conformalSets(heldOut.rows, heldOut.labels, { score: score(trial), level: LEVEL }));
    hits += right(setCoverage(right(predictionSets(fresh.rows, fitted)), fresh.labels));
  }
  expect(hits / TRIALS).toBeGreaterThan(LEVEL - ERROR);
  expect(hits / TRIALS).toBeLessThan(LEVEL + ERROR);
});

const INTERVALS: ReadonlyArray<readonly [string, IntervalScore]> = [
  ['absolute', absoluteError()],
  ['normalised', normalisedError()],
  ['cqr', cqr()],
];

it.each(INTERVALS)('%s covers at its level, whatever the network is', (_, score) => {
  const [uniform, normal] = [uniformSource(4), normalSource(5)];
  const draw = (n: number) => {
    const examples = Array.from({ length: n }, () => ({ s: 0.5 + uniform(), mean: normal(), y: normal() ** 3 }));
    const predictions =
      score._tag === 'cqr'
        ? { lower: examples.map(({ mean, s }) => [mean - s]), upper: examples.map(({ mean, s }) => [mean + s]) }
        : { mean: examples.map(({ mean }) => [mean]), variance: examples.map(({ s }) => [s * s]) };
    return { predictions, targets: examples.map(({ y }) => [y]) };
  };
  let hits = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const [heldOut, fresh] = [draw(N), draw(1)];
    const fitted = right(conformalIntervals(heldOut.predictions, heldOut.targets, { score, level: LEVEL }));
    hits += right(boundsCoverage(right(predictionIntervals(fresh.predictions, fitted)), fresh.targets));
  }
  expect(hits / TRIALS).toBeGreaterThan(LEVEL - ERROR);
  expect(hits / TRIALS).toBeLessThan(LEVEL + ERROR);
});

it('by class covers each class; on average over all, the class that the network does not know is covered less', () => {
  const draw = classSource(6);
  const [heldOut, fresh] = [draw(3000), draw(6000)];
  const coverageOf = (by: 'all' | 'class', c: number): number => {
    const sets = right(predictionSets(fresh.rows, right(conformalSets(heldOut.rows, heldOut.labels, { by }))));
    const own = sets.filter((_, i) => fresh.labels[i] === c);
    return right(
      setCoverage(
        own,
        own.map(() => c),
      ),
    );
  };
  // At least 600 of 3000 and 1000 of 6000: five standard errors of both are below 5 √(0.09 (1/600 + 1/1000)) = 0.078.
  for (let c = 0; c < C; c++) expect(Math.abs(coverageOf('class', c) - 0.9)).toBeLessThan(0.078);
  // Found 0.859, with a standard error of 0.01.
  expect(coverageOf('all', 3)).toBeLessThan(0.87);
});

it('by group is the same as fitting each group alone', () => {
  const draw = classSource(7);
  const [heldOut, fresh] = [draw(200), draw(50)];
  const group = (_: unknown, i: number) => (i % 3 === 0 ? 'day' : 'night');
  const by = heldOut.rows.map(group);
  const sets = right(
    predictionSets(fresh.rows, right(conformalSets(heldOut.rows, heldOut.labels, { by })), { groups: fresh.rows.map(group) }),
  );
  for (const name of ['day', 'night']) {
    const own = <A>(values: readonly A[]) => values.filter((_, i) => group(0, i) === name);
    const alone = right(conformalSets(own(heldOut.rows), own(heldOut.labels)));
    expect(own(sets)).toEqual(right(predictionSets(own(fresh.rows), alone)));
  }
});

it('groups have intervals of their own, and an unknown group is refused with the known ones', () => {
  const fitted = right(
    conformalIntervals({ mean: [[0], [0], [0], [0]] }, [[1], [9], [1], [9]], {
      score: 'absolute',
      level: 0.5,
      by: ['a', 'b', 'a', 'b'],
    }),
  );
  const at = (groups: string[]) => predictionIntervals({ mean: [[0], [0]] }, fitted, { groups });
  expect(right(at(['b', 'a'])).upper).toEqual([Float64Array.of(9), Float64Array.of(1)]);
  const message =
    "predictionIntervals: groups[1]: found 'c', expected one of 'a', 'b'. A group needs held-out examples of its own.";
  expect(at(['a', 'c'])).toEqual(E.left(expect.objectContaining({ kind: 'InvalidInput', field: 'groups', message })));
  expect(at(['a'])).toEqual(E.left(expect.objectContaining({ kind: 'InvalidInput', field: 'groups' })));
  expect(predictionIntervals({ mean: [[0]] }, fitted)).toEqual(E.left(expect.objectContaining({ found: 'none' })));
});

const level = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);

it('law: sets and intervals grow with the level', () => {
  const draw = classSource(8);
  const [heldOut, fresh] = [draw(30), draw(20)];
  const numbers = (rows: number[][]) => ({ mean: rows.map(([p = 0]) => [p]), variance: rows.map(([, p = 0]) => [p + 1]) });
  const targets = heldOut.rows.map(([, , p = 0]) => [4 * p]);
  fc.assert(
    fc.property(level, level, fc.integer({ min: 0, max: 2 }), (one, other, s) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const score = [lac(), aps(), raps()][s] as ClassScore;
      const at = (own: number) =>
        right(predictionSets(fresh.rows, right(conformalSets(heldOut.rows, heldOut.labels, { score, level: own }))));
      const [smaller, larger] = [at(low), at(high)];
      smaller.forEach((set, i) => {
        expect(Array.from(set).every((c) => larger[i]?.includes(c))).toBe(true);
      });
      const spans = (own: number) =>
        right(
          predictionIntervals(numbers(fresh.rows), right(conformalIntervals(numbers(heldOut.rows), targets, { level: own }))),
        );
      const [narrow, wide] = [spans(low), spans(high)];
      narrow.upper.forEach((row, i) => {
        expect(row[0]).toBeLessThanOrEqual(wide.upper[i]?.[0] as number);
        expect(narrow.lower[i]?.[0]).toBeGreaterThanOrEqual(wide.lower[i]?.[0] as number);
      });
    }),
  );
});

it.each([
  [0.9, 9],
  [0.95, 19],
  [0.8, 4],
  [0.99, 99],
  [0.5, 1],
  [0.07, 1],
])('at a level of %f it takes %i examples to exclude anything', (own, needed) => {
  const draw = classSource(9);
  const fitted = (n: number) => {
    const { rows, labels } = draw(n);
    return right(conformalSets(rows, labels, { level: own }));
  };
  expect(fitted(needed).thresholds.all).toMatchObject({ _tag: 'score', examples: needed });
  if (needed === 1) return;
  const few = fitted(needed - 1);
  expect(few.thresholds).toEqual({ all: { _tag: 'everything', examples: needed - 1, needed } });
  expect(right(meanSetSize(right(predictionSets(draw(3).rows, few))))).toBe(C);
});

it('too few numbers give infinite intervals, and a class without an example belongs to every set', () => {
  const few = right(conformalIntervals({ mean: [[0]] }, [[1]], { score: 'absolute' }));
  expect(right(predictionIntervals({ mean: [[0]] }, few))).toEqual({
    lower: [Float64Array.of(-Infinity)],
    upper: [Float64Array.of(Infinity)],
  });
  const sure = Array.from({ length: 9 }, () => [0.9, 0.05, 0.05]);
  const fitted = right(conformalSets(sure, new Int32Array(9), { by: 'class' }));
  expect(fitted.thresholds[2]).toEqual({ _tag: 'everything', examples: 0, needed: 9 });
  expect(right(predictionSets([[0.9, 0.05, 0.05]], fitted))).toEqual([Int32Array.of(0, 1, 2)]);
});

it('ties: equal scores are in the set together, and equal probabilities rank by class', () => {
  const same = Array.from({ length: 9 }, () => [0.5, 0.25, 0.25]);
  const fitted = right(conformalSets(same, [0, 0, 0, 0, 0, 0, 1, 2, 1], { level: 0.7 }));
  expect(right(predictionSets([[0.5, 0.25, 0.25]], fitted))).toEqual([Int32Array.of(0, 1, 2)]);
  const sums = right(conformalSets(same, new Int32Array(9).fill(1), { score: aps({ randomised: false }) }));
  expect(sums.thresholds.all).toEqual({ _tag: 'score', score: 0.75, examples: 9 });
  expect(right(predictionSets([[0.25, 0.5, 0.25]], sums))).toEqual([Int32Array.of(0, 1)]);
});

it('a randomised score draws the same with the same seed, and something else with another', () => {
  const draw = classSource(10);
  const [heldOut, fresh] = [draw(50), draw(50)];
  const fitted = right(conformalSets(heldOut.rows, heldOut.labels, { score: 'aps', level: 0.5 }));
  const sets = right(predictionSets(fresh.rows, fitted));
  expect(right(predictionSets(fresh.rows, fitted, { seed: 0 }))).toEqual(sets);
  expect(right(predictionSets(fresh.rows, fitted, { seed: 1 }))).not.toEqual(sets);
});

it('takes predictions as they are: a Classification, rows of one number, a Regression, and its credible intervals', () => {
  const binary = right(conformalSets([[0.75]], [1], { level: 0.5 }));
  expect(binary).toEqual(right(conformalSets(CLASSIFICATION, [1], { level: 0.5 })));
  expect(predictionSets([[0.75]], binary)).toEqual(predictionSets(CLASSIFICATION, binary));
  const own = right(conformalIntervals(REGRESSION, [[5]], { level: 0.5 }));
  expect(own.thresholds).toEqual({ all: [{ _tag: 'score', score: 2, examples: 1 }] });
  expect(E.isRight(conformalIntervals(credibleIntervals(REGRESSION), [[5]], { score: 'cqr' }))).toBe(true);
  const message =
    "conformalIntervals: found a value tagged 'regression', expected { lower, upper }. credibleIntervals(prediction) has both ends.";
  expect(conformalIntervals(REGRESSION, [[5]], { score: 'cqr' })).toEqual(E.left(expect.objectContaining({ message })));
});

it('several outputs have a threshold each', () => {
  const fitted = right(conformalIntervals({ mean: [[0, 0]] }, [[1, 7]], { score: 'absolute', level: 0.5 }));
  expect(right(predictionIntervals({ mean: [[0, 0]] }, fitted)).upper).toEqual([Float64Array.of(1, 7)]);
  expect(predictionIntervals({ mean: [[0]] }, fitted)).toEqual(E.left(expect.objectContaining({ kind: 'InvalidInput' })));
});

it('fitted values are frozen, go through JSON, and give the same sets after it', () => {
  const draw = classSource(11);
  const [heldOut, fresh] = [draw(60), draw(10)];
  const sets = right(conformalSets(heldOut.rows, heldOut.labels, { score: 'raps', by: 'class', level: 0.95 }));
  const intervals = right(conformalIntervals(REGRESSION, [[1]], { by: ['day'] }));
  for (const fitted of [sets, intervals]) {
    expect(decodeConformal(JSON.parse(JSON.stringify(fitted)))).toStrictEqual(E.right(fitted));
    expect([fitted, fitted.thresholds, Object.values(fitted.thresholds)[0], fitted.score].every(Object.isFrozen)).toBe(true);
  }
  const again = right(decodeConformal(JSON.parse(JSON.stringify(sets))));
  if (again._tag !== 'conformalSets') throw new Error(again._tag);
  expect(predictionSets(fresh.rows, again)).toEqual(predictionSets(fresh.rows, sets));
  const issues = [expect.objectContaining({ path: 'level' }), expect.objectContaining({ path: 'thresholds.all._tag' })];
  const broken = { ...sets, level: 2, thresholds: { all: { _tag: 'none' } } };
  expect(decodeConformal(broken)).toEqual(E.left(expect.objectContaining({ kind: 'InvalidInput', issues })));
});
