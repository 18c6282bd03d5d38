/**
 * The losses of predictions on held-out examples, one number for each example. A criterion is their mean. What an example has of rows and
 * labels (steps, independent labels, several outputs) is added up. Everything is in float64 and makes nothing on the way, since a search
 * evaluates it thousands of times.
 */
import type { Rows } from '../predictive/prediction.js';

/** The labels of one output. */
export interface Truth {
  readonly predicts: 'classes' | 'labels' | 'numbers' | 'counts';
  /** [rows][labels]: one-hot rows for classes. */
  readonly labels: Rows;
  /** Whether each row counts. Steps that `ignoreLabel` leaves out do not. */
  readonly counts: ReadonlyArray<boolean>;
}

/** The loss of one row. */
interface Losses {
  /** From the probabilities p of classes. */
  readonly classes: (p: Float64Array, y: ArrayLike<number>) => number;
  /** From the probability p of one yes-or-no label. */
  readonly label: (p: number, y: number) => number;
  /** From the mean and total variance of a number or count. */
  readonly number: (mean: number, variance: number, y: number) => number;
}

/** No logarithm is taken of less: e^−700 is the least that float64 can tell from 0 with all its digits. */
const LEAST = 1e-300;
const log = (p: number): number => Math.log(Math.max(p, LEAST));

const LOSSES = {
  /** −log p(y) in nats; numbers and counts by a normal with their mean and total variance. */
  nll: {
    classes: (p, y) => {
      let sum = 0;
      for (let c = 0; c < p.length; c++) if (y[c] !== 0) sum -= (y[c] as number) * log(p[c] as number);
      return sum;
    },
    label: (p, y) => -y * log(p) - (1 - y) * log(1 - p),
    number: (mean, variance, y) => 0.5 * (Math.log(2 * Math.PI * variance) + (y - mean) ** 2 / variance),
  },
  /** Σ (p − y)² over classes; twice (p − y)² for a label, which is the same for its two classes; (mean − y)² for a number or count. */
  brier: {
    classes: (p, y) => {
      let sum = 0;
      for (let c = 0; c < p.length; c++) sum += ((p[c] as number) - (y[c] as number)) ** 2;
      return sum;
    },
    label: (p, y) => 2 * (p - y) ** 2,
    number: (mean, _, y) => (mean - y) ** 2,
  },
} satisfies Readonly<Record<string, Losses>>;

/** A criterion, by name. */
export type CriterionName = keyof typeof LOSSES;

/** The names of all criteria. */
export const CRITERIA = Object.keys(LOSSES) as ReadonlyArray<CriterionName>;

export const lossesNamed = (criterion: CriterionName): Losses => LOSSES[criterion];
