/** The command line as a function: arguments and streams to an exit code. */
import { Command, CommanderError } from 'commander';
import { convert } from './commands/convert.js';
import { coverage } from './commands/coverage.js';
import { inspect } from './commands/inspect.js';
import { merge } from './commands/merge.js';
import { predict } from './commands/predict.js';
import { run } from './commands/run.js';
import { sample } from './commands/sample.js';
import { tune } from './commands/tune.js';
import type { AddCommand, Work } from './commands/types.js';
import { EXIT, ended } from './failures.js';
import { type Common, type Streams, terminalOf } from './terminal.js';
import { choices } from './values.js';

/** A new command is a file in `commands/`, and a line here. */
const COMMANDS: ReadonlyArray<AddCommand> = [run, tune, predict, sample, inspect, merge, convert, coverage];

const CODES = `
Results go to stdout, as text or with --json as JSON; progress and remarks go to stderr. Nothing is coloured.

Exit codes:
  0    done
  1    the work failed: data that do not fit the model, numbers that are not finite, a backend that cannot do it
  2    the command or the recipe is wrong
  3    a file cannot be read or written, or is damaged
  4    things do not belong together: a posterior and a model with other weights, for example
  130  interrupted by Ctrl-C; nothing half-written is left`;

/** Runs the command line. Gives the exit code. */
export async function runCommandLine(args: ReadonlyArray<string>, version: string, streams: Streams): Promise<number> {
  const program = new Command('tfjs-laplace')
    .description('Laplace approximation for TensorFlow.js: uncertainty of trained models, from the command line.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: streams.stdout, writeErr: (text) => streams.stderr.write(text) })
    .addHelpText('after', CODES);
  const does =
    <A extends ReadonlyArray<unknown>, O>(work: Work<A, O>) =>
    async (...given: ReadonlyArray<unknown>): Promise<void> => {
      // Commander gives the arguments, the options and the command.
      const own = given.slice(0, -2) as unknown as A;
      const options = given.at(-2) as O & Common;
      await work(terminalOf(options, streams), options, ...own);
    };
  for (const add of COMMANDS) add(program, does);
  for (const command of program.commands) withCommon(command);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    const { code, words } = ended(error);
    streams.stderr.write(`${words}\n`);
    return code;
  }
}

/** The options of every command. */
const withCommon = (command: Command): Command =>
  command
    .option('--json', 'the result as JSON')
    .option('--quiet', 'no progress and no remarks')
    .option('--verbose', 'a line for every event')
    .option('--backend <name>', 'node, wasm or cpu (default: the fastest that works)', choices('node', 'wasm', 'cpu'));
