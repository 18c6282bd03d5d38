/**
 * A candidate on held-out examples: the mean of every output, its labels, and under each candidate its covariance or its draws. Everything is
 * on the host. Whatever does not depend on the free numbers is computed once.
 */
import { classified } from './classified.js';
import type { Criterion } from './criterion.js';
import type { Free, Slopes } from './free.js';
import type { HeldOut, Part, Reading, Uncertainty } from './held.js';
import { numeric } from './numeric.js';

/** The losses of a candidate. */
export interface Judged {
  /** The losses of all outputs added up, [N]. */
  readonly losses: Float64Array;
  /** The slopes of the sum of the losses. Undefined if some output has none in closed form. */
  readonly slopes: Slopes | undefined;
}

/** The predictions of one candidate as a function of what it leaves free. */
export interface Outlook {
  /** The number of examples. */
  readonly N: number;
  /** p: the curvature goes with σ^(−2p). */
  readonly power: number;
  readonly judge: (free: Free) => Judged;
  /** Whether the losses are smooth functions of the free numbers. */
  readonly isSmooth: boolean;
  /** The mean of the highest probability over rows of classes and independent labels; undefined if no output has them. */
  readonly confidence: ((free: Free) => number) | undefined;
}

/**
 * A candidate on N held-out examples, by the criterion that judges it.
 *
 * @param uncertainties of each output
 */
export function outlooks(
  outputs: ReadonlyArray<HeldOut>,
  uncertainties: ReadonlyArray<Uncertainty>,
  reading: Reading,
  N: number,
): (criterion: Criterion) => Outlook {
  const all = outputs.map((own, i) => {
    const isNumeric = own.truth.predicts === 'numbers' || own.truth.predicts === 'counts';
    return (isNumeric ? numeric : classified)(own, uncertainties[i] as Uncertainty, reading);
  });
  return (criterion) =>
    outlook(
      outputs,
      all.map((of) => of(criterion)),
      reading.power,
      N,
    );
}

function outlook(outputs: ReadonlyArray<HeldOut>, parts: ReadonlyArray<Part>, power: number, N: number): Outlook {
  const confident = parts.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  return {
    N,
    power,
    isSmooth: parts.every(({ isSmooth }) => isSmooth),
    judge: (free) => {
      const losses = new Float64Array(N);
      const slopes: Slopes = { scale: 0, spread: 0, noise: 0 };
      parts.forEach(({ addTo }, o) => {
        const { counts } = (outputs[o] as HeldOut).truth;
        const own = new Float64Array(counts.length);
        addTo(own, slopes, free);
        const each = counts.length / N;
        for (let row = 0; row < own.length; row++) {
          const example = Math.floor(row / each);
          if (counts[row]) losses[example] = (losses[example] as number) + (own[row] as number);
        }
      });
      return { losses, slopes: parts.every(({ hasSlopes }) => hasSlopes) ? slopes : undefined };
    },
    confidence:
      confident.length === 0
        ? undefined
        : (free) => {
            const found = confident.map((of) => of(free));
            return found.reduce((sum, one) => sum + one.sum, 0) / found.reduce((sum, one) => sum + one.count, 0);
          },
  };
}
