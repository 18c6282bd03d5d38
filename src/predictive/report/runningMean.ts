/**
 * Mean and variance of draws as they come, entry by entry in float64 (Welford 1962), and the variance of that mean under the draws'
 * design. Memory does not grow with the number of draws. Host arithmetic; the state is its owner's alone.
 *
 *   Var[mean] ≈ Σ_k (y_k − ȳ)² / (K (K − 1)),   y_1 … y_K the means of groups of draws that are independent of each other:
 *
 * single draws, pairs of mirror images, or the sequences of quasi-random draws. The variance of a draw is Σ (x − mean)² / S + Var[mean],
 * unbiased whatever the design; for independent draws that is Σ (x − mean)² / (S − 1).
 */
import { type Design, SEQUENCES } from '../../random/noise.js';

/** Independent groups that a standard error is taken from at least, where something depends on it: it is then known to a quarter. */
const GROUPS = 8;

/** Draws after which Var[mean] can be asked for. */
export const fewestDraws = (design: Design): number => (design === 'antithetic' ? 4 : 2);

/** Whether the standard error after so many draws is good enough to stop by: enough groups, all of them complete. */
export function maySettle(design: Design, samples: number): boolean {
  const size = design === 'antithetic' ? 2 : 1;
  const whole = design === 'quasiRandom' ? samples % SEQUENCES === 0 : samples % size === 0;
  return whole && samples >= GROUPS * size;
}

/** Sums over vectors of equal length. */
interface Moments {
  readonly count: () => number;
  readonly add: (values: ArrayLike<number>) => void;
  readonly mean: Float64Array;
  /** Σ (x − mean)². */
  readonly squares: Float64Array;
}

function momentsOf(size: number): Moments {
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

/** Variances of the mean of all draws so far, or `undefined` while it can't be told. */
type ErrorVariance = () => Float64Array | undefined;

/** Takes draws in turn. */
export interface RunningMean {
  /** S. */
  readonly samples: () => number;
  readonly add: (values: ArrayLike<number>) => void;
  readonly mean: () => Float64Array;
  /** Of one draw; of independent groups of them too few, that of what there is. */
  readonly variance: () => Float64Array;
  readonly errorVariance: ErrorVariance;
}

/** For draws of `size` numbers. */
export function runningMean(design: Design, size: number): RunningMean {
  const all = momentsOf(size);
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

/** Keeps what the design needs beside the moments of all draws. */
interface Groups {
  readonly add: (s: number, values: ArrayLike<number>) => void;
  readonly errorVariance: ErrorVariance;
}

function groupsOf(design: Design, size: number, all: Moments): Groups {
  switch (design) {
    case 'independent':
      return { add: () => {}, errorVariance: () => ofMean(all) };
    case 'antithetic': {
      const pairs = momentsOf(size);
      const first = new Float64Array(size);
      const add = (s: number, values: ArrayLike<number>): void => {
        if (s % 2 === 0) first.set(values);
        else pairs.add(first.map((x, i) => (x + (values[i] as number)) / 2));
      };
      return { add, errorVariance: () => ofMean(pairs) };
    }
    case 'quasiRandom': {
      const sequences: Moments[] = [];
      const add = (s: number, values: ArrayLike<number>): void => {
        if (s < SEQUENCES) sequences.push(momentsOf(size));
        (sequences[s % SEQUENCES] as Moments).add(values);
      };
      return {
        add,
        errorVariance: () => {
          const means = momentsOf(size);
          for (const { mean } of sequences) means.add(mean);
          return ofMean(means);
        },
      };
    }
  }
}

const ofMean = (groups: Moments): Float64Array | undefined => {
  const K = groups.count();
  return K < 2 ? undefined : groups.squares.map((sum) => sum / (K * (K - 1)));
};
