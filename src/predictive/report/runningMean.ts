/**
 * The mean and variance of draws as they arrive, entry by entry in float64 (Welford 1962), and the variance of this mean under
 * the draws' design. Memory does not grow with the number of draws. Everything is computed on the host.
 *
 *   Var[mean] ≈ Σ_k (y_k − ȳ)² / (K (K − 1))
 *
 * Here y_1 … y_K are the means of groups of draws, and the groups are independent of each other. A group is a single draw, a pair
 * of mirror images, or a sequence of quasi-random draws. The variance of a draw is Σ (x − mean)² / S + Var[mean], which is
 * unbiased under every design. For independent draws it equals Σ (x − mean)² / (S − 1).
 */
import { type Design, SEQUENCES } from '../../random/noise.js';

/**
 * The least number of independent groups for a standard error that decides something. With so many groups it is known to within a
 * quarter.
 */
const GROUPS = 8;

/** The number of draws from which on Var[mean] is defined. */
export const fewestDraws = (design: Design): number => (design === 'antithetic' ? 4 : 2);

/**
 * Whether the standard error after so many draws is good enough to stop by: there are enough groups, and all of them are
 * complete.
 */
export function maySettle(design: Design, samples: number): boolean {
  const size = design === 'antithetic' ? 2 : 1;
  const whole = design === 'quasiRandom' ? samples % SEQUENCES === 0 : samples % size === 0;
  return whole && samples >= GROUPS * size;
}

/** The count, mean and squared deviations of vectors of equal length. */
interface Tally {
  readonly count: () => number;
  readonly add: (values: ArrayLike<number>) => void;
  readonly mean: Float64Array;
  /** Σ (x − mean)². */
  readonly squares: Float64Array;
}

function tallyOf(size: number): Tally {
  const [mean, squares] = [new Float64Array(size), new Float64Array(size)];
  let count = 0;
  return {
    count: () => count,
    mean,
    squares,
    add: (values) => {
      count += 1;
      for (let i = 0; i < size; i++) {
        const x = values[i] as number;
        const old = mean[i] as number;
        const now = old + (x - old) / count;
        mean[i] = now;
        squares[i] = (squares[i] as number) + (x - old) * (x - now);
      }
    },
  };
}

/** The variances of the mean of all draws so far; undefined while there are too few groups. */
type ErrorVariance = () => Float64Array | undefined;

/** Takes draws one after another. */
export interface RunningMean {
  /** S. */
  readonly samples: () => number;
  readonly add: (values: ArrayLike<number>) => void;
  readonly mean: () => Float64Array;
  /**
   * The variance of one draw. If there are too few groups for Var[mean], that term is left out, and the sum is divided by S − 1.
   */
  readonly variance: () => Float64Array;
  readonly errorVariance: ErrorVariance;
}

/** Creates an empty mean for draws of `size` numbers. */
export function runningMean(design: Design, size: number): RunningMean {
  const all = tallyOf(size);
  const groups = groupsOf(design, size, all);
  return {
    samples: all.count,
    add: (values) => {
      groups.add(all.count(), values);
      all.add(values);
    },
    mean: () => all.mean,
    variance: () => {
      const [S, error] = [all.count(), groups.errorVariance()];
      return all.squares.map((sum, i) => (error === undefined ? sum / (S - 1) : sum / S + (error[i] as number)));
    },
    errorVariance: groups.errorVariance,
  };
}

/** The groups of a design, beside the mean of all draws. */
interface Groups {
  readonly add: (s: number, values: ArrayLike<number>) => void;
  readonly errorVariance: ErrorVariance;
}

function groupsOf(design: Design, size: number, all: Tally): Groups {
  switch (design) {
    case 'independent':
      return { add: () => {}, errorVariance: () => ofMean(all) };
    case 'antithetic': {
      const pairs = tallyOf(size);
      const first = new Float64Array(size);
      const add = (s: number, values: ArrayLike<number>): void => {
        if (s % 2 === 0) first.set(values);
        else pairs.add(first.map((x, i) => (x + (values[i] as number)) / 2));
      };
      return { add, errorVariance: () => ofMean(pairs) };
    }
    case 'quasiRandom': {
      const sequences: Tally[] = [];
      const add = (s: number, values: ArrayLike<number>): void => {
        if (s < SEQUENCES) sequences.push(tallyOf(size));
        (sequences[s % SEQUENCES] as Tally).add(values);
      };
      return {
        add,
        errorVariance: () => {
          const means = tallyOf(size);
          for (const { mean } of sequences) means.add(mean);
          return ofMean(means);
        },
      };
    }
  }
}

const ofMean = (groups: Tally): Float64Array | undefined => {
  const K = groups.count();
  return K < 2 ? undefined : groups.squares.map((sum) => sum / (K * (K - 1)));
};
