/** A training callback that runs a recipe on the training that it is attached to. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { defer, from, type Observable, switchMap } from 'rxjs';
import { type Factors, isLaplaceError, type Recipe, type RecipeInput, recipe as recipeOf } from 'tfjs-laplace';
import type { TrainingCheckpoint } from 'tfjs-laplace/extend';
import { LaplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import { analyse } from './analyse.js';
import { batchesOf, neededBy, type RunBatches, type RunData } from './data.js';
import { type RunOptions, type RunWork, runOptionsOf } from './options.js';
import type { RecipeReport } from './report.js';
import { type SkippedBatches, skippedBatches } from './skipped.js';

/** Options of `recipeCallback`: the data that training does not see, and how a run goes about its work. */
export interface RecipeCallbackOptions extends Omit<RunData, 'training'>, Omit<RunOptions, 'checkpoint'> {
  /** Keeps the sums of the epochs that count, as for `laplaceCallback`. */
  readonly checkpoint?: TrainingCheckpoint | undefined;
  /** Where it is said that the analysis failed. Default `console.warn`. */
  readonly warn?: ((line: string) => void) | undefined;
}

/** A callback for `fit` and `fitDataset`, made by `recipeCallback`. */
export class RecipeCallback extends LaplaceCallback {
  private readonly reports = new WeakMap<Factors, Promise<RecipeReport>>();

  /**
   * The report of the present run, or of the next run if none has begun. It is emitted when the analysis has ended, and late subscribers get
   * it too. Fails with the errors of `factors$`, and with those of the analysis.
   */
  readonly report$: Observable<RecipeReport> = defer(() =>
    this.factors$.pipe(switchMap((factors) => from(this.reportOf(factors)))),
  );

  constructor(
    private readonly analysis: {
      readonly recipe: Recipe;
      readonly data: Omit<RunBatches, 'training'>;
      readonly work: RunWork;
      readonly checkpoint: TrainingCheckpoint | undefined;
      readonly warn: (line: string) => void;
      readonly skipped: SkippedBatches;
    },
  ) {
    const { recipe, checkpoint, work, skipped } = analysis;
    const { likelihood, curvature, epochs } = recipe;
    super({ likelihood, curvature, epochs, checkpoint, onNotFinite: work.onNotFinite, onSkipped: skipped.onSkipped });
  }

  override async onTrainBegin(): Promise<void> {
    this.analysis.skipped.forget();
    await super.onTrainBegin();
  }

  /** The analysis is a part of the training's end, so that `fit` returns when everything is there. */
  override async onTrainEnd(): Promise<void> {
    await super.onTrainEnd();
    await new Promise<void>((resolve) => {
      this.factors$.subscribe({
        next: (factors) => {
          this.reportOf(factors).then(
            () => resolve(),
            (error: unknown) => {
              this.analysis.warn(
                `The training has ended, but the analysis of its recipe failed: ${isLaplaceError(error) || error instanceof Error ? error.message : String(error)}`,
              );
              resolve();
            },
          );
        },
        // `factors$` and `report$` tell those who listen.
        error: () => resolve(),
        complete: () => {},
      });
    });
  }

  /** Each factors are analysed once. */
  private reportOf(factors: Factors): Promise<RecipeReport> {
    const known = this.reports.get(factors);
    if (known !== undefined) return known;
    const { recipe, data, work, skipped } = this.analysis;
    const report = analyse(this.model as LayersModel, factors, data, recipe, work, skipped.warnings());
    this.reports.set(factors, report);
    return report;
  }
}

/**
 * Attaches a recipe to a training: its curvature is observed in the epochs that the recipe names, and when training ends the rest of the
 * recipe is run as `runRecipe` runs it: posterior, tuning, calibration, thresholds, test and output. `fit` returns when that is done.
 * `report$` has the report; `batches$` and `factors$` are those of `laplaceCallback`. Put it last in the list of callbacks.
 *
 * Whatever the analysis meets does not fail the training: it is the error of `report$`, and is told by `warn`.
 *
 * The default curvature of a recipe, `kfac()`, makes a pass of its own over each observed batch; `kfac({ fisher: 'empirical' })` is a
 * by-product of the training step.
 *
 * @throws LaplaceError `InvalidRecipe` for a recipe that is none, `InvalidInput` for data that the recipe needs and that are not there,
 *   `InvalidOption` for other options.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { lastValueFrom } from 'rxjs';
 * import { recipeCallback } from 'tfjs-laplace/plugins/recipes';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, activation: 'softmax', inputShape: [4] })] });
 * model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
 * const examples = (seed: number) => ({
 *   x: tf.randomNormal([30, 4], 0, 1, 'float32', seed),
 *   y: tf.oneHot(tf.range(0, 30).mod(3).toInt(), 3).toFloat(),
 * });
 * const analysis = recipeCallback({ likelihood: 'categorical', curvature: { _tag: 'kfac', fisher: 'empirical' } }, { heldOut: examples(2) });
 * const { x, y } = examples(1);
 * await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: analysis });
 * const report = await lastValueFrom(analysis.report$);
 * report.tuning?.verdict !== 'worse'; // => true
 * ```
 */
export function recipeCallback(recipe: Recipe | RecipeInput, options: RecipeCallbackOptions = {}): RecipeCallback {
  const whole = recipeOf(recipe as RecipeInput);
  const { heldOut, thresholds, test, checkpoint, warn = (line) => console.warn(line), ...own } = options;
  const work = runOptionsOf('recipeCallback', own);
  const given = Object.fromEntries(Object.entries({ heldOut, thresholds, test }).filter(([, set]) => set !== undefined));
  const data = batchesOf('recipeCallback', given, work.batchSize, neededBy(whole));
  return new RecipeCallback({ recipe: whole, data, work, checkpoint, warn, skipped: skippedBatches() });
}
