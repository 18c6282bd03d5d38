/**
 * Detectors on features: what is fitted to the features of training data, such as the inputs of a network's last layer. A detector is a score
 * like any other. It belongs to the weights that the features were taken at.
 */
import { either as E, function as F } from 'fp-ts';
import {
  anything,
  argument,
  decode,
  type Flat,
  type InputOf,
  optional,
  positiveInteger,
  struct,
  variant,
} from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import { checkCount, checkRows, type NumberRows, sound } from '../metrics/rows.js';
import { Maps, Methods, ruleOf } from './features/methods.js';
import { rule, type ScoreRule } from './rule.js';

export const DetectorValue = variant('detector', {
  /** D. */
  features: positiveInteger,
  /** What was fitted. Its tag is that of the method. */
  map: Maps,
});

/** A fitted detector: frozen data, which JSON can hold and `decodeDetector` reads. */
export type Detector = Flat<(typeof DetectorValue)['_A']>;

/** A method, or its tag: 'mahalanobis' or 'nearestNeighbours'. */
export type DetectionMethodInput = InputOf<typeof Methods>;

/** Training data of a detector. */
export interface DetectorData {
  /** Rows [N][D], as `features` gives them. Join those of several batches: `rows.flat()`. */
  readonly features: NumberRows;
  /** The classes [N], integers >= 0. Mahalanobis distances need them. */
  readonly labels?: ArrayLike<number>;
}

const Data = struct('an object with features', { features: anything, labels: optional(anything) });

/**
 * Fits a detector to the features of training data.
 *
 * @param data features [N][D], and for 'mahalanobis' the classes [N].
 * @param method `mahalanobis()`, `nearestNeighbours()`, or a tag.
 * @returns the fitted value, a score for `detectionScore` and `evaluateDetection`. `InvalidInput`, `InvalidLabels`, `NotFinite` or `Empty`
 *   for features or labels that don't fit; `NotPositiveDefinite` for features without any variance.
 * @throws LaplaceError `InvalidOption` for another method.
 *
 * @example
 * ```ts
 * import { detectionScore, fitDetector, orThrow } from 'tfjs-laplace';
 *
 * const training = { features: [[1, 0], [3, 0], [0, 1], [0, 3]], labels: [0, 0, 1, 1] };
 * const fitted = orThrow(fitDetector(training, 'mahalanobis'));
 * orThrow(detectionScore({ features: [[2, 0]] }, fitted)); // => Float64Array.of(0)
 * ```
 */
export function fitDetector(data: DetectorData, method: DetectionMethodInput): E.Either<LaplaceError, Detector> {
  const own = argument('fitDetector', 'method', Methods, method);
  return F.pipe(
    decode(Data, data, 'data', 'InvalidInput'),
    E.chain(({ features, labels }) =>
      F.pipe(
        sound(checkRows(features as NumberRows, 'features'), () => features as NumberRows),
        E.chain((rows) =>
          F.pipe(
            ruleOf(own).fit(own, rows, labels as ArrayLike<number> | undefined),
            E.map((map) => frozen({ _tag: 'detector', features: rows[0]?.length as number, map } as const)),
          ),
        ),
      ),
    ),
  );
}

/**
 * Reads a fitted detector from data, for example from JSON that another process has written.
 *
 * @returns the value, frozen, or `InvalidInput` that lists every problem with its path.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { decodeDetector, fitDetector, nearestNeighbours, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(fitDetector({ features: [[1, 0], [0, 1]] }, nearestNeighbours({ neighbours: 1 })));
 * decodeDetector(JSON.parse(JSON.stringify(fitted))); // => E.right(fitted)
 * ```
 */
export const decodeDetector = (input: unknown): E.Either<LaplaceError, Detector> =>
  decode(DetectorValue, input, 'detector', 'InvalidInput');

const FEATURES = {
  field: 'features',
  read: ({ features }: { readonly features?: NumberRows }) => features,
  remedy: 'The operator features(model) gives them.',
};

export const detectorRule: ScoreRule<Detector> = rule(FEATURES, (rows, { features: D, map }: Detector) => {
  const own = ruleOf(map);
  return F.pipe(
    sound(checkCount(rows[0]?.length as number, D, 'features[0]'), () => rows),
    E.chain((known) => (own.suits(map, D) ? E.right(own.apply(map, known)) : E.left(otherSize(D)))),
  );
});

const otherSize = (D: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'The detector: map',
    field: 'map',
    found: 'lists of another length',
    expected: `lists for ${D} features`,
    remedy: 'Use the value as fitDetector has made it.',
  });
