/** Runs other programs. */
import { spawn } from 'node:child_process';

/** Code of a program that was not found. */
const NOT_FOUND = 127;
/** Code of a program that a signal ended, such as a time limit or Ctrl-C. */
const KILLED = 128;

/**
 * @typedef {object} Options
 * @property {string} [cwd] folder in which the program runs
 * @property {Record<string, string>} [env] environment variables, added to the variables of this process
 * @property {number} [limitMs] milliseconds after which the program, and all programs that it started, are killed
 * @property {boolean} [show] whether the output goes to the terminal; otherwise it is returned
 *
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {Options} [options]
 * @returns {Promise<{ code: number, output: string }>} exit code and output; never rejects, as a missing program gives a code too
 */
export function run(command, args, { cwd, env, limitMs, show = false } = {}) {
  const windows = process.platform === 'win32';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    // On Windows, npm and the tools in node_modules/.bin are batch files, which only a shell can start.
    shell: windows,
    // The program gets its own process group, so that a time limit also ends the programs that it started.
    detached: limitMs !== undefined && !windows,
  });
  return new Promise((resolve) => {
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk;
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const timer = limitMs === undefined ? undefined : setTimeout(() => killGroup(child.pid), limitMs);
    const end = (/** @type {number} */ code) => {
      clearTimeout(timer);
      resolve({ code, output });
    };
    child.on('error', () => end(NOT_FOUND));
    child.on('close', (code) => end(code ?? KILLED));
  });
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // The program has just ended by itself.
  }
}

/**
 * Finds the line that says what went wrong: the first line that names an error, or else the last line.
 *
 * @param {string} output output of a program that failed
 */
export function complaint(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /(^|\s)\w*error\b.*:/i.test(line)) ?? lines.filter(Boolean).at(-1) ?? 'it printed nothing';
}
