/** Tries the project on one version of Node: the set-up of a fresh copy, a quick recipe, and a part of the tests. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { run } from '../setup/process.mjs';

/** The tests: what touches Node itself (processes, workers, native code, files), and one of each kind of stream. */
const PART = [
  'scripts/(process|quiet|native|dependencies)',
  'plugins/(backends|workers|plots|progress|optional)',
  'linalg/(tensorflow|wasm)',
  'plugins/tfjs-callback/epochs',
  'stream/predict\\.',
  'recipes/regression',
].map((files) => `__tests__/${files}`);

/**
 * @typedef {object} Outcome
 * @property {boolean} ok
 * @property {string} backend the backend on which the recipe ran; empty if it did not come so far
 * @property {string} tests the closing line of the tests
 * @property {ReadonlyArray<string>} warnings warnings of Node
 * @property {ReadonlyArray<{ what: string, ok: boolean, seconds: number }>} steps
 * @property {string} output what the step that failed printed
 */

/**
 * Reads what the steps printed.
 *
 * @param {string} output
 * @returns {Pick<Outcome, 'backend' | 'tests' | 'warnings'>}
 */
export const read = (output) => ({
  backend: /^Backend (\w+):/m.exec(output)?.[1] ?? '',
  tests: /^\d+ passed, \d+ failed.*$/m.exec(output)?.[0] ?? '',
  warnings: [...output.matchAll(/^\(node:\d+\) (.+)$/gm)].map((match) => /** @type {string} */ (match[1])),
});

/**
 * Copies the files of the working tree that git knows or would add.
 *
 * @param {string} root
 * @param {string} folder
 */
async function copyTree(root, folder) {
  const { code, output } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root });
  if (code !== 0) throw new Error(`git ls-files failed: ${output}`);
  // A file that is deleted and not yet committed is still listed.
  for (const file of output.split('\n').filter(Boolean)) cpSync(join(root, file), join(folder, file), { force: true });
}

/**
 * @param {string} root folder of this repository
 * @param {string} node path of the binary
 * @param {string} npm path of npm's script
 * @returns {Promise<Outcome>}
 */
export async function tryNode(root, node, npm) {
  const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
  // Scripts of package.json call `node`, which has to be this one.
  const env = { PATH: [dirname(node), process.env.PATH].join(delimiter), NODE: node, npm_node_execpath: node };
  const steps = [];
  let all = '';
  try {
    await copyTree(root, folder);
    for (const [what, args] of /** @type {const} */ ([
      ['set-up', ['run', 'setup']],
      ['quick recipe', ['start', '--', '--quick', '--out', join(folder, 'out')]],
      ['tests', ['test', '--', ...PART]],
    ])) {
      const start = performance.now();
      const { code, output } = await run(node, [npm, ...args], { cwd: folder, env });
      all += output;
      steps.push({ what, ok: code === 0, seconds: (performance.now() - start) / 1000 });
      if (code !== 0) return { ok: false, ...read(all), steps, output };
    }
    return { ok: true, ...read(all), steps, output: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
