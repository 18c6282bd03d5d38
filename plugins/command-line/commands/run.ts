/** `run`: a recipe on a trained model. */
import { orThrow, recipe as recipeOf } from 'tfjs-laplace';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { reportData, reportTable, runRecipe } from 'tfjs-laplace/plugins/recipes';
import { checkpoint } from 'tfjs-laplace/plugins/storage';
import { labelledFrom, placeOf, type Reading, trainingFrom, withReading } from '../data.js';
import { recipeIn } from '../recipeFile.js';
import { wholeNumber } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Reading {
  readonly model: string;
  readonly data: ReadonlyArray<string>;
  readonly heldOut?: ReadonlyArray<string>;
  readonly thresholds?: ReadonlyArray<string>;
  readonly test?: ReadonlyArray<string>;
  readonly out?: string;
  readonly checkpoint?: string;
  readonly every: number;
}

export const run: AddCommand = (program, does) => {
  const command = program
    .command('run <recipe>')
    .summary('run a recipe on a trained model')
    .description(
      'Runs a recipe (a JSON file, or the report.json of an earlier run) on a trained model: curvature, posterior, tuning, calibration, ' +
        'thresholds and metrics. Prints the report.',
    )
    .requiredOption('--model <place>', 'the trained model: a folder, its model.json, or a URL')
    .requiredOption(
      '--data <file...>',
      'training examples: inputs and labels, or a table with --target; or one factors.safetensors',
    )
    .option('--held-out <file...>', 'examples for choices: tuning, and calibration')
    .option('--thresholds <file...>', 'examples for the thresholds of sets, intervals and abstaining')
    .option('--test <file...>', 'examples for metrics')
    .option('--out <folder>', 'keeps the posterior and report.json there, instead of where the recipe says')
    .option('--checkpoint <folder>', 'keeps the sums of the pass there now and then; a run that was cut off goes on from them')
    .option('--every <batches>', 'batches between two checkpoints', wholeNumber, 100);
  withReading(command)
    .addHelpText(
      'after',
      examples(
        'run recipe.json --model ./model --data train-images.idx train-labels.idx --divide 255 \\\n      --held-out val-images.idx val-labels.idx --test test-images.idx test-labels.idx --out ./posterior',
        'run recipe.json --model ./model --data train.csv --target price --test test.csv',
        'run recipe.json --model ./model --data factors.safetensors',
      ),
    )
    .action(
      does<[string], Options>(async ({ step, result, start }, options, path) => {
        const given = await recipeIn(path);
        const output =
          options.out === undefined ? given.output : { to: placeOf(options.out), keep: ['posterior', 'report'] as const };
        const recipe = recipeOf({ ...given, output });
        await start();
        const model = await modelAt(options.model);
        const { classNames, ...data } = await step('The files of examples', async () => {
          const training = await trainingFrom(options.data, options, model);
          const isSum = 'factors' in training;
          const set = async (option: string, files: ReadonlyArray<string> | undefined) =>
            files && (await labelledFrom(option, files, options, model, isSum ? undefined : training.classes)).batches;
          return {
            training: isSum ? training.factors : training.batches,
            classNames: isSum ? undefined : training.classes,
            heldOut: await set('--held-out', options.heldOut),
            thresholds: await set('--thresholds', options.thresholds),
            test: await set('--test', options.test),
          };
        });
        const kept = options.checkpoint && checkpoint(placeOf(options.checkpoint), { every: options.every });
        const report = orThrow(await runRecipe(model, data, recipe, { step, classNames, ...(kept && { checkpoint: kept }) })());
        result(
          () => reportTable(report),
          () => reportData(report),
        );
      }),
    );
};
