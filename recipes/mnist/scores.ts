/** How good predictions are, with standard errors. */
import { calibration, correctness, nll } from 'tfjs-laplace';
import { count, difference, percent } from '../support/table.js';
import type { Digits } from './digits.js';
import type { Predictions } from './predictions.js';

export interface Scores {
  readonly accuracy: number;
  /** Nats. */
  readonly nll: number;
  /** Expected calibration error, 15 bins. */
  readonly ece: number;
  /** Mean predictive entropy, nats. */
  readonly entropy: number;
}

export const scoresOf = ({ probabilities, entropy }: Predictions, { labels }: Digits): Scores => ({
  accuracy: mean(correctness(probabilities, labels)),
  nll: nll(probabilities, labels),
  ece: calibration(probabilities, labels).ece,
  entropy: mean(entropy),
});

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/** Mean of paired differences and its standard error. */
export function paired(a: ArrayLike<number>, b: ArrayLike<number>): { readonly mean: number; readonly standardError: number } {
  const differences = Array.from(a, (v, i) => v - (b[i] as number));
  const centre = mean(differences);
  const variance = differences.reduce((sum, d) => sum + (d - centre) ** 2, 0) / (differences.length - 1);
  return { mean: centre, standardError: Math.sqrt(variance / differences.length) };
}

/** Each example's negative log-likelihood, nats. */
const losses = ({ probabilities }: Predictions, { labels }: Digits): Float64Array =>
  Float64Array.from(probabilities, (row, b) => -Math.log(row[labels[b] as number] as number));

export const COLUMNS = ['accuracy', 'NLL (nats)', 'ECE', 'mean entropy (nats)'];

/** Cells under `COLUMNS`. */
export const cells = ({ accuracy, nll: loss, ece, entropy }: Scores): ReadonlyArray<string> => [
  percent(accuracy),
  loss.toFixed(4),
  percent(ece),
  entropy.toFixed(3),
];

export const DIFFERENCES = ['accuracy − MAP (%)', 'NLL − MAP (nats)'];

/** Cells under `DIFFERENCES`: paired differences with one standard error. */
export function differenceCells(predictions: Predictions, map: Predictions, digits: Digits): ReadonlyArray<string> {
  const right = (p: Predictions) => correctness(p.probabilities, digits.labels);
  const loss = paired(losses(predictions, digits), losses(map, digits));
  const sign = loss.mean < 0 ? '−' : '+';
  return [
    difference(paired(right(predictions), right(map))),
    `${sign}${Math.abs(loss.mean).toFixed(4)} ± ${loss.standardError.toFixed(4)}`,
  ];
}

/** `10,000 test digits` */
export const testDigits = ({ count: n }: Digits): string => `${count(n)} test digits`;
