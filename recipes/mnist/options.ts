/** Reads the command line. */
import { parseArgs } from 'node:util';
import { either as E, function as F } from 'fp-ts';
import { type CommonOptions, checkedOptions, commonOptions, parsed } from '../support/command.js';

export const HELP = `Laplace approximation of an MNIST classifier: trains a network, builds its posterior, and tests its uncertainty.

  npm start -- [options]

  --quick            train a small network on part of the data, in about half a minute
  --pretrained DIR   load a model (model.json and its weights, as --save or TensorFlow.js writes them) instead of training
  --save DIR         save the trained model
  --out DIR          folder for the pictures; default out/mnist
  --backend NAME     node, wasm or cpu; default: the fastest that works
  --quiet            print results only
  --verbose          print every progress event, and more about the posterior
  --help             print this text
`;

export interface Options extends CommonOptions {
  readonly pretrained?: string;
  readonly save?: string;
}

/**
 * Reads the arguments.
 *
 * @param args the command line without Node and the script
 * @returns the options, or a message that says what is wrong with the arguments
 */
export const readOptions = (args: ReadonlyArray<string>): E.Either<string, Options> =>
  F.pipe(
    parsed(() => parse(args)),
    E.chain(checked),
  );

const parse = (args: ReadonlyArray<string>) =>
  parseArgs({
    args: [...args],
    options: { ...commonOptions('out/mnist'), pretrained: { type: 'string' }, save: { type: 'string' } },
  }).values;

function checked({ pretrained, save, ...common }: ReturnType<typeof parse>): E.Either<string, Options> {
  if (pretrained !== undefined && save !== undefined)
    return E.left('--save cannot be combined with --pretrained: no network is trained');
  return F.pipe(
    checkedOptions(common),
    E.map((own) => ({
      ...own,
      ...(pretrained === undefined ? {} : { pretrained }),
      ...(save === undefined ? {} : { save }),
    })),
  );
}
