/** A likelihood value and its operations. A new likelihood: one file with its `LikelihoodOps`, its codec, and a line here. */
import { bernoulliOps } from './bernoulli.js';
import { categoricalOps } from './categorical.js';
import type { Likelihood } from './codec.js';
import { gaussianOps } from './gaussian.js';
import type { LikelihoodOps } from './likelihood.js';

/** The operations that belong to a likelihood value. */
export const likelihoodOps = (likelihood: Likelihood): LikelihoodOps => {
  switch (likelihood._tag) {
    case 'categorical':
      return categoricalOps;
    case 'bernoulli':
      return bernoulliOps;
    case 'gaussian':
      return gaussianOps(likelihood.noiseVariance);
  }
};

export type { Likelihood } from './codec.js';
export type { LikelihoodOps, LossRule } from './likelihood.js';
