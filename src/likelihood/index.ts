/**
 * The likelihood of a whole model, as data and as operations: it says what the outputs f mean. `registered.ts` lists the
 * likelihoods of one output.
 */
import { type Codec, type Flat, type InputOf, taggedUnion } from '../codec/index.js';
import type { LikelihoodOps, Outcome } from './likelihood.js';
import { type OutputLikelihood, PerOutput } from './perOutput.js';
import { PerStep, perStepOps } from './perStep.js';
import { type Predictions, REGISTERED, registeredOps } from './registered.js';

const Likelihoods = taggedUnion('a likelihood', ...REGISTERED, PerStep, PerOutput);

/** What the network's outputs mean. */
export type Likelihood = Flat<(typeof Likelihoods)['_A']>;

/** The likelihood with one tag. The tag decides what a likelihood predicts, so the constructors keep it in their types. */
export type LikelihoodOf<T extends Likelihood['_tag']> = Extract<Likelihood, { readonly _tag: T }>;

/** The accepted input for a likelihood. */
export type LikelihoodInput = Flat<InputOf<typeof Likelihoods>>;

/**
 * The likelihood that an input stands for, as a type: `LikelihoodOf<'categorical'>` for `'categorical'`. It keeps what decides the
 * prediction, the tag of each output.
 */
export type LikelihoodFrom<I> = I extends Likelihood
  ? I
  : I extends Likelihood['_tag']
    ? LikelihoodOf<I>
    : I extends { readonly _tag: 'perOutput'; readonly outputs: infer O }
      ? { readonly _tag: 'perOutput'; readonly outputs: { readonly [K in keyof O]: LikelihoodFrom<O[K]> } }
      : I extends { readonly _tag: 'perStep'; readonly each: infer E }
        ? { readonly _tag: 'perStep'; readonly each: LikelihoodFrom<E> }
        : I extends { readonly _tag: infer T extends Likelihood['_tag'] }
          ? LikelihoodOf<T>
          : Likelihood;

/** Decodes a likelihood. */
export const LikelihoodCodec: Codec<Likelihood, LikelihoodInput> = Likelihoods;

/** What a likelihood of one output predicts, as a type: `'classes'` for `categorical()`. */
export type Predicts<L> = L extends { readonly each: infer E }
  ? Predicts<E>
  : L extends { readonly _tag: infer T extends keyof Predictions }
    ? Predictions[T]
    : Outcome;

/**
 * The operations of one output's likelihood. `lastDimension` is the last dimension of the output. Under `perStep` this is the
 * number of outputs of a step.
 */
export const likelihoodOps = (likelihood: OutputLikelihood, lastDimension: number): LikelihoodOps =>
  likelihood._tag === 'perStep' ? perStepOps(likelihood, lastDimension) : registeredOps(likelihood);

/** What each output is about, as far as the likelihood alone says it. */
export const outcomesOf = (likelihood: Likelihood): ReadonlyArray<Outcome> =>
  likelihood._tag === 'perOutput' ? Object.values(likelihood.outputs).map(outcomeOf) : [outcomeOf(likelihood)];

const outcomeOf = (likelihood: OutputLikelihood): Outcome =>
  registeredOps(likelihood._tag === 'perStep' ? likelihood.each : likelihood).predicts;

export type { LikelihoodOps, LossRule, ModelLikelihoodOps, Outcome, Part } from './likelihood.js';
export { modelLikelihoodOps, type OutputLikelihood, type PerOutput } from './perOutput.js';
export type { StepLikelihood } from './registered.js';
