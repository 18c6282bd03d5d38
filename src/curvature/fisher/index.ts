/**
 * The Fisher matrices, as data and as rules. A new one is a file in this folder, and one entry in each of the two lists below.
 */
import { type Flat, taggedUnion } from '../../codec/index.js';
import { CustomFisher, customFisherRule } from './custom.js';
import { Empirical, empiricalRule } from './empirical.js';
import { Exact, exactRule } from './exact.js';
import type { FisherRule } from './fisher.js';
import { MonteCarlo, monteCarloRule } from './monteCarlo.js';
import { Truncated, truncatedRule } from './truncated.js';

/** Decodes a Fisher matrix. */
export const Fishers = taggedUnion('a Fisher matrix', Exact, Truncated, MonteCarlo, Empirical, CustomFisher);

/** A choice of Fisher matrix: which gradients are sent back through the network. */
export type Fisher = Flat<(typeof Fishers)['_A']>;

const RULES: { readonly [T in Fisher['_tag']]: FisherRule<Extract<Fisher, { readonly _tag: T }>> } = {
  exact: exactRule,
  truncated: truncatedRule,
  monteCarlo: monteCarloRule,
  empirical: empiricalRule,
  customFisher: customFisherRule,
};

/** The rule of a Fisher matrix. */
export const fisherRule = ({ _tag }: Pick<Fisher, '_tag'>): FisherRule<Fisher> => RULES[_tag] as FisherRule<Fisher>;
