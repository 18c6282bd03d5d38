/**
 * The parts of the Brier score. For each class c, examples go into bins by p[c]; bin m has n_m of N examples, the mean probability p̄_m and
 * the share ō_m of examples whose label is c; ō is the share of all examples. Sums over classes:
 *
 *   reliability = Σ (n_m / N) (p̄_m − ō_m)²      how far probabilities are from what happens: 0 is best
 *   resolution  = Σ (n_m / N) (ō_m − ō)²        how far predictions tell examples apart: higher is better
 *   uncertainty = Σ ō (1 − ō)                   a property of the labels alone
 *   remainder   = Σ (n_m / N) (var_m(p) − 2 cov_m(p, o))     what varies within the bins
 *
 *   Brier score = reliability − resolution + uncertainty + remainder, exactly
 *
 * The remainder is 0 if all probabilities in a bin are equal; Murphy has such bins. O(N C). Reference: Murphy 1973; Stephenson, Coelho &
 * Jolliffe 2008 (within-bin variance and covariance).
 */
import { either as E, function as F } from 'fp-ts';
import { optionsOf } from '../codec/index.js';
import type { LaplaceError } from '../errors.js';
import { type BinSums, binned, type CalibrationOptions, CalibrationOptionsCodec } from './bins.js';
import { eachClass } from './classwise.js';
import { labelled, type NumberRows } from './rows.js';

export interface BrierDecomposition {
  /** The Brier score, 0 to 2: reliability − resolution + uncertainty + remainder. */
  readonly brierScore: number;
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  readonly remainder: number;
}

/**
 * Reliability, resolution and uncertainty: the parts of the mean Brier score.
 *
 * @param probabilities rows [N][C] that add up to 1, or [N][1]: the probability of class 1.
 * @param labels classes [N], 0 to C − 1.
 * @returns the parts, in units of the Brier score, summed over classes. Errors are those of `correctness`.
 * @throws LaplaceError `InvalidOption` if `bins` is not an integer >= 1, or for another binning.
 *
 * @example
 * ```ts
 * import { brierDecomposition, orThrow } from 'tfjs-laplace';
 *
 * const parts = orThrow(brierDecomposition([[0.75], [0.75], [0.25], [0.25]], [1, 1, 0, 1]));
 * parts; // => { brierScore: 0.375, reliability: 0.125, resolution: 0.125, uncertainty: 0.375, remainder: 0 }
 * ```
 */
export function brierDecomposition(
  probabilities: NumberRows,
  labels: ArrayLike<number>,
  options: CalibrationOptions = {},
): E.Either<LaplaceError, BrierDecomposition> {
  const { bins, binning } = optionsOf('brierDecomposition', CalibrationOptionsCodec, options);
  return F.pipe(
    labelled(probabilities, labels),
    E.map((rows) => partsOf(eachClass(rows, labels, (scores, outcomes) => binned(scores, outcomes, bins, binning).sums))),
  );
}

/** The parts, from the bins of each class. */
export function partsOf(classes: ReadonlyArray<BinSums>): BrierDecomposition {
  let [reliability, resolution, uncertainty, remainder] = [0, 0, 0, 0];
  for (const { count, scores, outcomes, squares, products } of classes) {
    const N = total(count);
    const share = total(outcomes) / N;
    uncertainty += share * (1 - share);
    count.forEach((n, m) => {
      if (n === 0) return;
      const [p, o] = [(scores[m] as number) / n, (outcomes[m] as number) / n];
      reliability += (n / N) * (p - o) ** 2;
      resolution += (n / N) * (o - share) ** 2;
      const variance = (squares[m] as number) / n - p * p;
      const covariance = (products[m] as number) / n - p * o;
      remainder += (n / N) * (variance - 2 * covariance);
    });
  }
  return {
    brierScore: reliability - resolution + uncertainty + remainder,
    reliability,
    resolution,
    uncertainty,
    remainder,
  };
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
