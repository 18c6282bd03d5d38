/** The data of a run: examples for training, for choices, for thresholds and for the judgement, each of them others. */
import { type BatchSource, batches, type Factors, type Recipe, type TensorData } from 'tfjs-laplace';
import { isArrayLike, isRecord, laplaceError } from 'tfjs-laplace/extend';

/** Examples as a whole, `{ x, y }`, or in batches with labels. */
export type Examples = TensorData | ReadonlyArray<BatchSource>;

/** The data of a run. No example is in two of the sets. */
export interface RunData {
  /** What the model was trained on; or the factors of its curvature, for example merged from several machines. */
  readonly training: Examples | Factors;
  /** For choices: the tuning, and the calibration after the fact. Without it the prior stays as it is written. */
  readonly heldOut?: Examples | undefined;
  /** For the thresholds of conformal sets and intervals, and of abstaining, whose promises need examples that chose nothing. */
  readonly thresholds?: Examples | undefined;
  /** For the metrics. Without it there are none. */
  readonly test?: Examples | undefined;
}

/** The data in batches. */
export interface RunBatches {
  readonly training: ReadonlyArray<BatchSource> | Factors;
  readonly heldOut?: ReadonlyArray<BatchSource>;
  readonly thresholds?: ReadonlyArray<BatchSource>;
  readonly test?: ReadonlyArray<BatchSource>;
}

const SETS = ['training', 'heldOut', 'thresholds', 'test'] as const;

/** Whether training data are factors already. */
export const isFactors = (training: RunBatches['training'] | RunData['training']): training is Factors =>
  isRecord(training) && 'layout' in training;

/**
 * The data in batches of this size, after a check that the recipe has all that it asks for. Throws `InvalidInput`.
 *
 * @param what the name of the function, for errors
 */
export function batchesOf(what: string, data: unknown, size: number, needed: ReadonlyArray<keyof RunData>): RunBatches {
  if (!isRecord(data)) throw missing(what, 'data', data);
  const unknown = Object.keys(data).find((key) => !(SETS as ReadonlyArray<string>).includes(key));
  if (unknown !== undefined) {
    throw laplaceError('InvalidInput', {
      what: `${what}: data.${unknown}`,
      field: `data.${unknown}`,
      found: 'a set of this name',
      expected: SETS.join(', '),
    });
  }
  const absent = needed.find((key) => data[key] === undefined);
  if (absent !== undefined) throw missing(what, `data.${absent}`, undefined);
  const sets = SETS.filter((key) => data[key] !== undefined).map((key) => [key, inBatches(what, key, data[key], size)] as const);
  return Object.fromEntries(sets) as unknown as RunBatches;
}

function inBatches(what: string, key: keyof RunData, given: unknown, size: number): ReadonlyArray<BatchSource> | Factors {
  if (key === 'training' && isFactors(given as RunData['training'])) return given as Factors;
  if (isRecord(given) && 'x' in given && 'y' in given) return batches(given as unknown as TensorData, size);
  if (isArrayLike(given)) return Array.from(given) as ReadonlyArray<BatchSource>;
  throw missing(what, `data.${key}`, given);
}

/** The sets that a recipe cannot do without, beside the training data. */
export const neededBy = ({ calibration, report }: Recipe): ReadonlyArray<keyof RunData> => [
  ...(calibration === 'none' ? [] : ['heldOut' as const]),
  ...(report.conformal === undefined && report.abstention === undefined ? [] : ['thresholds' as const]),
];

/** What a set is for, in words. */
const PURPOSE: Readonly<Record<string, string>> = {
  'data.heldOut': 'examples { x, y } that the model was not trained on: the calibration of the recipe is fitted on them',
  'data.thresholds':
    'examples { x, y } that nothing was trained, tuned or calibrated on: the thresholds of the recipe are fitted on them',
};

const missing = (what: string, field: string, given: unknown) =>
  laplaceError('InvalidInput', {
    what: `${what}: ${field}`,
    field,
    found: given === undefined || given === null ? 'nothing' : `a value of type ${typeof given}`,
    expected:
      PURPOSE[field] ??
      (field === 'data' ? 'an object { training, heldOut, thresholds, test }' : 'examples { x, y }, or a list of batches'),
  });
