/**
 * The losses of predictions on held-out examples, one number for each example. A criterion is their mean. What an example has of rows and
 * labels (steps, independent labels, several outputs) is added up. Everything is in float64 and makes nothing on the way, since a search
 * evaluates it thousands of times.
 */
import { crpsOf, crpsSlopeOf } from '../metrics/crps.js';
import type { Rows } from '../predictive/prediction.js';
import { countNll, numberNll, numberNllInVariance } from './densities.js';

/** The labels of one output. */
export interface Truth {
  readonly predicts: 'classes' | 'labels' | 'numbers' | 'counts';
  /** [rows][labels]: one-hot rows for classes. */
  readonly labels: Rows;
  /** Whether each row counts. Steps that `ignoreLabel` leaves out do not. */
  readonly counts: ReadonlyArray<boolean>;
}

/** The loss of one row, and its slopes. A criterion that does not suit an output has no loss for it. */
interface RowLosses {
  /** From the probabilities p = softmax(a) of classes. Writes the slopes in a into `slopes`. */
  readonly classes?: (p: Float64Array, y: ArrayLike<number>, slopes: Float64Array) => number;
  /** From the probabilities p = sigmoid(a) of independent labels. Writes the slopes in a into `slopes`. */
  readonly labels?: (p: Float64Array, y: ArrayLike<number>, slopes: Float64Array) => number;
  /** From the mean and total variance of a number, and its slope in the variance. */
  readonly numbers?: Readonly<Record<'of' | 'inVariance', OfMoments>>;
  /** From the mean and total variance of a count. */
  readonly counts?: OfMoments;
}

type OfMoments = (mean: number, variance: number, y: number) => number;

/** No logarithm is taken of less: e^−700 is the least that float64 can tell from 0 with all its digits. */
const LEAST = 1e-300;
const log = (p: number): number => Math.log(Math.max(p, LEAST));

const squaredError: OfMoments = (mean, _, y) => (mean - y) ** 2;
const normalCrps: OfMoments = (mean, variance, y) => crpsOf(y - mean, variance);

const ROW_LOSSES = {
  /** −log p(y) in nats; numbers by a normal and counts by a negative binomial with their mean and total variance. */
  nll: {
    classes: (p, y, slopes) => {
      let sum = 0;
      for (let c = 0; c < p.length; c++) {
        const own = p[c] as number;
        const target = y[c] as number;
        slopes[c] = own - target;
        if (target !== 0) sum -= target * log(own);
      }
      return sum;
    },
    labels: (p, y, slopes) => {
      let sum = 0;
      for (let c = 0; c < p.length; c++) {
        const own = p[c] as number;
        const target = y[c] as number;
        slopes[c] = own - target;
        sum -= target * log(own) + (1 - target) * log(1 - own);
      }
      return sum;
    },
    numbers: { of: numberNll, inVariance: numberNllInVariance },
    counts: countNll,
  },
  /** Σ (p − y)² over classes; twice (p − y)² for a label, which is the same for its two classes; (mean − y)² for a number or count. */
  brier: {
    classes: (p, y, slopes) => {
      let sum = 0;
      let inner = 0;
      for (let c = 0; c < p.length; c++) {
        const error = (p[c] as number) - (y[c] as number);
        sum += error * error;
        inner += 2 * error * (p[c] as number);
      }
      for (let c = 0; c < p.length; c++) slopes[c] = (p[c] as number) * (2 * ((p[c] as number) - (y[c] as number)) - inner);
      return sum;
    },
    labels: (p, y, slopes) => {
      let sum = 0;
      for (let c = 0; c < p.length; c++) {
        const own = p[c] as number;
        const error = own - (y[c] as number);
        slopes[c] = 4 * error * own * (1 - own);
        sum += 2 * error * error;
      }
      return sum;
    },
    numbers: { of: squaredError, inVariance: () => 0 },
    counts: squaredError,
  },
  /** The continuous ranked probability score of a normal with the mean and total variance, in units of the labels. */
  crps: {
    numbers: { of: normalCrps, inVariance: (mean, variance, y) => crpsSlopeOf(y - mean, variance) },
    counts: normalCrps,
  },
} satisfies Readonly<Record<string, RowLosses>>;

/** A criterion whose loss of a row depends on that row alone. */
export type RowCriterion = keyof typeof ROW_LOSSES;

export const isRowCriterion = (criterion: unknown): criterion is RowCriterion =>
  typeof criterion === 'string' && Object.hasOwn(ROW_LOSSES, criterion);

/** The losses of a criterion that suits the output. */
export const rowLosses = (criterion: RowCriterion): Required<RowLosses> => ROW_LOSSES[criterion] as Required<RowLosses>;
