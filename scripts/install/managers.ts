/** Package managers in pinned versions, as a user with an empty folder meets them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from '../setup/process.mjs';
import type { Manager } from './readme.js';

/**
 * Where each manager comes from; npm is the one that is there. Yarn 1 takes the line of `yarn` too, and many machines have it. What a
 * manager needs is named here alone: CI installs nothing else.
 */
const MANAGERS = {
  npm: { line: 'npm' },
  pnpm: { line: 'pnpm', from: 'pnpm@12.21.0', command: 'pnpm' },
  yarn: { line: 'yarn', from: '@yarnpkg/cli-dist@4.18.1', command: 'yarn' },
  'yarn-1': { line: 'yarn', from: 'yarn@1.22.22', command: 'yarn' },
} as const satisfies Record<string, { line: Manager; from?: string; command?: string }>;

export type ManagerName = keyof typeof MANAGERS;

export const MANAGER_NAMES = Object.keys(MANAGERS) as ReadonlyArray<ManagerName>;

/** The manager whose line of README.md is typed. */
export const lineOf = (name: ManagerName): Manager => MANAGERS[name].line;

/** Makes the empty project of a user. */
export function emptyProject(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // An empty lock file tells Yarn that the project ends here, whatever is in the folders above.
  writeFileSync(join(folder, 'yarn.lock'), '');
  writeFileSync(join(folder, '.yarnrc.yml'), 'nodeLinker: node-modules\nenableTelemetry: false\n');
}

/** Runs a package manager in a project. */
export function manage(name: ManagerName, folder: string, args: ReadonlyArray<string>) {
  const manager = MANAGERS[name];
  // Each takes from its cache what is there, so that a second run needs no network.
  if (!('from' in manager)) return runNpm([...args, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder, env: ENV });
  return runNpm(['exec', '--yes', '--prefer-offline', `--package=${manager.from}`, '--', manager.command, ...args], {
    cwd: folder,
    env: ENV,
  });
}

/** With CI set, managers refuse to write a new lock file. A user's shell does not have it. */
const ENV = { CI: '' };
