/**
 * How well scores tell inputs inside from inputs outside the distribution of the training data, as a table with standard errors, and beside
 * a baseline on the same inputs if there is one. Outside is the positive group.
 *
 * Standard errors are those of a seeded bootstrap that draws from each group on its own. All scores, and the baseline, see the same draws,
 * so differences are paired. Replicate r takes its draws from the generator's streams 2r and 2r + 1. Scores are sorted once:
 * O(n log n + `resamples` · n) for each score.
 */
import { either as E, function as F } from 'fp-ts';
import { anything, defaulted, optional, optionsOf, seed, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { deviationOf, resample, resampleCount } from '../metrics/bootstrap.js';
import type { Estimate } from '../metrics/estimate.js';
import {
  averagePrecision,
  counter,
  falsePositiveRate,
  type Multiplicities,
  rocArea,
  type ScoredGroups,
  type ThresholdCounts,
} from '../metrics/thresholds.js';
import { type DetectionGroups, knownGroups, type Line, linesOf, named, possible } from './groups.js';
import type { DetectionScoreInput } from './scores.js';

/** Scores in a list, or under names of your own. */
export type DetectionScores = ReadonlyArray<DetectionScoreInput> | Readonly<Record<string, DetectionScoreInput>>;

/** Options of `evaluateDetection`. */
export interface EvaluateDetectionOptions {
  /** The scores to judge. By default all that need no fitting and whose fields are given. */
  readonly scores?: DetectionScores;
  /** What another model says of the same inputs, in the same order. Scores that it has too are compared. */
  readonly baseline?: DetectionGroups;
  /** Resamples of the bootstrap, an integer >= 2. Default 100. */
  readonly resamples?: number;
  /** Seed of the bootstrap, an integer from 0 to 2³² − 1. Default 0. */
  readonly seed?: number;
}

/** A number of a score, and of the same score of the baseline. */
export interface DetectionEstimate extends Estimate {
  readonly baseline?: number;
  /** value − baseline, with the standard error of the paired difference. */
  readonly difference?: Estimate;
}

/** One line of the table. */
export interface DetectionLine {
  readonly name: string;
  /** Area under the ROC curve: higher is better, 0.5 is chance. */
  readonly auroc: DetectionEstimate;
  /** Average precision: higher is better, the share of inputs outside is chance. */
  readonly aupr: DetectionEstimate;
  /** The false positive rate at a true positive rate of at least 0.95, as `fprAtTpr` has it: lower is better. */
  readonly fpr95: DetectionEstimate;
}

export interface DetectionEvaluation {
  /** Inputs inside, and outside. */
  readonly inside: number;
  readonly outside: number;
  readonly scores: ReadonlyArray<DetectionLine>;
}

const Options = struct('options', {
  scores: optional(anything),
  baseline: optional(anything),
  resamples: resampleCount(100),
  seed: defaulted(seed, 0),
});

/**
 * Judges scores by how well they tell inputs outside the distribution of the training data (the positives) from inputs inside.
 *
 * @param groups what is known of both groups, as `detectionScore` takes it.
 * @returns for each score AUROC, AUPR and FPR95 with standard errors. Errors are those of `detectionScore`, and `InvalidInput` if no score
 *   can be computed, or for a baseline of other sizes.
 * @throws LaplaceError `InvalidOption` for unknown scores, two scores of one name, or options out of range.
 *
 * @example
 * ```ts
 * import { evaluateDetection, orThrow } from 'tfjs-laplace';
 *
 * const sure = { _tag: 'classification', probabilities: [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]] } as const;
 * const unsure = { _tag: 'classification', probabilities: [[0.5, 0.5], [0.7, 0.3]] } as const;
 * const { scores } = orThrow(evaluateDetection({ inside: { prediction: sure }, outside: { prediction: unsure } }));
 * scores.map(({ name }) => name); // => ['entropy', 'maximumProbability']
 * scores[0]?.auroc.value; // => 0.8333…
 * ```
 */
export function evaluateDetection(
  groups: DetectionGroups,
  options: EvaluateDetectionOptions = {},
): E.Either<LaplaceError, DetectionEvaluation> {
  const { scores, baseline, resamples, seed: root } = optionsOf('evaluateDetection', Options, options);
  const chosen = scores === undefined ? undefined : named(scores);
  return F.pipe(
    E.Do,
    E.bind('known', () => knownGroups('groups', groups)),
    E.bind('other', () => (baseline === undefined ? E.right(undefined) : knownGroups('baseline', baseline))),
    E.bind('lines', ({ known, other }) => linesOf(chosen ?? possible(known), known, other)),
    E.map(({ lines }) => {
      const { positives, negatives } = (lines[0] as Line).own;
      const draws = Array.from({ length: resamples }, (_, r) => ({
        positives: multiplicities(positives.length, root, 2 * r),
        negatives: multiplicities(negatives.length, root, 2 * r + 1),
      }));
      return { inside: negatives.length, outside: positives.length, scores: lines.map((line) => judged(line, draws)) };
    }),
  );
}

/** How often each of n examples is among n draws with replacement. */
function multiplicities(n: number, root: number, stream: number): Uint32Array {
  const times = new Uint32Array(n);
  for (const i of resample(n, root, stream)) times[i] = (times[i] as number) + 1;
  return times;
}

type Numbers = Readonly<Record<'auroc' | 'aupr' | 'fpr95', number>>;

const numbersOf = (counts: ThresholdCounts): Numbers => ({
  auroc: rocArea(counts),
  aupr: averagePrecision(counts),
  fpr95: falsePositiveRate(counts, 0.95),
});

/** All numbers of a score, each from the same draws. */
function judged({ name, own, other }: Line, draws: ReadonlyArray<Multiplicities>): DetectionLine {
  const replicated = (groups: ScoredGroups) => {
    const count = counter(groups);
    return { all: numbersOf(count()), replicates: draws.map((times) => numbersOf(count(times))) };
  };
  const { all, replicates } = replicated(own);
  const base = other && replicated(other);
  const estimate = (key: keyof Numbers): DetectionEstimate => {
    const line = { value: all[key], standardError: deviationOf(replicates.map((replicate) => replicate[key])) };
    if (base === undefined) return line;
    const differences = replicates.map((replicate, r) => replicate[key] - (base.replicates[r] as Numbers)[key]);
    const difference = { value: all[key] - base.all[key], standardError: deviationOf(differences) };
    return { ...line, baseline: base.all[key], difference };
  };
  return { name, auroc: estimate('auroc'), aupr: estimate('aupr'), fpr95: estimate('fpr95') };
}
