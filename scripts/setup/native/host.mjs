/** What this machine has. */
import { run } from '../process.mjs';

/**
 * The first of some programs that answers.
 *
 * @param {ReadonlyArray<string | undefined>} commands
 * @param {ReadonlyArray<string>} question
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
