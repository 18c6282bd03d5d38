/** What a command is: its options, its help, and its work. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';

/** Work with what was written on the command line. */
export type Work<A extends ReadonlyArray<unknown>, O> = (terminal: Terminal, options: O, ...args: A) => Promise<void>;

/** Adds a command to the program. `does` makes an action of work. */
export type AddCommand = (
  program: Command,
  does: <A extends ReadonlyArray<unknown>, O>(work: Work<A, O>) => (...given: ReadonlyArray<unknown>) => Promise<void>,
) => void;

/** Examples of a command, for the end of its help. */
export const examples = (...lines: ReadonlyArray<string>): string =>
  `\nExamples:\n${lines.map((line) => `  $ npx tfjs-laplace ${line}`).join('\n')}`;
