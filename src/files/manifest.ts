/** What the manifests of factors and posteriors have in common: likelihoods and estimators, of which a file has the data but no code. */
import { array, boolean, type Codec, decode, isRecord, literals, positiveInteger, text } from '../codec/index.js';
import { structuresOf } from '../curvature/choice.js';
import { CurvatureCodec, type Estimator, estimatorOf } from '../curvature/codec.js';
import { keepsShares } from '../curvature/perOutput.js';
import { isNetworkWide, STRUCTURE_NAMES, type Structure } from '../curvature/structure/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { type Likelihood, LikelihoodCodec, type LikelihoodOf } from '../likelihood/index.js';
import { noiseVarianceOf } from '../likelihood/noiseVariance.js';
import { orThrow } from '../orThrow.js';
import { damaged } from './container.js';

/** The fields of a layer that factors and posteriors both have. */
export const LAYER_FIELDS = {
  name: text,
  structure: literals(...STRUCTURE_NAMES),
  members: array('the names of the layer’s blocks', text),
  groups: positiveInteger,
  n: positiveInteger,
  m: positiveInteger,
  bias: boolean,
};

/** What layers, estimator and likelihood must have to do with each other. */
interface Whole {
  readonly layers: ReadonlyArray<{
    readonly name: string;
    readonly structure: Structure;
    readonly members: ReadonlyArray<string>;
    readonly groups: number;
    readonly m: number;
  }>;
  readonly estimator: Estimator;
  readonly likelihood: Likelihood;
  /** C, the number of outputs of an example. */
  readonly outputs: number;
  /** The number of outputs whose shares are kept. */
  readonly shares: number | undefined;
}

/** Throws `InvalidFile` if the parts of a value do not belong together. The rest of the library takes for granted that they do. */
export function checkWhole({ layers, estimator, likelihood, outputs, shares }: Whole): void {
  const names = layers.map(({ name }) => name);
  if (new Set(names).size < names.length) throw damaged('two layers of one name');
  const fitting = structuresOf(estimator);
  for (const { name, structure, members, groups, m } of layers) {
    const words = `layer ${JSON.stringify(name)}`;
    const isWide = isNetworkWide({ structure });
    if (!isWide && (members.length !== 1 || members[0] !== name)) throw damaged(`members of ${words} other than itself`);
    if (isWide && (layers.length > 1 || groups > 1 || m > 1))
      throw damaged(`${words}, which is not the whole network in one column`);
    if (structure === 'lowRank' && groups > 1) throw damaged(`groups of ${words}, which is of low rank`);
    if (!fitting.has(structure)) throw damaged(`${words} of the structure ${structure} under ${estimator._tag}`);
  }
  const kept = keepsShares(estimator);
  if (kept !== (shares !== undefined))
    throw damaged(`${shares ?? 'no'} shares of outputs for an estimator that keeps ${kept ? 'them' : 'none'}`);
  if (shares === undefined) return;
  const variance = noiseVarianceOf(likelihood);
  const wanted = typeof variance === 'object' ? variance.length : likelihood._tag === 'gaussian' ? outputs : shares;
  if (variance === undefined || shares !== wanted || outputs % shares !== 0) {
    throw damaged(`shares of ${shares} outputs for a likelihood of ${outputs} outputs, ${likelihood._tag}`);
  }
}

/** Decodes a manifest, or a part of one. Throws `InvalidFile`, which lists every problem. */
export const decoded = <A, I>(codec: Codec<A, I>, value: unknown, what: string): A =>
  orThrow(decode(codec, value, `The manifest of the file: ${what}`, 'InvalidFile'));

/** The likelihoods of one's own that a file may name. */
export type OwnLikelihoods = ReadonlyArray<LikelihoodOf<'custom'>>;

/**
 * The likelihood of a manifest. Throws `InvalidFile` for one that does not decode, and `Mismatch` for one of the user's own that was not
 * given.
 */
export const likelihoodFrom = (value: unknown, own: OwnLikelihoods): Likelihood =>
  decoded(LikelihoodCodec, withOwn(value, own), 'likelihood');

/** Puts the functions of one's own likelihoods where the data have their names. */
function withOwn(value: unknown, own: OwnLikelihoods): unknown {
  if (!isRecord(value)) return value;
  if (value._tag === 'custom') {
    const found = own.find(({ name }) => name === value.name);
    if (found === undefined) throw notGiven(value.name, own);
    return found;
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withOwn(part, own)]));
}

/** The estimator of a manifest. Throws `InvalidFile` for one that does not decode. */
export function estimatorFrom(value: unknown): Estimator {
  // Of a Fisher matrix of one's own an estimator has the name and no function.
  if (isRecord(value) && isRecord(value.fisher) && value.fisher._tag === 'customFisher') {
    const { fisher, ...rest } = value;
    const { name, rowsPerExample } = fisher;
    const own = { _tag: 'customFisher', name: decoded(text, name, 'estimator.fisher.name') };
    const rows =
      rowsPerExample === undefined ? {} : { rowsPerExample: decoded(positiveInteger, rowsPerExample, 'rowsPerExample') };
    return { ...estimatorFrom(rest), fisher: { ...own, ...rows } } as Estimator;
  }
  return estimatorOf(decoded(CurvatureCodec, value, 'estimator'));
}

const notGiven = (name: unknown, own: OwnLikelihoods): LaplaceError =>
  laplaceError('Mismatch', {
    what: 'The file was made with a likelihood of your own, whose functions it does not hold',
    field: 'likelihoods',
    found: own.length === 0 ? 'no likelihood' : own.map((each) => each.name).join(', '),
    expected: `the customLikelihood with the name ${JSON.stringify(name)}`,
    remedy: 'Make it anew, and give it in the option likelihoods.',
  });
