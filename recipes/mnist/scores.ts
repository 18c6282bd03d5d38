/** Scores of predictions, and differences of scores with standard errors. */
import { calibration, correctness, nll, orThrow } from 'tfjs-laplace';
import { count, difference, percent, signed } from '../support/table.js';
import type { Digits } from './digits.js';
import type { Predictions } from './predictions.js';

/** Means over the predicted digits. */
export interface Scores {
  /** Share of right predictions, in [0, 1]. */
  readonly accuracy: number;
  /** Mean negative log-likelihood, in nats. */
  readonly nll: number;
  /** Expected calibration error with 15 bins, in [0, 1]. */
  readonly ece: number;
  /** Mean predictive entropy, in nats. */
  readonly entropy: number;
}

export const scoresOf = ({ probabilities, entropy }: Predictions, { labels }: Digits): Scores => ({
  accuracy: mean(orThrow(correctness(probabilities, labels))),
  nll: orThrow(nll(probabilities, labels)),
  ece: orThrow(calibration(probabilities, labels)).ece,
  entropy: mean(entropy),
});

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/** The mean of the paired differences a − b, and its standard error. */
export function paired(a: ArrayLike<number>, b: ArrayLike<number>): { readonly mean: number; readonly standardError: number } {
  const differences = Array.from(a, (v, i) => v - (b[i] as number));
  const centre = mean(differences);
  const variance = differences.reduce((sum, d) => sum + (d - centre) ** 2, 0) / (differences.length - 1);
  return { mean: centre, standardError: Math.sqrt(variance / differences.length) };
}

/** The negative log-likelihood of each example, in nats. */
const losses = ({ probabilities }: Predictions, { labels }: Digits): Float64Array =>
  Float64Array.from(probabilities, (row, b) => -Math.log(row[labels[b] as number] as number));

export const COLUMNS = ['accuracy', 'NLL (nats)', 'ECE', 'mean entropy (nats)'];

/** The cells for the columns `COLUMNS`. */
export const cells = ({ accuracy, nll: loss, ece, entropy }: Scores): ReadonlyArray<string> => [
  percent(accuracy),
  loss.toFixed(4),
  percent(ece),
  entropy.toFixed(3),
];

/** Differences to the network at its best temperature, whose accuracy is that of the network itself. */
export const DIFFERENCES = ['accuracy − MAP (%)', 'NLL − MAP, temperature (nats)'];

/** The cells for the columns `DIFFERENCES`: mean paired differences with one standard error. */
export function differenceCells(predictions: Predictions, mapAtBest: Predictions, digits: Digits): ReadonlyArray<string> {
  const right = (p: Predictions) => orThrow(correctness(p.probabilities, digits.labels));
  const loss = paired(losses(predictions, digits), losses(mapAtBest, digits));
  return [difference(paired(right(predictions), right(mapAtBest))), signed(loss.mean, loss.standardError)];
}

/** Gives `10,000 test digits`. */
export const testDigits = ({ count: n }: Digits): string => `${count(n)} test digits`;
