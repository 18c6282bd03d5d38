/** A likelihood of a whole model: what its outputs f mean, as data and as operations. Single likelihoods are in `registered.ts`. */
import { type Codec, type Flat, type InputOf, taggedUnion } from '../codec/index.js';
import type { LikelihoodOps, Outcome } from './likelihood.js';
import { type OutputLikelihood, PerOutput } from './perOutput.js';
import { PerStep, perStepOps } from './perStep.js';
import { type Predictions, REGISTERED, registeredOps } from './registered.js';

const Likelihoods = taggedUnion('a likelihood', ...REGISTERED, PerStep, PerOutput);

/** What the network's outputs mean. */
export type Likelihood = Flat<(typeof Likelihoods)['_A']>;

/** The likelihood of one tag. What a likelihood predicts follows from it, so the constructors keep it. */
export type LikelihoodOf<T extends Likelihood['_tag']> = Extract<Likelihood, { readonly _tag: T }>;

/** What may be written for a likelihood. */
export type LikelihoodInput = Flat<InputOf<typeof Likelihoods>>;

/** Decodes a likelihood. */
export const LikelihoodCodec: Codec<Likelihood, LikelihoodInput> = Likelihoods;

/** What a likelihood of one output predicts, as a type: `'classes'` for `categorical()`. */
export type Predicts<L> = L extends { readonly each: infer E }
  ? Predicts<E>
  : L extends { readonly _tag: infer T extends keyof Predictions }
    ? Predictions[T]
    : Outcome;

/** The operations of one output's likelihood; `lastDimension` is the output's, and under `perStep` the number of outputs of a step. */
export const likelihoodOps = (likelihood: OutputLikelihood, lastDimension: number): LikelihoodOps =>
  likelihood._tag === 'perStep' ? perStepOps(likelihood, lastDimension) : registeredOps(likelihood);

export type { JointOps, LikelihoodOps, LossRule, Outcome, Part } from './likelihood.js';
export { jointOps, type OutputLikelihood, type PerOutput } from './perOutput.js';
export type { StepLikelihood } from './registered.js';
