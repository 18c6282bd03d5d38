/**
 * Calibration after the fact: a map of probabilities to probabilities, fitted on held-out predictions of any kind of predictive. The
 * examples must be others than those of the training, and others than those that judge the result.
 */
import { either as E, function as F } from 'fp-ts';
import { argument, atLeastTwo, decode, type Flat, type InputOf, variant } from '../codec/index.js';
import { type ClassPredictions, labelledRows, probabilityRows } from '../conformal/classRows.js';
import { dual, ifArguments } from '../dual.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { checkCount, sound } from '../metrics/rows.js';
import { Maps, Methods, ruleOf } from './methods.js';

const CalibratorValue = variant('calibrator', {
  /** C. */
  classes: atLeastTwo,
  /** What was fitted. Its tag is that of the method. */
  map: Maps,
});

/** A fitted calibration: frozen data, which JSON can hold and `decodeCalibrator` reads. */
export type Calibrator = Flat<(typeof CalibratorValue)['_A']>;

/** A method, or its tag: 'temperature', 'vector', 'matrix', 'isotonic' or 'histogram'. */
export type CalibrationInput = InputOf<typeof Methods>;

/**
 * Fits a calibration on held-out predictions.
 *
 * @param predictions rows [N][C] that add up to 1, or [N][1] with the probability of class 1; or a `Classification`.
 * @param labels classes [N], 0 to C − 1.
 * @param method default `temperatureScaling()`.
 * @returns the fitted value for `calibrate`. `InvalidInput`, `InvalidLabels`, `NotFinite` or `Empty` for rows or labels that don't fit.
 * @throws LaplaceError `InvalidOption` for another method.
 *
 * @example
 * ```ts
 * import { calibrate, fitCalibrator, nll, orThrow } from 'tfjs-laplace';
 *
 * // Sure, but wrong in one case of four: the temperature makes 0.9 into 0.75.
 * const heldOut = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]];
 * const fitted = orThrow(fitCalibrator(heldOut, [0, 0, 0, 1]));
 * const [row] = orThrow(calibrate([[0.9, 0.1]], fitted));
 * orThrow(nll([row!], [0])); // => 0.2876…
 * ```
 */
export function fitCalibrator(
  predictions: ClassPredictions,
  labels: ArrayLike<number>,
  method: CalibrationInput = 'temperature',
): E.Either<LaplaceError, Calibrator> {
  const own = argument('fitCalibrator', 'method', Methods, method);
  return F.pipe(
    labelledRows(predictions, labels),
    E.map((rows) =>
      Object.freeze({ _tag: 'calibrator', classes: rows[0]?.length as number, map: ruleOf(own).fit(own, rows, labels) }),
    ),
  );
}

/**
 * Calibrated probabilities. They can go to every function that takes rows of probabilities.
 *
 * @param predictions rows [B][C] as `fitCalibrator` takes them, or a `Classification`.
 * @returns rows [B][C] that add up to 1, with two classes for rows of one number. `InvalidInput` for another number of classes; `NotFinite`
 *   or `Empty` for broken rows.
 * @throws LaplaceError `InvalidOption` for a fitted value that does not decode.
 *
 * @example
 * ```ts
 * import { function as F } from 'fp-ts';
 * import { calibrate, fitCalibrator, histogramBinning, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(fitCalibrator([[0.1], [0.2], [0.8], [0.9]], [0, 1, 1, 1], histogramBinning({ bins: 2 })));
 * orThrow(F.pipe([[0.3], [0.7]], calibrate(fitted))); // => [Float64Array.of(0.5, 0.5), Float64Array.of(0, 1)]
 * ```
 */
export function calibrate(
  fitted: Calibrator,
): (predictions: ClassPredictions) => E.Either<LaplaceError, ReadonlyArray<Float64Array>>;
export function calibrate(predictions: ClassPredictions, fitted: Calibrator): E.Either<LaplaceError, ReadonlyArray<Float64Array>>;
export function calibrate(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (given: Calibrator) => {
    const { classes, map } = argument('calibrate', 'fitted', CalibratorValue, given);
    const rule = ruleOf(map);
    return (predictions: ClassPredictions) =>
      F.pipe(
        probabilityRows(predictions),
        E.chain((rows) => sound(checkCount(rows[0]?.length as number, classes, 'probabilities[0]'), () => rows)),
        E.chain((rows) => (rule.suits(map, classes) ? E.right(rows) : E.left(otherSize(classes)))),
        E.map((rows) => rows.map((row) => rule.apply(map, row))),
      );
  });
}

const otherSize = (classes: number): LaplaceError =>
  laplaceError('InvalidInput', {
    what: 'calibrate: fitted.map',
    field: 'fitted.map',
    found: 'lists of another length',
    expected: `lists for ${classes} classes`,
    remedy: 'Use the value as fitCalibrator has made it.',
  });

/**
 * Reads a fitted calibration from data, for example from JSON that another process has written.
 *
 * @returns the value, frozen, or `InvalidInput` that lists every problem with its path.
 *
 * @example
 * ```ts
 * import { either as E } from 'fp-ts';
 * import { decodeCalibrator, fitCalibrator, orThrow } from 'tfjs-laplace';
 *
 * const fitted = orThrow(fitCalibrator([[0.75, 0.25], [0.5, 0.5]], [0, 1], 'vector'));
 * decodeCalibrator(JSON.parse(JSON.stringify(fitted))); // => E.right(fitted)
 * ```
 */
export const decodeCalibrator = (input: unknown): E.Either<LaplaceError, Calibrator> =>
  decode(CalibratorValue, input, 'calibrator', 'InvalidInput');
