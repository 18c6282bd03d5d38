/** What a run of a recipe gives, and what it works with. */
import type { EngineChoice, Evidence, OnProgress, Posterior, Predictive, Recipe, Tuning } from 'tfjs-laplace';
import type { Fitted, Tested } from './judge.js';

/** One file or entry that was written. */
export interface Kept {
  readonly what: 'posterior' | 'factors' | 'report';
  readonly where: string;
}

/** What a run found about one output of the model. */
export interface OutputReport extends Fitted, Tested {
  /** The name of the output in the model. */
  readonly output: string;
}

/** What a run of a recipe found. Predictions with it: `predict(model, report.posterior, report.predictive)`. */
export interface RecipeReport {
  /** The recipe with every choice written out. */
  readonly recipe: Recipe;
  /** N. */
  readonly examples: number;
  /** The posterior, under the tuned prior and noise if there were held-out data. */
  readonly posterior: Posterior;
  /** The predictive, with the tuned scale and temperature if there were held-out data. */
  readonly predictive: Predictive;
  /** Of the posterior, in nats. */
  readonly evidence: Evidence;
  /** How the prior was chosen. Absent without held-out data. */
  readonly tuning?: Tuning;
  /** The names of the classes of the only output, if the run was told. */
  readonly classNames?: ReadonlyArray<string>;
  /** What was found about each output, in the model's order. */
  readonly outputs: ReadonlyArray<OutputReport>;
  /** What somebody should know before they use the posterior, in sentences. */
  readonly warnings: ReadonlyArray<string>;
  /** Where the output of the recipe was written. */
  readonly kept: ReadonlyArray<Kept>;
}

/** How a run goes about its work. */
export interface Work {
  readonly engine?: EngineChoice | undefined;
  readonly memoryBudget?: number | undefined;
  readonly classNames?: ReadonlyArray<string> | undefined;
  /** Runs one step of the work, with a title for people. */
  readonly step: Step;
}

/** Runs a step, and gives it a function for its progress events. */
export type Step = <A>(title: string, work: (onProgress: OnProgress) => Promise<A> | A) => Promise<A>;
