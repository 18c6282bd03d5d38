/**
 * The variance of the outputs before the link under the posterior, summed over outputs: Σ_c Var f_c, the trace of their covariance. For
 * classes the part that moves all logits together is included. In squared units of the outputs.
 */
import { variant } from '../../codec/index.js';
import { checkRows, type NumberRows, type Problem, problemOf, sound } from '../../metrics/rows.js';
import type { DetectionOutputs, Known } from '../inputs.js';
import { rule } from '../rule.js';

export const OutputVariance = variant('outputVariance', {});

const COVARIANCE = {
  field: 'outputs.covariance',
  read: ({ outputs }: Known) => (outputs?.covariance === undefined ? undefined : (outputs as Required<DetectionOutputs>)),
  remedy: 'await outputDistribution(model, posterior, x) gives it.',
};

export const outputVarianceRule = rule(COVARIANCE, ({ mean, covariance }) =>
  sound(checkOutputs(mean, covariance), () => Float64Array.from(covariance, traceOf)),
);

const checkOutputs = (mean: NumberRows, covariance: NumberRows): Problem =>
  checkRows(mean, 'outputs.mean') ??
  checkRows(covariance, 'outputs.covariance') ??
  checkSquares(mean[0]?.length as number, covariance[0]?.length as number);

const checkSquares = (C: number, found: number): Problem =>
  found === C * C ? undefined : problemOf('outputs.covariance[0]', `${found} numbers`, `${C} · ${C}, the matrix row by row`);

function traceOf(matrix: ArrayLike<number>): number {
  const C = Math.sqrt(matrix.length);
  let sum = 0;
  for (let c = 0; c < C; c++) sum += matrix[c * (C + 1)] as number;
  return sum;
}
