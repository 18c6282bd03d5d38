#!/usr/bin/env node
/** The command `tfjs-laplace`. */
import { LIBRARY_VERSION } from 'tfjs-laplace/extend';
import { removeUnfinished } from 'tfjs-laplace/plugins/storage';
import { EXIT } from './failures.js';
import { runCommandLine } from './program.js';

process.on('SIGINT', () => {
  removeUnfinished();
  process.stderr.write('\nInterrupted.\n');
  process.exit(EXIT.interrupted);
});
// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.failed));

process.exitCode = await runCommandLine(process.argv.slice(2), LIBRARY_VERSION, {
  stdout: (text) => process.stdout.write(text),
  stderr: process.stderr,
});
