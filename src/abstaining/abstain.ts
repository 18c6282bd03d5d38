/**
 * Abstaining: predictions that are too uncertain are handed on, to a person or to a better model. A threshold on the uncertainty is fitted
 * on n held-out examples:
 *
 * - for a risk r: the bisection of Geifman & El-Yaniv 2017, algorithm 1 (selection with guaranteed risk). It looks at ⌈log₂ n⌉
 *   thresholds, each with a binomial bound that fails with a probability of at most δ / ⌈log₂ n⌉, and takes the one that keeps the most
 *   examples among those whose bound is at most r. By their theorem 3.2 the risk of the kept predictions is then above the bound with a
 *   probability of at most δ, over the draw of the held-out examples, which must be independent draws of what comes later.
 * - for a coverage c: the ⌈(n + 1) c⌉-th smallest uncertainty. A new prediction is kept with a probability of at least c.
 *
 * O(n log n + n e) with e errors.
 */
import type { either as E } from 'fp-ts';
import {
  argument,
  decode,
  defaulted,
  type Flat,
  finite,
  optionsOf,
  positiveInteger,
  probability,
  refined,
  share,
  struct,
  taggedUnion,
  variant,
} from '../codec/index.js';
import { rankOf } from '../conformal/quantile.js';
import { dual, ifArguments } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { ascending, checkCount, checkOrdered, checkRows, type Problem, problemOf, sound } from '../metrics/rows.js';
import { upperBound } from './binomial.js';

const KeepUpTo = variant('keepUpTo', {
  /** The largest uncertainty that is kept. */
  uncertainty: finite,
});
const KeepAll = variant('keepAll', {});
const KeepNone = variant('keepNone', {});
const unit = refined('a number in [0, 1]', (v): v is number => typeof v === 'number' && v >= 0 && v <= 1);

const AbstentionValue = variant('abstention', {
  /** Which predictions are kept. 'keepNone': no threshold has a bound that is low enough. 'keepAll': n is too small for the coverage. */
  rule: taggedUnion('a rule of abstaining', KeepUpTo, KeepAll, KeepNone),
  /** The bound on the risk of kept predictions; 1 if none was asked for. */
  bound: unit,
  /** The share of the held-out examples that is kept. */
  coverage: unit,
  /** n. */
  examples: positiveInteger,
});

/** A fitted threshold: frozen data, which JSON can hold and `decodeAbstention` reads. */
export type Abstention = Flat<(typeof AbstentionValue)['_A']>;

/** Options of `abstainForRisk`. */
export interface RiskOptions {
  /** r, the largest share of wrong predictions among the kept ones, in (0, 1). */
  readonly risk: number;
  /** 1 − δ, the probability that the bound holds, in (0, 1). Default 0.95. */
  readonly confidence?: number;
}

const Options = struct('an object with a risk', { risk: probability, confidence: defaulted(probability, 0.95) });

/**
 * A threshold whose kept predictions are wrong at most in a share `risk` of cases, with a probability of at least `confidence` (Geifman &
 * El-Yaniv 2017).
 *
 * @param uncertainty [N], finite, higher for less certain predictions, for example an entropy of held-out examples.
 * @param correct [N], 1 for right and 0 for wrong, as `correctness` gives it.
 * @returns the threshold; its rule is 'keepNone' if none has a bound of at most `risk`. `Empty`, `InvalidInput`, `InvalidLabels` or
 *   `NotFinite` for lists that don't fit.
 * @throws LaplaceError `InvalidOption` for a risk or confidence outside (0, 1).
 *
 * @example
 * ```ts
 * import { abstainForRisk, orThrow } from 'tfjs-laplace';
 *
 * const uncertainty = Array.from({ length: 100 }, (_, i) => i);
 * const correct = uncertainty.map((u) => (u < 80 ? 1 : 0));
 * const fitted = orThrow(abstainForRisk(uncertainty, correct, { risk: 0.1 }));
 * fitted.rule; // => { _tag: 'keepUpTo', uncertainty: 80 }
 * fitted.bound; // => 0.0835…
 * ```
 */
export function abstainForRisk(
  uncertainty: ArrayLike<number>,
  correct: ArrayLike<number>,
  options: RiskOptions,
): E.Either<LaplaceError, Abstention> {
  const { risk, confidence } = optionsOf('abstainForRisk', Options, options);
  return sound(checkUncertainty(uncertainty) ?? checkCorrect(correct, uncertainty.length), () => {
    const n = uncertainty.length;
    const order = ascending(uncertainty);
    const errors = new Float64Array(n + 1);
    order.forEach((i, k) => {
      errors[k + 1] = (errors[k] as number) + 1 - (correct[i] as number);
    });
    const steps = Math.max(1, Math.ceil(Math.log2(n)));
    let best = { kept: 0, bound: 1 };
    let [low, high] = [1, n];
    for (let step = 0; step < steps; step++) {
      const kept = withTies(uncertainty, order, Math.ceil((low + high) / 2));
      const bound = upperBound(errors[kept] as number, kept, (1 - confidence) / steps);
      if (bound <= risk) {
        if (kept > best.kept) best = { kept, bound };
        low = Math.min(n, kept);
      } else high = Math.max(1, Math.ceil((low + high) / 2) - 1);
    }
    return fittedRule(uncertainty, order, best.kept, best.bound);
  });
}

