/** The most probable classes of every example, with their probabilities and standard deviations. */
import { either as E, function as F } from 'fp-ts';
import { argument, ofKind, positiveInteger } from '../../codec/index.js';
import { dual, ifArguments } from '../../dual.js';
import { type LaplaceError, laplaceError } from '../../errors.js';
import type { Classification } from '../prediction.js';
import { CLASSIFICATION } from './kind.js';

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
 * @returns one value for each example, or `InvalidInput` if there are fewer than k classes.
 * @throws LaplaceError `InvalidOption` if k is not an integer >= 1.
 *
 * @example
 * ```ts
 * import { either as E, function as F } from 'fp-ts';
 * import { orThrow, topK } from 'tfjs-laplace';
 *
 * const prediction = {
 *   _tag: 'classification',
 *   probabilities: [Float32Array.of(0.25, 0.125, 0.625)],
 *   standardDeviations: [Float32Array.of(0.5, 0.25, 0.125)],
 *   entropy: Float32Array.of(0.9), expectedEntropy: Float32Array.of(0.6), mutualInformation: Float32Array.of(0.3),
 * } as const;
 * const [best] = orThrow(topK(prediction, 2));
 * best.classes; // => Int32Array.of(2, 0)
 * best.standardDeviations; // => Float32Array.of(0.125, 0.5)
 * E.isLeft(F.pipe(prediction, topK(4))); // => true
 * ```
 */
export function topK(k: number): (prediction: Classification) => E.Either<LaplaceError, ReadonlyArray<TopClasses>>;
export function topK(prediction: Classification, k: number): E.Either<LaplaceError, ReadonlyArray<TopClasses>>;
export function topK(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (k: number) => {
    const own = argument('topK', 'k', positiveInteger, k);
    return (given: Classification) =>
      F.pipe(
        ofKind('topK', CLASSIFICATION, given),
        E.filterOrElse(({ probabilities: [first] }) => first === undefined || own <= first.length, tooMany(own)),
        E.map((prediction) => likeliest(prediction, own)),
      );
  });
}

const tooMany =
  (k: number) =>
  ({ probabilities: [first] }: Classification): LaplaceError =>
    laplaceError('InvalidInput', {
      what: 'topK: k',
      field: 'k',
      found: String(k),
      expected: `at most ${first?.length}, the number of classes`,
    });

const likeliest = ({ probabilities, standardDeviations }: Classification, k: number): ReadonlyArray<TopClasses> =>
  probabilities.map((row, b) => {
    // A stable sort leaves equals in the order of their numbers.
    const classes = Int32Array.from(row, (_, c) => c)
      .sort((i, j) => (row[j] as number) - (row[i] as number))
      .slice(0, k);
    const pick = (values: Float32Array): Float32Array => Float32Array.from(classes, (c) => values[c] as number);
    return { classes, probabilities: pick(row), standardDeviations: pick(standardDeviations[b] as Float32Array) };
  });
