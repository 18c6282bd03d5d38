/**
 * The likelihoods of one output, or of one step of a sequence, as data and as operations. A new likelihood is a file beside this
 * one, and a line in each of the two lists.
 */
import type { Flat } from '../codec/index.js';
import { Bernoulli, bernoulliOps } from './bernoulli.js';
import { Categorical, categoricalOps } from './categorical.js';
import { Custom, customOps } from './custom.js';
import { Gaussian, gaussianOps } from './gaussian.js';
import { Heteroscedastic, heteroscedasticOps } from './heteroscedastic.js';
import type { LikelihoodOps } from './likelihood.js';
import { Poisson, poissonOps } from './poisson.js';

/** The variants of these likelihoods. */
export const REGISTERED = [Categorical, Bernoulli, Gaussian, Heteroscedastic, Poisson, Custom] as const;

/** A likelihood for the steps of a sequence: any likelihood except `perStep` and `perOutput`. */
export type StepLikelihood = Flat<(typeof REGISTERED)[number]['_A']>;

type OpsOf<L extends StepLikelihood> = (likelihood: L) => LikelihoodOps;

const OPS = {
  categorical: categoricalOps,
  bernoulli: bernoulliOps,
  gaussian: gaussianOps,
  heteroscedastic: () => heteroscedasticOps,
  poisson: () => poissonOps,
  custom: customOps,
} satisfies { readonly [T in StepLikelihood['_tag']]: OpsOf<Extract<StepLikelihood, { readonly _tag: T }>> };

/** The operations of a likelihood. */
export const registeredOps = (likelihood: StepLikelihood): LikelihoodOps =>
  (OPS[likelihood._tag] as OpsOf<StepLikelihood>)(likelihood);

/** What each likelihood predicts, by its tag, as a type. */
export type Predictions = { readonly [T in StepLikelihood['_tag']]: ReturnType<(typeof OPS)[T]>['predicts'] };
