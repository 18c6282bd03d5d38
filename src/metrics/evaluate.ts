/**
 * Every metric that applies to a prediction, as a table with standard errors, and beside a baseline on the same examples if there is one.
 *
 * Means over examples, roots of means, and the smooth ECE have the standard error of `meanWithError` (delta method). All other metrics have
 * that of a seeded bootstrap over examples. A difference is paired: both predictions are scored on the same examples, also in each resample. A bootstrap of a
 * calibration error or an area tells its spread and not its bias. Cost: O(`resamples` · N (C + log N)).
 */
import { either as E, function as F } from 'fp-ts';
import { anything, defaulted, optional, optionsOf, seed, struct } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { binCount } from './bins.js';
import { deviationOf, resample, resampleCount } from './bootstrap.js';
import { differenceOf, type Estimate, estimateOf, momentsOf } from './estimate.js';
import { batchesOf, type Evaluated, measuresOf, type OneOrMore } from './evaluated.js';
import type { Better, Measure } from './measures.js';
import { type NumberRows, problemOf } from './rows.js';

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Predictions of another model for the same examples. Every metric then also has its value there, and the difference to it. */
  readonly baseline?: OneOrMore<Evaluated>;
  /** Resamples of the bootstrap, an integer >= 2. Default 100. */
  readonly resamples?: number;
  /** Seed of the bootstrap, an integer from 0 to 2³² − 1. Default 0. */
  readonly seed?: number;
  /** Bins of equal width for calibration errors, an integer >= 1. Default 15. */
  readonly bins?: number;
}

/** One line of the table. */
export interface EvaluatedMetric extends Estimate {
  readonly name: string;
  /** Which values are better. No value of `neither` is better by itself: coverage should be its level, and sharpness goes with calibration. */
  readonly better: Better;
  /** The metric of the baseline. */
  readonly baseline?: number;
  /** value − baseline, with the standard error of the paired difference. */
  readonly difference?: Estimate;
}

export interface Evaluation {
  /** N */
  readonly count: number;
  readonly metrics: ReadonlyArray<EvaluatedMetric>;
}

const Options = struct('options', {
  baseline: optional(anything),
  resamples: resampleCount(100),
  seed: defaulted(seed, 0),
  bins: binCount,
});

/**
 * Scores predictions.
 *
 * A classification has `accuracy`, `nll`, `brierScore`, `ece`, `smoothEce`, `classwiseEce`, and with the entropy as uncertainty the areas of
 * `riskCoverage` for wrong predictions, `riskCoverageArea` (AURC), `excessArea` (E-AURC) and `generalisedArea` (AUGRC), and `errorAuroc`:
 * how well the entropy tells wrong predictions from right ones. `errorAuroc` is left out if all are right, or all are wrong. A regression has
 * `gaussianNll`, `gaussianCrps`, `rmse`, `mae`, `coverage95`, `intervalError` (the mean absolute calibration error of intervals) and
 * `sharpness`, all of a normal with its mean and total variance, also for counts.
 *
 * @param prediction a classification or a regression, or a list of them: the batches in their order.
 * @param labels of a classification the classes [N], of a regression the targets [N][T].
 * @returns the table. Errors are those of `correctness` and `gaussianNll`, and `InvalidInput` for something else than predictions, or for a
 *   baseline of another kind or number.
 * @throws LaplaceError `InvalidOption` for options out of range.
 *
 * @example
 * ```ts
 * import { evaluate, orThrow } from 'tfjs-laplace';
 *
 * const laplace = { _tag: 'classification', probabilities: [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]] } as const;
 * const map = { _tag: 'classification', probabilities: [[1, 0], [0.75, 0.25], [0, 1]] } as const;
 * const { count, metrics } = orThrow(evaluate(laplace, [0, 1, 1], { baseline: map }));
 * count; // => 3
 * const nll = metrics.find(({ name }) => name === 'nll');
 * nll?.value; // => 0.4228…
 * nll?.baseline; // => 0.4620…
 * nll?.difference?.value; // => -0.0392…
 * ```
 */
export function evaluate(
  prediction: OneOrMore<Evaluated>,
  labels: ArrayLike<number> | NumberRows,
  options: EvaluateOptions = {},
): E.Either<LaplaceError, Evaluation> {
  const { baseline, resamples, seed: root, bins } = optionsOf('evaluate', Options, options);
  return F.pipe(
    E.Do,
    E.bind('own', () => batchesOf('prediction', prediction)),
    E.bind('other', ({ own }) =>
      baseline === undefined
        ? E.right(undefined)
        : F.pipe(
            batchesOf('baseline', baseline),
            E.filterOrElse(
              ({ kind }) => kind === own.kind,
              ({ kind }) => problemOf('baseline', `a ${kind}`, `a ${own.kind}, as the prediction is`),
            ),
          ),
    ),
    E.bind('measures', ({ own }) => measuresOf(own, labels, bins)),
    E.bind('others', ({ other }) => (other === undefined ? E.right(undefined) : measuresOf(other, labels, bins))),
    E.map(({ measures, others }) => {
      const count = labels.length;
      const draws = Array.from({ length: resamples }, (_, r) => resample(count, root, r));
      return { count, metrics: measures.map((measure) => lineOf(measure, others, draws)) };
    }),
  );
}

function lineOf(own: Measure, others: ReadonlyArray<Measure> | undefined, draws: ReadonlyArray<Uint32Array>): EvaluatedMetric {
  const { name, better, value } = own;
  const replicates = replicatesOf(own, draws);
  const line = { name, better, value, standardError: errorOf(own, replicates) };
  const other = others?.find((measure) => measure.name === name);
  if (other === undefined) return line;
  const paired =
    own.influence && other.influence
      ? differenceOf(own.influence, other.influence).standardError
      : spreadOf(replicatesOf(other, draws).map((replicate, r) => minus(replicates[r], replicate)));
  // The NLL of an impossible label is infinite, and so is every difference to it.
  const difference = Number.isNaN(value - other.value) ? 0 : value - other.value;
  return { ...line, baseline: other.value, difference: { value: difference, standardError: paired } };
}

type Replicate = number | undefined;

const replicatesOf = ({ resampled }: Measure, draws: ReadonlyArray<Uint32Array>): ReadonlyArray<Replicate> =>
  resampled === undefined ? [] : draws.map(resampled);

const minus = (a: Replicate, b: Replicate): Replicate => (a === undefined || b === undefined ? undefined : a - b);

const errorOf = ({ influence }: Measure, replicates: ReadonlyArray<Replicate>): number =>
  influence === undefined ? spreadOf(replicates) : estimateOf(momentsOf(influence)).standardError;

/** The standard deviation of the replicates that there are. */
function spreadOf(replicates: ReadonlyArray<Replicate>): number {
  const known = replicates.filter((replicate) => replicate !== undefined);
  return known.length < 2 ? Number.POSITIVE_INFINITY : deviationOf(known);
}
