/** From factors to a report: the posterior, its tuning, what is fitted on held-out examples, and how all that does on test examples. */

import type { LayersModel } from '@tensorflow/tfjs-layers';
import { lastValueFrom, of } from 'rxjs';
import {
  type BatchSource,
  evidence,
  type Factors,
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
import { calibrated, calibratorFor, type Fitted, tested, thresholdsFor } from './judge.js';
import { judged, labelsOf, type Predicting, predictions } from './judged.js';
import { keep } from './keep.js';
import type { OutputReport, RecipeReport, Work } from './report.js';
import { warningsAbout } from './warnings.js';

/**
 * Analyses factors. Rejects with the errors of the functions that do the work.
 *
 * @param warnings what is known already that the report should say
 */
export async function analyse(
  model: LayersModel,
  factors: Factors,
  data: Omit<RunBatches, 'training'>,
  recipe: Recipe,
  work: Work,
  warnings: ReadonlyArray<string>,
): Promise<RecipeReport> {
  const { engine, step, classNames } = work;
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
    ...(classNames && { classNames }),
    outputs,
    warnings: [...warnings, ...warningsAbout(outputs, tuning)],
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
