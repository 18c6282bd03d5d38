/**
 * Selective prediction: keep the predictions that are least uncertain, and look at their mean loss (the risk).
 *
 *   coverage_k = k / N,   risk_k = mean loss of the k least uncertain,   area = 1/N Σ_k risk_k
 *
 * With a useful uncertainty the risk rises with coverage. At full coverage all uncertainties have the same risk. Equally
 * uncertain examples have no order, so the risk is the exact mean over all their orders: no result depends on the order of the
 * data. O(N log N). Reference: Geifman & El-Yaniv 2017 ("Selective classification for deep neural networks"); AURC: Geifman,
 * Uziel & El-Yaniv 2019.
 *
 * Two further areas come from the same curve:
 *
 *   excess area (E-AURC) = area − area of the best order, in which losses rise
 *   generalised area (AUGRC) = ∫ coverage · risk d coverage, by trapezoids from (0, 0)
 *
 * The excess does not depend on how good the predictions are at best. Geifman et al. approximate the best area of an error rate r by
 * r + (1 − r) log(1 − r); here it is exact. The generalised area is the mean loss of what is kept, counted over all examples. For right and
 * wrong predictions with an accuracy a it is a (1 − a) (1 − AUROC) + (1 − a)² / 2, where AUROC is that of the uncertainty for what is
 * wrong. Reference: Traub et al. 2024, "Overcoming common flaws in the evaluation of selective classification systems".
 */
import { either as E, function as F } from 'fp-ts';
import { argument, array, share } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { ascending, checkCount, checkOrdered, checkRows, type Problem, problemOf, sound } from './rows.js';

const Fractions = array('an array of numbers in (0, 1], not empty', share);

/** 0.07 · 100 is 7.000000000000001. With this factor a product that rounding has lifted is not rounded up to the next integer. */
const ROUNDING = 1 - 1e-12;

export interface RiskCoverage {
  /** k / N for k = 1 … N. [N] */
  readonly coverage: Float64Array;
  /** Mean loss of the k least uncertain predictions. [N] */
  readonly risk: Float64Array;
  /** Area under the risk-coverage curve (AURC), in units of the loss. */
  readonly area: number;
  /** How much larger the area is than that of the best order (E-AURC), >= 0, in units of the loss. */
  readonly excessArea: number;
  /** Area under coverage times risk (AUGRC), in units of the loss: half the mean loss if the order says nothing. */
  readonly generalisedArea: number;
}

/**
 * The risk-coverage curve.
 *
 * @param uncertainty [N], any score that is higher for less certain predictions, for example an entropy.
 * @param losses [N], finite. With 1 for wrong and 0 for right the risk is an error rate.
 * @returns the curve, or `Empty`, `InvalidInput` or `NotFinite` for lists that are empty, differ in length, or hold NaN.
 *
 * @example
 * ```ts
 * import { orThrow, riskCoverage } from 'tfjs-laplace';
 *
 * orThrow(riskCoverage([0.1, 0.7, 0.2, 0.9], [0, 1, 0, 0])).risk; // => Float64Array.of(0, 0, 1 / 3, 1 / 4)
 * ```
 */
export const riskCoverage = (uncertainty: ArrayLike<number>, losses: ArrayLike<number>): E.Either<LaplaceError, RiskCoverage> =>
  sound(checkRisk(uncertainty, losses), () => {
    const N = losses.length;
    const risk = risks(uncertainty, losses);
    const area = mean(risk);
    // Trapezoids from (0, 0): every point k / N · risk_k counts once, the last one half.
    const generalised = mean(risk.map((r, k) => ((k + 1) / N) * r)) - (risk[N - 1] as number) / (2 * N);
    return {
      coverage: risk.map((_, k) => (k + 1) / N),
      risk,
      area,
      // The order of the losses is the best; rounding must not give less than it.
      excessArea: Math.max(0, area - mean(risks(losses, losses))),
      generalisedArea: generalised,
    };
  });

/** Checks that the uncertainties are ordered, the losses are finite, and both are as many. */
export const checkRisk = (uncertainty: ArrayLike<number>, losses: ArrayLike<number>): Problem =>
  checkOrdered(uncertainty, 'uncertainty') ??
  checkRows([losses], 'losses') ??
  checkCount(losses.length, uncertainty.length, 'losses');

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean losses of the k least uncertain. [N] */
function risks(uncertainty: ArrayLike<number>, losses: ArrayLike<number>): Float64Array {
  const N = losses.length;
  const order = ascending(uncertainty);
  const risk = new Float64Array(N);
  let before = 0;
  for (let start = 0; start < N; ) {
    const level = uncertainty[order[start] as number];
    let end = start;
    let group = 0;
    for (; end < N && uncertainty[order[end] as number] === level; end++) group += losses[order[end] as number] as number;
    for (let k = start; k < end; k++) risk[k] = (before + (group * (k + 1 - start)) / (end - start)) / (k + 1);
    before += group;
    start = end;
  }
  return risk;
}

/**
 * Accuracy of the least uncertain predictions, for each fraction that is kept. A fraction f keeps ⌈f N⌉ of them.
 *
 * @param uncertainty [N], higher for less certain predictions.
 * @param correct [N], 1 for right and 0 for wrong, as `correctness` gives it.
 * @param fractions [F], numbers in (0, 1].
 * @returns accuracies [F], or `Empty`, `InvalidInput`, `InvalidLabels` or `NotFinite` for lists that are empty, differ in length, or
 *   hold other numbers.
 * @throws LaplaceError `InvalidOption` for a fraction outside (0, 1].
 *
 * @example
 * ```ts
 * import { orThrow, retainedAccuracy } from 'tfjs-laplace';
 *
 * orThrow(retainedAccuracy([0.1, 0.7, 0.2, 0.9], [1, 0, 1, 0], [0.5, 1])); // => Float64Array.of(1, 0.5)
 * ```
 */
export function retainedAccuracy(
  uncertainty: ArrayLike<number>,
  correct: ArrayLike<number>,
  fractions: ReadonlyArray<number>,
): E.Either<LaplaceError, Float64Array> {
  const shares = argument('retainedAccuracy', 'fractions', Fractions, fractions);
  const accuracyAt = (risk: Float64Array) => (f: number) =>
    1 - (risk[Math.max(1, Math.ceil(f * risk.length * ROUNDING)) - 1] as number);
  return F.pipe(
    sound(checkCorrect(correct), () => Float64Array.from(correct, (right) => 1 - right)),
    E.chain((losses) => riskCoverage(uncertainty, losses)),
    E.map(({ risk }) => Float64Array.from(shares, accuracyAt(risk))),
  );
}

function checkCorrect(correct: ArrayLike<number>): Problem {
  const foreign = checkOrdered(correct, 'correct');
  if (foreign !== undefined) return foreign;
  const i = Array.from(correct).findIndex((right) => right !== 0 && right !== 1);
  return i < 0 ? undefined : problemOf(`correct[${i}]`, String(correct[i]), '0 or 1', 'InvalidLabels');
}
