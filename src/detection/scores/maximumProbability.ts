/**
 * Minus the highest probability, −max_c p_c. A row of one number p, the probability of class 1, stands for two classes. For several
 * independent labels it is the highest probability of a label. Reference: Hendrycks & Gimpel 2017 (the baseline).
 */
import { variant } from '../../codec/index.js';
import { checkRows, type NumberRows, type Problem, problemOf, sound } from '../../metrics/rows.js';
import { ofPrediction, rule } from '../rule.js';
import { highest } from './highest.js';

export const MaximumProbability = variant('maximumProbability', {});

export const maximumProbabilityRule = rule(ofPrediction('probabilities'), (rows) =>
  sound(checkRows(rows, 'prediction.probabilities') ?? checkRange(rows), () =>
    Float64Array.from(rows, (row) => -(row.length === 1 ? Math.max(row[0] as number, 1 - (row[0] as number)) : highest(row))),
  ),
);

/** The float32 rounding of a mean passes, logits do not. */
const TOLERANCE = 1e-3;

function checkRange(rows: NumberRows): Problem {
  const outside = (p: number): boolean => p < -TOLERANCE || p > 1 + TOLERANCE;
  const i = rows.findIndex((row) => Array.from(row).some(outside));
  if (i < 0) return undefined;
  const value = Array.from(rows[i] as ArrayLike<number>).find(outside);
  return problemOf(`prediction.probabilities[${i}]`, String(value), 'numbers in [0, 1]');
}
