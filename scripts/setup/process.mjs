/** Runs other programs, on Windows too. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, win32 } from 'node:path';

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
  const line = batchLine(process.platform, command, args);
  const child = spawn(line ?? command, line === undefined ? args : [], {
    cwd,
    env: { ...process.env, ...env },
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    shell: line !== undefined,
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

/**
 * The line for the shell of Windows. A program that is named without its path may be a batch file there, which only the shell can
 * start, and the shell splits a line at its spaces.
 *
 * @param {string} platform as in `process.platform`
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @returns {string | undefined} undefined if no shell is needed
 */
export function batchLine(platform, command, args) {
  if (platform !== 'win32' || win32.isAbsolute(command)) return undefined;
  const quoted = (/** @type {string} */ part) => (/^[\w./:\\=@-]+$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`);
  return [command, ...args].map(quoted).join(' ');
}

/**
 * Runs npm: the one that runs this script, or else the one on the PATH.
 *
 * @param {ReadonlyArray<string>} args
 * @param {Options} [options]
 */
export function runNpm(args, options) {
  // npm names its own script here. Other package managers name theirs.
  const own = process.env.npm_execpath;
  return own?.endsWith('npm-cli.js') ? run(process.execPath, [own, ...args], options) : run('npm', args, options);
}

/**
 * The command of a tool in node_modules. The tool is started by Node from its script, because what npm puts into
 * `node_modules/.bin` is a batch file on Windows.
 *
 * @param {string} root folder that has the node_modules
 * @param {string} name name of the tool
 * @param {string} [from] name of its package
 * @returns {[command: string, ...args: string[]]}
 */
export function tool(root, name, from = name) {
  const folder = join(root, 'node_modules', from);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return [process.execPath, join(folder, typeof bin === 'string' ? bin : bin[name])];
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }).on('error', () => {});
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
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
