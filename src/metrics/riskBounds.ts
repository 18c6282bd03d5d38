/**
 * The risk-coverage curve and its areas from bins of the uncertainty, with the bounds that the lost order within bins leaves. A bin with n
 * losses of sum L between a and c follows N₀ examples with losses of sum S. After j of its examples the sum of all losses that are kept is
 *
 *   S_j = S + l_j,   max(j a, L − (n − j) c) <= l_j <= min(j c, L − (n − j) a)
 *
 * because each of the j kept losses, and of the n − j others, lies between a and c. Losses of 0 and 1 reach both ends: all wrong ones last, or
 * first. At the end of a bin l_n = L, so there the curve is exact. Where the lowest and the highest uncertainty of a bin are equal, the
 * bin is one tie, and l_j = L j / n exactly. Over all N examples:
 *
 *   area (AURC) = 1/N Σ S_j / (N₀ + j),   generalised area (AUGRC) = 1/N² (Σ S_j − ½ S_N)
 *
 * The best order, in which losses rise, has the same bounds from bins of the losses themselves, and there l_j <= L j / n, because the j least
 * of n losses have at most the mean of all. For losses of 0 and 1 it is exact. Then excess area (E-AURC) = area − area of the best order,
 * at least 0. O(M + N) for M bins.
 */
import { type Bounded, between } from './bounded.js';
import type { Extremes } from './histogram.js';

/** Losses by bins of an order: the uncertainty, or the losses themselves. [M] each. */
export interface LossBins {
  readonly count: Float64Array;
  /** Sums of losses. */
  readonly losses: Float64Array;
  /** Of the losses in each bin. */
  readonly loss: Extremes;
  /** Of what the bins are of. */
  readonly order: Extremes;
}

/** Metrics of abstaining. */
export interface RiskMetrics {
  /** The highest uncertainty of each bin with an example, from the lowest to the highest. */
  readonly threshold: Float64Array;
  /** The share of the predictions whose uncertainty is at most the threshold. Exact. */
  readonly coverage: Float64Array;
  /** Their mean loss. Exact. */
  readonly risk: Float64Array;
  /** Area under the risk-coverage curve (AURC), in units of the loss. */
  readonly area: Bounded;
  /** How much larger the area is than that of the best order (E-AURC), in units of the loss. */
  readonly excessArea: Bounded;
  /** Area under coverage times risk (AUGRC), in units of the loss. */
  readonly generalisedArea: Bounded;
}

/** The metrics of at least one example, from bins of the uncertainty and of the losses. */
export function riskBounds(uncertainty: LossBins, losses: LossBins): RiskMetrics {
  const own = areas(uncertainty, false);
  const best = areas(losses, true);
  const atLeastZero = (excess: number) => Math.max(0, excess);
  return {
    ...curve(uncertainty),
    area: between(own.least.area, own.most.area),
    excessArea: between(atLeastZero(own.least.area - best.most.area), atLeastZero(own.most.area - best.least.area)),
    generalisedArea: between(own.least.generalised, own.most.generalised),
  };
}

/** The curve at the ends of bins. */
function curve({ count, losses, order }: LossBins): Pick<RiskMetrics, 'threshold' | 'coverage' | 'risk'> {
  const filled = Uint32Array.from(count.keys()).filter((b) => (count[b] as number) > 0);
  const [kept, lost] = [running(count, filled), running(losses, filled)];
  const N = kept.at(-1) as number;
  return {
    threshold: Float64Array.from(filled, (b) => order.highest[b] as number),
    coverage: kept.map((k) => k / N),
    risk: lost.map((sum, i) => sum / (kept[i] as number)),
  };
}

/** Sums over the first of these bins, over the first two, … */
function running(sums: Float64Array, bins: Uint32Array): Float64Array {
  let all = 0;
  return Float64Array.from(bins, (b) => {
    all += sums[b] as number;
    return all;
  });
}

interface Areas {
  readonly area: number;
  readonly generalised: number;
}

/** The least and the largest areas. */
function areas({ count, losses, loss, order }: LossBins, rising: boolean): { readonly least: Areas; readonly most: Areas } {
  const [risks, sums] = [
    { least: 0, most: 0 },
    { least: 0, most: 0 },
  ];
  let [N, S] = [0, 0];
  count.forEach((n, b) => {
    const L = losses[b] as number;
    const [a, c] = [loss.lowest[b] as number, loss.highest[b] as number];
    const tied = order.lowest[b] === order.highest[b];
    for (let j = 1; j <= n; j++) {
      const even = (L * j) / n;
      const least = S + (tied ? even : Math.max(j * a, L - (n - j) * c));
      const most = S + (tied || rising ? even : Math.min(j * c, L - (n - j) * a));
      sums.least += least;
      sums.most += most;
      risks.least += least / (N + j);
      risks.most += most / (N + j);
    }
    N += n;
    S += L;
  });
  const of = (end: 'least' | 'most'): Areas => ({ area: risks[end] / N, generalised: (sums[end] - S / 2) / N / N });
  return { least: of('least'), most: of('most') };
}
