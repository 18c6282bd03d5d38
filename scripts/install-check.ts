/**
 * `npm run install-check [-- npm pnpm yarn yarn-1]`: a user's first minutes. It packs the package as it was built, types README's line for
 * each package manager in an empty folder, and runs README's examples there. Then it adds the optional packages and runs the recipe
 * that README names. It takes about a minute for each manager.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { examplesCompile, examplesRun, oneCopy, programRuns } from './install/checks.js';
import { emptyProject, lineOf, MANAGER_NAMES, type ManagerName, manage } from './install/managers.js';
import { readReadme } from './install/readme.js';
import { runNpm } from './setup/process.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(MANAGER_NAMES as ReadonlyArray<string>).includes(name));
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; the package managers are ${MANAGER_NAMES.join(', ')}`);

const { name, version: packageVersion } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const readme = readReadme(join(ROOT, 'README.md'));

type Step = readonly [what: string, check: () => Promise<string | undefined>];

/** The steps of a user, in order. */
function steps(manager: ManagerName, folder: string, tarball: string): ReadonlyArray<Step> {
  const succeed = async (args: ReadonlyArray<string>) => {
    const { code, output } = await manage(manager, folder, args);
    return code === 0 ? undefined : `${args.join(' ')}: ${output}`;
  };
  const line = readme.install[lineOf(manager)];
  const [add = 'add'] = line;
  return [
    ['install', () => succeed(line.map((word) => (word === name ? `${name}@file:${tarball}` : word)))],
    ['one copy', () => oneCopy(folder, name)],
    ['examples, ESM', () => examplesRun(folder, readme.snippets, 'esm')],
    ['examples, CommonJS', () => examplesRun(folder, readme.snippets, 'commonjs')],
    ['strict types', () => examplesCompile(ROOT, folder, readme.snippets)],
    [
      'missing packages',
      () => programRuns(folder, 'missing.mjs', readFileSync(new URL('install/missing.mjs', import.meta.url), 'utf8')),
    ],
    ['optional packages', () => succeed([add, ...readme.optional])],
    [
      'command line',
      () => programRuns(folder, 'commandLine.mjs', readFileSync(new URL('install/commandLine.mjs', import.meta.url), 'utf8')),
    ],
    [
      'recipe',
      async () => {
        const { code, output } = await runNpm(['exec', '--yes', '--prefer-offline', '--', ...readme.recipe], { cwd: folder });
        return code === 0 ? undefined : output;
      },
    ],
  ];
}

/** Packs the package. The name of the file is new, because Yarn 1 finds files of an earlier run by their name in its cache. */
async function pack(): Promise<string> {
  const { output } = await runNpm(['pack', '--ignore-scripts', '--silent', '--pack-destination', work], { cwd: ROOT });
  const packed = readdirSync(work).find((file) => file.endsWith('.tgz'));
  if (packed === undefined) throw new Error(`npm pack failed:\n${output}`);
  const path = join(work, `${basename(work)}.tgz`);
  renameSync(join(work, packed), path);
  return path;
}

/** The command in an empty folder, by npx alone: what needs no backend works, and the rest says what to add. */
async function npxInAnEmptyFolder(folder: string, tarball: string): Promise<string | undefined> {
  const npx = (...args: ReadonlyArray<string>) =>
    runNpm(['exec', '--yes', '--prefer-offline', '--package', tarball, '--', name, ...args], { cwd: folder });
  const version = await npx('--version');
  if (version.code !== 0 || !version.output.includes(packageVersion)) return version.output;
  const backend = await npx('coverage', '--model', 'model', '--likelihood', 'categorical');
  const isTold =
    backend.code === 1 && /Install @tensorflow.tfjs-node-gpu/.test(backend.output) && !/\n\s+at /.test(backend.output);
  return isTold ? undefined : backend.output;
}

const work = mkdtempSync(join(tmpdir(), 'install-'));
let failed = 0;
try {
  const tarball = await pack();
  const empty = join(work, 'empty');
  mkdirSync(empty);
  const complaint = await npxInAnEmptyFolder(empty, tarball);
  console.log(`npx     ${'empty folder'.padEnd(20)}${complaint === undefined ? 'ok' : 'FAILED'}`);
  if (complaint !== undefined) {
    failed++;
    console.error(complaint);
  }
  for (const manager of asked.length === 0 ? MANAGER_NAMES : (asked as ReadonlyArray<ManagerName>)) {
    const folder = join(work, manager);
    emptyProject(folder);
    for (const [what, check] of steps(manager, folder, tarball)) {
      const start = performance.now();
      const complaint = await check().catch(String);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${manager.padEnd(8)}${what.padEnd(20)}${complaint === undefined ? 'ok' : 'FAILED'}  ${seconds} s`);
      if (complaint === undefined) continue;
      failed++;
      console.error(complaint);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
