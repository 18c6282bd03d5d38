/** `merge`: factors of several parts of the data, added up. */
import { mergeFactorsFiles } from 'tfjs-laplace/plugins/storage';
import { placeOf } from '../data.js';
import { LIKE, type Like, likeOf } from '../file.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Like {
  readonly out: string;
}

export const merge: AddCommand = (program, does) => {
  program
    .command('merge <file...>')
    .summary('add up factors')
    .description(
      'Adds up the factors of several parts of the data, in the order in which they are given, with a layer or two in memory. The same part ' +
        'twice is refused by its name.',
    )
    .requiredOption('--out <file>', 'the file of the sum: a folder, or a name with the ending .safetensors')
    .option(...LIKE)
    .addHelpText('after', examples('merge monday.safetensors tuesday.safetensors --out all.safetensors'))
    .action(
      does<[ReadonlyArray<string>], Options>(async ({ step, result }, { out, ...given }, files) => {
        const like = await likeOf(given);
        const sum = await step('The sum', (onProgress) =>
          mergeFactorsFiles(files.map(placeOf), placeOf(out), { ...like, onProgress }),
        );
        result(
          () => `${sum.where}: ${sum.datasetSize} examples of ${files.length} files`,
          () => ({ ...sum, files: files.length }),
        );
      }),
    );
};
