/** From factors to a report: the posterior, its tuning, what is fitted on held-out examples, and how all that does on test examples. */

import type { LayersModel } from '@tensorflow/tfjs-layers';
import { lastValueFrom, of } from 'rxjs';
import {
  type BatchSource,
  type EngineChoice,
  type Evidence,
  evidence,
  type Factors,
  type OnProgress,
  orThrow,
  type Posterior,
  type Predictive,
  type Recipe,
  type Tuning,
  toPosterior,
  tune,
} from 'tfjs-laplace';
import { readNetwork } from 'tfjs-laplace/extend';
import type { RunBatches } from './data.js';
import { calibrated, calibratorFor, type Fitted, type Tested, tested, thresholdsFor } from './judge.js';
import { judged, labelsOf, type Predicting, predictions } from './judged.js';
import { type Kept, keep } from './keep.js';
import { warningsAbout } from './warnings.js';

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
  /** Runs one step of the work, with a title for people. */
  readonly step: Step;
}

/** Runs a step, and gives it a function for its progress events. */
export type Step = <A>(title: string, work: (onProgress: OnProgress) => Promise<A> | A) => Promise<A>;

/** Analyses factors. Rejects with the errors of the functions that do the work. */
export async function analyse(
  model: LayersModel,
  factors: Factors,
  data: Omit<RunBatches, 'training'>,
  recipe: Recipe,
  work: Work,
): Promise<RecipeReport> {
  const { engine, step } = work;
  const first = await step('The posterior', (onProgress) =>
    lastValueFrom(of(factors).pipe(toPosterior({ ...posteriorChoices(recipe), onProgress, ...(engine && { engine }) }))),
  );
  const tuning = await tuned(model, first, data.heldOut, recipe, work);
  const { posterior, predictive } = tuning ?? { posterior: first, predictive: recipe.predictive };
  const outputs = await judgedOutputs(model, posterior, predictive, data, recipe, work);
  const report = {
    recipe,
    examples: posterior.datasetSize,
    posterior,
    predictive,
    evidence: evidence(posterior),
    ...(tuning && { tuning }),
    outputs,
    warnings: warningsAbout(outputs, tuning),
  };
  const kept = await keep(report, factors, work);
  return Object.freeze({ ...report, kept });
}

const posteriorChoices = ({ prior, damping, layers }: Recipe) => ({ prior, damping, layers });

async function tuned(
  model: LayersModel,
  posterior: Posterior,
  heldOut: ReadonlyArray<BatchSource> | undefined,
  { tuning, predictive }: Recipe,
  { step, memoryBudget }: Work,
): Promise<Tuning | undefined> {
  if (heldOut === undefined) return undefined;
  return step('The choice of the prior', (onProgress) =>
    tune(model, posterior, heldOut, tuning, { predictive, onProgress, ...(memoryBudget !== undefined && { memoryBudget }) }),
  );
}

async function judgedOutputs(
  model: LayersModel,
  posterior: Posterior,
  predictive: Predictive,
  { heldOut, thresholds, test }: Omit<RunBatches, 'training'>,
  recipe: Recipe,
  { step, memoryBudget }: Work,
): Promise<ReadonlyArray<OutputReport>> {
  const network = orThrow(readNetwork(model, posterior.likelihood));
  const read = (what: string, sources: ReadonlyArray<BatchSource>, under: Predictive, title: string) =>
    step(title, async (onProgress) => {
      const with_: Predicting = { model, network, posterior, memoryBudget, onProgress };
      const truths = await labelsOf(with_, sources, what);
      return judged(with_, await predictions(with_, sources, under), truths);
    });

  const { calibration, report } = recipe;
  const chosen =
    heldOut === undefined || calibration === 'none' ? undefined : await read('held-out', heldOut, predictive, 'The calibration');
  const calibrators = network.heads.map((_, h) => chosen && calibratorFor(recipe, chosen[h] as (typeof chosen)[number]));

  const asksForThresholds = report.conformal !== undefined || report.abstention !== undefined;
  const held =
    thresholds === undefined || !asksForThresholds
      ? undefined
      : await read('threshold', thresholds, predictive, 'The thresholds');
  const fitted: ReadonlyArray<Fitted> = network.heads.map((_, h) => ({
    ...(calibrators[h] && { calibrator: calibrators[h] }),
    ...(held && thresholdsFor(report, calibrated(held[h] as (typeof held)[number], calibrators[h]))),
  }));

  const own = test && (await read('test', test, predictive, 'The test examples'));
  const plain = test && (await read('test', test, atTemperature0(predictive), 'The trained network on them'));
  return network.heads.map(({ name }, h) => {
    const found = fitted[h] as Fitted;
    if (own === undefined || plain === undefined) return { output: name, ...found };
    const calibratedOwn = calibrated(own[h] as (typeof own)[number], found.calibrator);
    return { output: name, ...found, ...tested(report, calibratedOwn, plain[h] as (typeof plain)[number], found) };
  });
}

/** The trained network's own predictions. They need one sample. */
const atTemperature0 = (predictive: Predictive): Predictive =>
  predictive._tag === 'linearised'
    ? { ...predictive, temperature: 0, scale: 1 }
    : { ...predictive, temperature: 0, scale: 1, samples: 2, design: 'independent' };
