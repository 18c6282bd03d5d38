/** `convert`: a file in another form. */
import { lastValueFrom, of } from 'rxjs';
import { type Factors, type Posterior, toPosterior } from 'tfjs-laplace';
import { argument, PriorCodec } from 'tfjs-laplace/extend';
import { type Saved, saveFactors, savePosterior } from 'tfjs-laplace/plugins/storage';
import { placeOf } from '../data.js';
import { LIKE, type Like, valueIn } from '../file.js';
import { choices, value as given } from '../values.js';
import { type AddCommand, examples } from './types.js';

interface Options extends Like {
  readonly dtype: 'F64' | 'F32' | 'F16' | 'BF16';
  readonly prior?: unknown;
  readonly damping: 'exact' | 'factored';
}

export const convert: AddCommand = (program, does) => {
  program
    .command('convert <from> <to>')
    .summary('write a file in another form')
    .description(
      'Writes a posterior or factors with other numbers, or makes a posterior of factors. Files that the script python/tfjs_laplace.py of the ' +
        'package has written, from laplace-torch for example, are read like those of the library, and it reads these.',
    )
    .option(
      '--dtype <type>',
      'F64 keeps every bit; F32, F16 and BF16 are smaller, and round',
      choices('F64', 'F32', 'F16', 'BF16'),
      'F64',
    )
    .option('--prior <value>', 'makes a posterior of factors, with this prior: a precision, or a prior as JSON', given)
    .option('--damping <name>', 'of that posterior', choices('exact', 'factored'), 'exact')
    .option(...LIKE)
    .addHelpText(
      'after',
      examples('convert ./posterior small.safetensors --dtype F16', 'convert factors.safetensors ./posterior --prior 100'),
    )
    .action(
      does<[string, string], Options>(async ({ start, step, result }, { dtype, prior, damping, ...like }, from, to) => {
        const value = await valueIn(from, like);
        const made = async (factors: Factors): Promise<Posterior> => {
          await start();
          const typed = typeof prior === 'string' && prior.trim() !== '' && !Number.isNaN(Number(prior)) ? Number(prior) : prior;
          const own = argument('convert', 'prior', PriorCodec, typed);
          return step('The posterior', (onProgress) =>
            lastValueFrom(of(factors).pipe(toPosterior({ prior: own, damping, onProgress }))),
          );
        };
        const save = async (): Promise<Saved> => {
          if (value._tag === 'Posterior') return savePosterior(value, placeOf(to), { dtype });
          if (prior === undefined) return saveFactors(value, placeOf(to), { dtype });
          return savePosterior(await made(value), placeOf(to), { dtype });
        };
        const saved = await save();
        result(
          () => `${saved.where}: ${saved.bytes} bytes`,
          () => saved,
        );
      }),
    );
};