/** A threshold keeps all examples of the same uncertainty. */
function withTies(uncertainty: ArrayLike<number>, order: Uint32Array, count: number): number {
  let kept = count;
  while (kept < order.length && uncertainty[order[kept] as number] === uncertainty[order[kept - 1] as number]) kept += 1;
  return kept;
}

function fittedRule(uncertainty: ArrayLike<number>, order: Uint32Array, kept: number, bound: number): Abstention {
  const rule =
    kept === 0
      ? ({ _tag: 'keepNone' } as const)
      : ({ _tag: 'keepUpTo', uncertainty: uncertainty[order[kept - 1] as number] as number } as const);
  return Object.freeze({
    _tag: 'abstention',
    rule: Object.freeze(rule),
    bound,
    coverage: kept / order.length,
    examples: order.length,
  });
}

/**
 * A threshold that keeps a new prediction with a probability of at least `coverage`.
 *
 * @param uncertainty [N], finite, of held-out examples; no labels are needed.
 * @param coverage in (0, 1].
 * @returns the threshold; its rule is 'keepAll' if N is too small for the coverage. `Empty`, `InvalidInput` or `NotFinite` for a broken list.
 * @throws LaplaceError `InvalidOption` for a coverage outside (0, 1].
 *
 * @example
 * ```ts
 * import { abstainForCoverage, orThrow } from 'tfjs-laplace';
 *
 * orThrow(abstainForCoverage([0.1, 0.2, 0.3], 0.5)).rule; // => { _tag: 'keepUpTo', uncertainty: 0.2 }
 * ```
 */
export function abstainForCoverage(uncertainty: ArrayLike<number>, coverage: number): E.Either<LaplaceError, Abstention> {
  const own = argument('abstainForCoverage', 'coverage', share, coverage);
  return sound(checkUncertainty(uncertainty), () => {
    const n = uncertainty.length;
    const order = ascending(uncertainty);
    const rank = rankOf(n, own);
    if (rank <= n) return fittedRule(uncertainty, order, withTies(uncertainty, order, rank), 1);
    return Object.freeze({ _tag: 'abstention', rule: Object.freeze({ _tag: 'keepAll' }), bound: 1, coverage: 1, examples: n });
  });
}

/**
 * Marks the predictions to abstain from.
 *
 * @param uncertainty [B], in the units of the held-out uncertainties.
 * @returns [B]: 1 to abstain, 0 to keep. `Empty`, `InvalidInput` or `NotFinite` for a broken list.
 * @throws LaplaceError `InvalidOption` for a fitted value that does not decode.
 *
 * @example
 * ```ts
 * import { function as F } from 'fp-ts';
 * import { abstain, abstainForCoverage, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(abstainForCoverage([0.1, 0.2, 0.3], 0.5));
 * orThrow(F.pipe([0.15, 0.25], abstain(fitted))); // => Uint8Array.of(0, 1)
 * ```
 */
export function abstain(fitted: Abstention): (uncertainty: ArrayLike<number>) => E.Either<LaplaceError, Uint8Array>;
export function abstain(uncertainty: ArrayLike<number>, fitted: Abstention): E.Either<LaplaceError, Uint8Array>;
export function abstain(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (given: Abstention) => {
    const { rule } = argument('abstain', 'fitted', AbstentionValue, given);
    const most = { keepAll: Infinity, keepNone: -Infinity, keepUpTo: rule._tag === 'keepUpTo' ? rule.uncertainty : 0 }[rule._tag];
    return (uncertainty: ArrayLike<number>) =>
      sound(checkUncertainty(uncertainty), () => Uint8Array.from(uncertainty, (u) => (u <= most ? 0 : 1)));
  });
}

/**
 * Reads a fitted threshold from data, for example from JSON that another process has written.
 *
 * @returns the value, frozen, or `InvalidInput` that lists every problem with its path.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { abstainForCoverage, decodeAbstention, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(abstainForCoverage([0.1, 0.2, 0.3], 0.5));
 * decodeAbstention(JSON.parse(JSON.stringify(fitted))); // => E.right(fitted)
 * ```
 */
export const decodeAbstention = (input: unknown): E.Either<LaplaceError, Abstention> =>
  decode(AbstentionValue, input, 'abstention', 'InvalidInput');

const checkUncertainty = (uncertainty: ArrayLike<number>): Problem =>
  checkOrdered(uncertainty, 'uncertainty') ?? checkRows([uncertainty], 'uncertainty');

function checkCorrect(correct: ArrayLike<number>, N: number): Problem {
  const problem = checkOrdered(correct, 'correct') ?? checkCount(correct.length, N, 'correct');
  if (problem !== undefined) return problem;
  const i = Array.from(correct).findIndex((right) => right !== 0 && right !== 1);
  return i < 0 ? undefined : problemOf(`correct[${i}]`, String(correct[i]), '0 or 1', 'InvalidLabels');
}
