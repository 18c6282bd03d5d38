/** Finds out what this machine has. */
import { run } from '../process.mjs';

/**
 * The first of several programs that runs without an error.
 *
 * @param {ReadonlyArray<string | undefined>} commands names of the programs
 * @param {ReadonlyArray<string>} question arguments with which each is run
 */
async function firstThatAnswers(commands, question) {
  for (const command of commands) {
    if (command && (await run(command, question)).code === 0) return command;
  }
  return undefined;
}

/** @returns {Promise<import('./decide.mjs').Host>} */
export async function host() {
  const compiler = await firstThatAnswers([process.env.CXX, 'c++', 'g++', 'clang++'], ['--version']);
  const python = await firstThatAnswers(['python3', 'python'], ['-c', 'import sys; sys.exit(sys.version_info < (3, 7))']);
  const pip = python !== undefined && (await run(python, ['-m', 'pip', '--version'])).code === 0;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return { platform: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime, python, pip, compiler };
}
