/** Candidates for outputs of numbers and counts: the mean and total variance of each label. */
import { rowsOf } from '../predictive/report/linearisedReport.js';
import { type Criterion, ownLosses } from './criterion.js';
import { type Free, spreadOf } from './free.js';
import type { HeldOut, Part, Reading } from './held.js';
import { isRowCriterion, rowLosses } from './losses.js';

/** The moments of each label of each row. */
interface Moments {
  readonly mean: ReadonlyArray<Float64Array>;
  /** Var[E[y | f]]. */
  readonly epistemic: ReadonlyArray<Float64Array>;
  /** E[Var[y | f]]. */
  readonly noise: ReadonlyArray<Float64Array>;
}

/** The candidate of one such output. Its likelihood has closed moments. */
export function numeric(own: HeldOut, covariance: Float32Array, reading: Reading): (criterion: Criterion) => Part {
  const { labels, predicts, counts: counted } = own.truth;
  // The moments of a gaussian are linear in both variances, and of the noise variances only its own is free.
  const isLinear = own.head.row.ops.name === 'gaussian';
  const base = momentsOf(own, covariance, 1);
  const at = (free: Free): Moments => (isLinear ? base : momentsOf(own, covariance, spreadOf(free, reading.power)));
  const factors = (free: Free): readonly [epistemic: number, noise: number] =>
    isLinear ? [spreadOf(free, reading.power), free.noise] : [1, 1];
  return (criterion) => {
    if (!isRowCriterion(criterion)) {
      if (criterion === 'ece') throw new Error('tune refuses a criterion that does not suit an output');
      return {
        hasSlopes: false,
        isSmooth: false,
        addTo: (losses, _, free) => {
          const { mean, epistemic, noise } = at(free);
          const [e, n] = factors(free);
          const totalVariance = epistemic.map((row, i) => row.map((v, j) => e * v + n * (noise[i]?.[j] as number)));
          const predictions = { _tag: 'regression', mean, totalVariance } as const;
          losses.set(ownLosses(criterion, { output: own.head.name, predictions, labels }, labels.length));
        },
      };
    }
    const { numbers, counts } = rowLosses(criterion);
    const lossOf = predicts === 'counts' ? counts : numbers.of;
    return {
      hasSlopes: isLinear,
      isSmooth: true,
      addTo: (losses, slopes, free) => {
        const { mean, epistemic, noise } = at(free);
        const [e, n] = factors(free);
        for (let i = 0; i < labels.length; i++) {
          if (!counted[i]) continue;
          const y = labels[i] as ArrayLike<number>;
          let sum = 0;
          for (let j = 0; j < y.length; j++) {
            const spread = e * (epistemic[i]?.[j] as number);
            const own = n * (noise[i]?.[j] as number);
            const m = mean[i]?.[j] as number;
            const target = y[j] as number;
            sum += lossOf(m, spread + own, target);
            if (!isLinear) continue;
            const slope = numbers.inVariance(m, spread + own, target);
            slopes.spread += slope * spread;
            slopes.noise += slope * own;
          }
          losses[i] = sum;
        }
      },
    };
  };
}

/** The moments if the covariance is `spread` times as large. */
function momentsOf({ head, mean }: HeldOut, covariance: Float32Array, spread: number): Moments {
  const found = rowsOf(mean, covariance, head.row.outputs).map(
    ([f, { variance }]) =>
      head.row.ops.gaussianMoments?.(
        f,
        variance.map((v) => spread * v),
      ) ?? [],
  );
  const column = (of: (own: (typeof found)[number][number]) => number) => found.map((row) => Float64Array.from(row, of));
  return { mean: column((own) => own.mean), epistemic: column((own) => own.epistemic), noise: column((own) => own.noise) };
}
