/** The detectors on features. A new one is a file beside this one, and a line in each of the three lists below. */
import { type Flat, taggedUnion } from '../../codec/index.js';
import { MahalanobisMap, MahalanobisMethod, mahalanobisRule } from './mahalanobis.js';
import { NeighboursMap, NeighboursMethod, neighboursRule } from './nearestNeighbours.js';
import type { DetectorRule } from './rule.js';

/** Decodes a method. */
export const Methods = taggedUnion('a method of detection', MahalanobisMethod, NeighboursMethod);
/** Decodes what a method has fitted. */
export const Maps = taggedUnion('a fitted map', MahalanobisMap, NeighboursMap);

/** How unusual features are found. */
export type DetectionMethod = Flat<(typeof Methods)['_A']>;
/** A fitted map of features to scores. */
export type DetectionMap = Flat<(typeof Maps)['_A']>;

type Tagged<U, T> = Extract<U, { readonly _tag: T }>;
type Rule = DetectorRule<DetectionMethod, DetectionMap>;

const RULES: {
  readonly [T in DetectionMethod['_tag']]: DetectorRule<Tagged<DetectionMethod, T>, Tagged<DetectionMap, T>>;
} = {
  mahalanobis: mahalanobisRule,
  nearestNeighbours: neighboursRule,
};

/** The rule of a method, or of its map. */
export const ruleOf = ({ _tag }: { readonly _tag: DetectionMethod['_tag'] }): Rule => RULES[_tag] as unknown as Rule;
