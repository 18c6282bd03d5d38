/** Reads the command line. */
import { parseArgs } from 'node:util';
import { either as E, function as F } from 'fp-ts';
import { type CommonOptions, checkedOptions, commonOptions, parsed } from '../support/command.js';

export const HELP = `How good are the uncertainties? A story with pictures: a network that overfits, and its tuned posterior.

  npm run quality -- [options]

  --quick            judge by fewer images, in less than half a minute
  --out DIR          folder for the page and its pictures; default out/quality
  --backend NAME     node, wasm or cpu; default: the fastest that works
  --quiet            print results only
  --verbose          print every progress event
  --help             print this text
`;

/**
 * Reads the arguments.
 *
 * @param args the command line without Node and the script
 * @returns the options, or a message that says what is wrong with the arguments
 */
export const readOptions = (args: ReadonlyArray<string>): E.Either<string, CommonOptions> =>
  F.pipe(
    parsed(() => parseArgs({ args: [...args], options: commonOptions('out/quality') }).values),
    E.chain(checkedOptions),
  );
