/** Gaussian predictions y ~ N(μ, v), entry by entry of rows [N][C], and their checks. v is the total variance. */
import { checkCount, checkKind, checkRows, type NumberRows, type Problem, problemOf } from './rows.js';

/** Predictive means and variances with the observed targets, all as rows [N][C]. */
export interface GaussianPredictions {
  readonly targets: NumberRows;
  readonly mean: NumberRows;
  /** The total variance, > 0. */
  readonly variance: NumberRows;
}

/** Every entry of sound predictions. */
export const entries = ({ targets, mean, variance }: GaussianPredictions) =>
  targets.flatMap((row, i) =>
    Array.from(row, (y, c) => ({ error: y - (mean[i]?.[c] as number), variance: variance[i]?.[c] as number })),
  );

/** Checks that the three tables have the same shape, and that variances are > 0. */
export function checkPredictions(predictions: GaussianPredictions): Problem {
  const { targets, mean, variance } = predictions ?? {};
  const problem = checkAlike(targets, mean, 'mean') ?? checkAlike(targets, variance, 'variance');
  if (problem !== undefined) return problem;
  const i = variance.findIndex((row) => Array.from(row).some((v) => v <= 0));
  const c = Array.from(variance[i] ?? []).findIndex((v) => v <= 0);
  return i < 0 ? undefined : problemOf(`variance[${i}][${c}]`, String(variance[i]?.[c]), 'a number > 0');
}

/** Checks that two tables have the same shape. */
export const checkAlike = (targets: NumberRows, others: NumberRows, field: string): Problem =>
  checkRows(targets, 'targets') ??
  checkKind(others, field) ??
  checkCount(others.length, targets.length, field) ??
  checkRows(others, field) ??
  checkCount(others[0]?.length ?? 0, targets[0]?.length ?? 0, `${field}[0]`);
