/** Candidates for outputs of numbers and counts: the mean and total variance of each label. */
import type { Moments as RowMoments } from '../likelihood/moments.js';
import { rowsOf } from '../predictive/report/linearisedReport.js';
import { runningMean } from '../predictive/report/runningMean.js';
import { type Criterion, ownLosses } from './criterion.js';
import { type Free, spreadOf } from './free.js';
import type { DrawnOutput, HeldOut, Part, Reading, Uncertainty } from './held.js';
import { isRowCriterion, rowLosses } from './losses.js';

/** The moments of each label of each row. */
export interface Moments {
  readonly mean: ReadonlyArray<Float64Array>;
  /** Var[E[y | f]]. */
  readonly epistemic: ReadonlyArray<Float64Array>;
  /** E[Var[y | f]]. */
  readonly noise: ReadonlyArray<Float64Array>;
}

/** The candidate of one such output. Its likelihood has closed moments. */
export function numeric(own: HeldOut, uncertainty: Uncertainty, reading: Reading): (criterion: Criterion) => Part {
  const { labels, predicts, counts: counted } = own.truth;
  const isGaussian = own.head.row.ops.name === 'gaussian';
  // The closed moments of a gaussian are linear in both variances. Of the noise variances only its own is free.
  const isLinear = isGaussian && uncertainty._tag === 'covariance';
  const under = (spread: number): Moments =>
    uncertainty._tag === 'draws' ? drawnMoments(own, uncertainty, spread) : closedMoments(own, uncertainty.values, spread);
  const base = isLinear ? under(1) : undefined;
  const at = (free: Free): Moments => base ?? under(spreadOf(free, reading.power));
  const factors = (free: Free): readonly [epistemic: number, noise: number] =>
    isGaussian ? [isLinear ? spreadOf(free, reading.power) : 1, free.noise] : [1, 1];
  return (criterion) => {
    if (!isRowCriterion(criterion)) {
      if (criterion === 'ece') throw new Error('tune refuses a criterion that does not suit an output');
      return {
        hasSlopes: false,
        isSmooth: false,
        addTo: (losses, _, free) => {
          const { mean, epistemic, noise } = at(free);
          const [e, n] = factors(free);
          const ownOf = (i: number, j: number): number => n * (free.noises?.[j] ?? 1) * (noise[i]?.[j] as number);
          const totalVariance = epistemic.map((row, i) => row.map((v, j) => e * v + ownOf(i, j)));
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
            const own = n * (free.noises?.[j] ?? 1) * (noise[i]?.[j] as number);
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

/** The moments of one such output, with `temperature` times its covariance; of draws as they were drawn. */
export const momentsOf = (own: HeldOut, uncertainty: Uncertainty, temperature: number): Moments =>
  uncertainty._tag === 'draws'
    ? drawnMoments(own, uncertainty, uncertainty.spread)
    : closedMoments(own, uncertainty.values, temperature);

/** The moments if the covariance is `spread` times as large. */
function closedMoments({ head, mean }: HeldOut, covariance: Float32Array, spread: number): Moments {
  const found = rowsOf(mean, covariance, head.row.outputs).map(
    ([f, { variance }]) =>
      head.row.ops.gaussianMoments?.(
        f,
        variance.map((v) => spread * v),
      ) ?? [],
  );
  const column = (of: (own: RowMoments) => number) => found.map((row) => Float64Array.from(row, of));
  return { mean: column((own) => own.mean), epistemic: column((own) => own.epistemic), noise: column((own) => own.noise) };
}

/** The moments over draws f* + √(spread) (f_k − f*). Each network by itself predicts the moments that belong to no variance of f. */
function drawnMoments({ head, mean }: HeldOut, { draws, spread: own, design }: DrawnOutput, spread: number): Moments {
  const C = head.row.outputs;
  const rows = mean.length / C;
  const wide = Math.sqrt(spread / own);
  const none = new Float64Array(C);
  const ofNetwork = (f: Float32Array): ReadonlyArray<RowMoments> =>
    Array.from({ length: rows }, (_, i) => {
      const row = Float64Array.from({ length: C }, (__, c) => {
        const centre = mean[i * C + c] as number;
        return centre + wide * ((f[i * C + c] as number) - centre);
      });
      return head.row.ops.gaussianMoments?.(row, none) ?? [];
    }).flat();
  const all = draws.map(ofNetwork);
  const T = (all[0] as ReadonlyArray<RowMoments>).length / rows;
  const [means, noises] = [runningMean(design, rows * T), runningMean(design, rows * T)];
  for (const found of all) {
    means.add(found.map((label) => label.mean));
    noises.add(found.map((label) => label.noise));
  }
  const cut = (values: Float64Array) => Array.from({ length: rows }, (_, i) => values.subarray(i * T, (i + 1) * T));
  return { mean: cut(means.mean()), epistemic: cut(means.variance()), noise: cut(noises.mean()) };
}
