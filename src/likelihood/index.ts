/** A likelihood value and its operations. A new likelihood: one file with its `LikelihoodOps`, its codec, and a line here. */
import { bernoulliOps } from './bernoulli.js';
import { categoricalOps } from './categorical.js';
import type { OutputLikelihood } from './codec.js';
import { customOps } from './custom.js';
import { gaussianOps } from './gaussian.js';
import { heteroscedasticOps } from './heteroscedastic.js';
import type { LikelihoodOps } from './likelihood.js';
import { perStepOps } from './perStep.js';
import { poissonOps } from './poisson.js';

/** The operations of one output's likelihood; `lastDimension` is that of the output, which `perStep` counts steps by. */
export const likelihoodOps = (likelihood: OutputLikelihood, lastDimension: number): LikelihoodOps => {
  switch (likelihood._tag) {
    case 'categorical':
      return categoricalOps(likelihood);
    case 'bernoulli':
      return bernoulliOps(likelihood);
    case 'gaussian':
      return gaussianOps(likelihood);
    case 'heteroscedastic':
      return heteroscedasticOps;
    case 'poisson':
      return poissonOps;
    case 'custom':
      return customOps(likelihood);
    case 'perStep':
      return perStepOps(likelihood, likelihoodOps(likelihood.each, lastDimension), lastDimension);
  }
};

export type { JointOps, LikelihoodOps, LossRule, Part } from './likelihood.js';
export { jointOps } from './perOutput.js';
