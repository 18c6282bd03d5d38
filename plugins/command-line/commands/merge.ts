/** `merge`: factors of several parts of the data, added up. */
import { either as E } from 'fp-ts';
import { type Factors, type LaplaceError, merge as mergeTwo, orThrow } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { loadFactors, saveFactors } from 'tfjs-laplace/plugins/storage';
import { placeOf } from '../data.js';
import { type AddCommand, examples } from './types.js';

interface Options {
  readonly out: string;
}

export const merge: AddCommand = (program, does) => {
  program
    .command('merge <file...>')
    .summary('add up factors')
    .description(
      'Adds up the factors of several parts of the data, in the order in which they are given. The same part twice is refused by its name.',
    )
    .requiredOption('--out <file>', 'the file of the sum: a folder, or a name with the ending .safetensors')
    .addHelpText('after', examples('merge monday.safetensors tuesday.safetensors --out all.safetensors'))
    .action(
      does<[ReadonlyArray<string>], Options>(async ({ step, result }, { out }, files) => {
        const whole = await step('The sum', async (onProgress) => {
          let sum: Factors | undefined;
          for (const [i, file] of files.entries()) {
            const next = await loadFactors(placeOf(file));
            sum = sum === undefined ? next : orThrow(named(file, mergeTwo(sum, next)));
            onProgress({ phase: 'observe', done: i + 1, total: files.length, unit: 'files' });
          }
          return sum as Factors;
        });
        const { where, bytes } = await saveFactors(whole, placeOf(out));
        const about = { where, bytes, files: files.length, examples: whole.datasetSize, parts: whole.parts };
        result(
          () => `${where}: ${whole.datasetSize} examples of ${files.length} files`,
          () => about,
        );
      }),
    );
};

/** A sum, or its error with the name of the file that does not belong to it. */
const named = (file: string, sum: E.Either<LaplaceError, Factors>): E.Either<LaplaceError, Factors> =>
  E.mapLeft(({ kind, field, message }: LaplaceError) =>
    laplaceError(kind, { what: `${file} cannot be added. ${message.replace(/\.$/, '')}`, ...(field !== undefined && { field }) }),
  )(sum);
