/** `coverage`: what an estimator would cover of a model. */
import { coverage as coverageOf, coverageTable, orThrow } from 'tfjs-laplace';
import { argument, CurvatureCodec, LikelihoodCodec, laplaceError } from 'tfjs-laplace/extend';
import { modelAt } from 'tfjs-laplace/plugins/distributed';
import { recipeIn } from '../recipeFile.js';
import { value } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options {
  readonly model: string;
  readonly recipe?: string;
  readonly likelihood?: unknown;
  readonly curvature: unknown;
}

export const coverage: AddCommand = (program, does) => {
  program
    .command('coverage')
    .summary('tell what would be covered')
    .description(
      'Tells, from shapes alone, which layers of a model an estimator covers, in which form, why, and what a pass costs.',
    )
    .requiredOption('--model <place>', 'the model: a folder, its model.json, or a URL')
    .option('--recipe <file>', 'the recipe whose likelihood and curvature count')
    .option('--likelihood <value>', 'a tag, or a likelihood as JSON', value)
    .option('--curvature <value>', 'a tag, or a curvature as JSON', value, 'kfac')
    .addHelpText(
      'after',
      examples('coverage --model ./model --likelihood categorical', 'coverage --model ./model --recipe recipe.json'),
    )
    .action(
      does<[], Options>(async ({ start, result }, options) => {
        const choices = await choicesOf(options);
        await start();
        const found = orThrow(coverageOf(await modelAt(options.model), choices));
        result(
          () => coverageTable(found),
          () => found,
        );
      }),
    );
};

async function choicesOf({ recipe, likelihood, curvature }: Options) {
  if (recipe !== undefined) return recipeIn(recipe);
  if (likelihood === undefined) {
    throw laplaceError('InvalidOption', {
      what: 'coverage: nothing says what the outputs of the model mean',
      field: 'likelihood',
      found: 'neither --likelihood nor --recipe',
      expected: '--likelihood categorical, for example',
    });
  }
  return {
    likelihood: argument('coverage', 'likelihood', LikelihoodCodec, likelihood),
    curvature: argument('coverage', 'curvature', CurvatureCodec, curvature),
  };
}
