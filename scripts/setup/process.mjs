/** Runs other programs. */
import { spawn } from 'node:child_process';

/** What a program's end is told by when it has no exit code: it was not there, or a signal (a time limit, Ctrl-C) ended it. */
const NOT_FOUND = 127;
const KILLED = 128;

/**
 * @typedef {object} Options
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] added to this process's own
 * @property {number} [limitMs] after which the program and all it started are killed
 * @property {boolean} [show] its output goes to the terminal; else it is returned
 *
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {Options} [options]
 * @returns {Promise<{ code: number, output: string }>} never rejects: a program that is not there is a code like any other
 */
export function run(command, args, { cwd, env, limitMs, show = false } = {}) {
  const windows = process.platform === 'win32';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    // npm and the tools in node_modules/.bin are batch files on Windows, which only a shell starts.
    shell: windows,
    // A group of its own, so that a time limit also ends what the program started.
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
    // It ended by itself just now.
  }
}

/**
 * The line of a failed program's output that says what went wrong: the first that speaks of an error, else the last.
 *
 * @param {string} output
 */
export function complaint(output) {
  const lines = output.split('\n').map((line) => line.trim());
  return lines.find((line) => /(^|\s)\w*error\b.*:/i.test(line)) ?? lines.filter(Boolean).at(-1) ?? 'it said nothing';
}
