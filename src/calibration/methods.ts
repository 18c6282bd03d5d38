/** The methods of calibration. A new one is a file beside this one, and a line in each of the three lists below. */
import { type Flat, taggedUnion } from '../codec/index.js';
import { MatrixMap, MatrixMethod, matrixRule, VectorMap, VectorMethod, vectorRule } from './affine.js';
import { HistogramMap, HistogramMethod, histogramRule } from './histogram.js';
import { IsotonicMap, IsotonicMethod, isotonicRule } from './isotonic.js';
import type { CalibrationRule } from './rule.js';
import { TemperatureMap, TemperatureMethod, temperatureRule } from './temperature.js';

/** Decodes a method. */
export const Methods = taggedUnion(
  'a method of calibration',
  TemperatureMethod,
  VectorMethod,
  MatrixMethod,
  IsotonicMethod,
  HistogramMethod,
);
/** Decodes what a method has fitted. */
export const Maps = taggedUnion('a fitted map', TemperatureMap, VectorMap, MatrixMap, IsotonicMap, HistogramMap);

/** How probabilities are calibrated after the fact. */
export type CalibrationMethod = Flat<(typeof Methods)['_A']>;
/** A fitted map of probabilities to probabilities. */
export type CalibrationMap = Flat<(typeof Maps)['_A']>;

type Tagged<U, T> = Extract<U, { readonly _tag: T }>;
type Rule = CalibrationRule<CalibrationMethod, CalibrationMap>;

const RULES: {
  readonly [T in CalibrationMethod['_tag']]: CalibrationRule<Tagged<CalibrationMethod, T>, Tagged<CalibrationMap, T>>;
} = {
  temperature: temperatureRule,
  vector: vectorRule,
  matrix: matrixRule,
  isotonic: isotonicRule,
  histogram: histogramRule,
};

/** The rule of a method, or of its map. */
export const ruleOf = ({ _tag }: { readonly _tag: CalibrationMethod['_tag'] }): Rule => RULES[_tag] as unknown as Rule;
