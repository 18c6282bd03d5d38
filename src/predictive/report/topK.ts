/** The most probable classes of every example, with their probabilities and standard deviations. */
import { laplaceError } from '../../errors.js';
import type { Classification } from '../prediction.js';

/**
 * The k most probable classes of one example, most probable first. Classes of equal probability are in the order of their
 * numbers.
 */
export interface TopClasses {
  /** Class numbers [k], counted from 0. */
  readonly classes: Int32Array;
  /** [k] */
  readonly probabilities: Float32Array;
  /** The standard deviations of these probabilities under the posterior, [k]. */
  readonly standardDeviations: Float32Array;
}

/**
 * The k most probable classes of every example, with their mean probabilities and the standard deviations of these probabilities
 * under the posterior. For independent labels it gives the k most probable labels.
 *
 * @throws LaplaceError `InvalidOption` when k is not an integer from 1 to the number of classes.
 *
 * @example
 * ```ts
 * import { topK } from 'tfjs-laplace';
 *
 * const prediction = {
 *   _tag: 'classification',
 *   probabilities: [Float32Array.of(0.25, 0.125, 0.625)],
 *   standardDeviations: [Float32Array.of(0.5, 0.25, 0.125)],
 *   entropy: Float32Array.of(0.9), expectedEntropy: Float32Array.of(0.6), mutualInformation: Float32Array.of(0.3),
 * } as const;
 * topK(prediction, 2)[0].classes; // => Int32Array.of(2, 0)
 * topK(prediction, 2)[0].standardDeviations; // => Float32Array.of(0.125, 0.5)
 * ```
 */
export function topK({ probabilities, standardDeviations }: Classification, k: number): ReadonlyArray<TopClasses> {
  const C = probabilities[0]?.length ?? Number.POSITIVE_INFINITY;
  if (!Number.isInteger(k) || k < 1 || k > C) {
    throw laplaceError('InvalidOption', { what: 'topK: k', field: 'k', found: String(k), expected: `an integer from 1 to ${C}` });
  }
  return probabilities.map((row, b) => {
    // A stable sort keeps equal probabilities in the order of their classes.
    const classes = Int32Array.from(row, (_, c) => c)
      .sort((i, j) => (row[j] as number) - (row[i] as number))
      .slice(0, k);
    const pick = (values: Float32Array): Float32Array => Float32Array.from(classes, (c) => values[c] as number);
    return { classes, probabilities: pick(row), standardDeviations: pick(standardDeviations[b] as Float32Array) };
  });
}
