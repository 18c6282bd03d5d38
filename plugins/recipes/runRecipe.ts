/** Runs a recipe on a trained model: one pass over its training data, or factors that are there already, and then the analysis. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { taskEither as TE } from 'fp-ts';
import { from, lastValueFrom } from 'rxjs';
import {
  accumulateFactors,
  type Factors,
  isLaplaceError,
  type LaplaceError,
  observe,
  type Recipe,
  type RecipeInput,
  recipe as recipeOf,
} from 'tfjs-laplace';
import { analyse } from './analyse.js';
import { batchesOf, isFactors, neededBy, type RunBatches, type RunData } from './data.js';
import { type RunOptions, type RunWork, runOptionsOf } from './options.js';
import type { RecipeReport } from './report.js';
import { type SkippedBatches, skippedBatches } from './skipped.js';

/**
 * Runs a recipe on a trained model.
 *
 * 1. One pass over `data.training` sums the curvature (`ekfac` makes two). Factors in its place are used as they are.
 * 2. The posterior. With `data.heldOut`, `tune` chooses its prior.
 * 3. With `calibration`, a map of probabilities is fitted on `data.heldOut` too.
 * 4. With `report.conformal` and `report.abstention`, thresholds are fitted on `data.thresholds`, for the calibrated predictions.
 * 5. With `data.test`, everything is judged there, beside the trained network itself.
 * 6. The `output` is kept.
 *
 * The model is not changed. Nothing happens until the task is called. It resolves to a `Left` with the errors of the functions that do the
 * work, with `InvalidRecipe`, and with `InvalidInput` for data that are missing or none. A mistake in this library rejects.
 *
 * @param recipe a recipe, or choices that `recipe` makes one of.
 * @throws LaplaceError `InvalidOption` for options that do not exist or are out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { either as E } from 'fp-ts';
 * import { composeRecipe, presets } from 'tfjs-laplace';
 * import { runRecipe } from 'tfjs-laplace/plugins/recipes';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] }); // trained, in earnest
 * const examples = (seed: number) => ({ x: tf.randomNormal([30, 4], 0, 1, 'float32', seed), y: tf.range(0, 30).mod(3).toInt() });
 * const analysis = composeRecipe(presets.linearised, { likelihood: 'categorical', calibration: 'temperature' });
 * const run = runRecipe(model, { training: examples(1), heldOut: examples(2), test: examples(3) }, analysis);
 * const report = await run();
 * E.isRight(report) && report.right.outputs[0]?.evaluation?.count; // => 30
 * ```
 */
export function runRecipe(
  model: LayersModel,
  data: RunData,
  recipe: Recipe | RecipeInput,
  options: RunOptions = {},
): TE.TaskEither<LaplaceError, RecipeReport> {
  const own = runOptionsOf('runRecipe', options);
  return tasked(async () => {
    const whole = recipeOf(recipe as RecipeInput);
    const sets = batchesOf('runRecipe', data, own.batchSize, ['training', ...neededBy(whole)]);
    const skipped = skippedBatches();
    const factors = await factorsOf(model, sets.training, whole, own, skipped);
    return analyse(model, factors, sets, whole, own, skipped.warnings());
  });
}

/** A task of work that throws `LaplaceError`. */
const tasked =
  <A>(work: () => Promise<A>): TE.TaskEither<LaplaceError, A> =>
  () =>
    work().then(
      (found) => ({ _tag: 'Right', right: found }) as const,
      (error: unknown) => {
        if (!isLaplaceError(error)) throw error;
        return { _tag: 'Left', left: error } as const;
      },
    );

async function factorsOf(
  model: LayersModel,
  training: RunBatches['training'],
  { likelihood, curvature }: Recipe,
  { step, engine, checkpoint, onNotFinite }: RunWork,
  { onSkipped }: SkippedBatches,
): Promise<Factors> {
  if (isFactors(training)) return training;
  return step('The curvature', (onProgress) =>
    lastValueFrom(
      from(training).pipe(
        observe(model, likelihood),
        accumulateFactors(curvature, {
          onProgress,
          total: training.length,
          onNotFinite,
          onSkipped,
          ...(engine && { engine }),
          ...(checkpoint && { checkpoint }),
        }),
      ),
    ),
  );
}
