/** The arguments of `npm run fuzz`. */
import { parseArgs } from 'node:util';
import type { Kind } from './kind.js';

/** What is asked for: a run, help, or something that does not exist. */
export type Asked =
  | {
      readonly _tag: 'run';
      readonly kinds: ReadonlyArray<Kind>;
      readonly cases: number;
      readonly seed: number;
      readonly path?: string;
    }
  | { readonly _tag: 'help' }
  | { readonly _tag: 'wrong'; readonly why: string };

const OPTIONS = {
  cases: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string' },
  path: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const wrong = (why: string): Asked => ({ _tag: 'wrong', why });

/** Reads the arguments. */
export function askedBy(args: ReadonlyArray<string>, kinds: ReadonlyArray<Kind>): Asked {
  let values: ReturnType<typeof parsed>;
  try {
    values = parsed(args);
  } catch (error) {
    return wrong((error as Error).message);
  }
  const { only, path, help } = values;
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  if (help) return { _tag: 'help' };
  if (!(Number.isSafeInteger(cases) && cases > 0)) return wrong(`--cases ${values.cases}: expected an integer > 0`);
  if (!Number.isInteger(seed) || (seed | 0) !== seed) return wrong(`--seed ${values.seed}: expected an integer of 32 bits`);
  const chosen = only === undefined ? kinds : kinds.filter(({ name }) => name === only);
  if (chosen.length === 0) return wrong(`--only ${only}: expected ${kinds.map(({ name }) => name).join(', ')}`);
  if (path === undefined) return { _tag: 'run', kinds: chosen, cases, seed };
  if (only === undefined) return wrong('--path is that of one kind: name it by --only');
  if (!/^\d+(:\d+)*$/.test(path)) return wrong(`--path ${path}: expected numbers with colons between them`);
  return { _tag: 'run', kinds: chosen, cases, seed, path };
}

const parsed = (args: ReadonlyArray<string>) => parseArgs({ args: [...args], options: OPTIONS }).values;

/** What `--help` prints. */
export const helpFor = (kinds: ReadonlyArray<Kind>): string =>
  [
    'npm run fuzz -- [--cases N] [--seed S] [--only KIND] [--path P]',
    '',
    '  --cases N    how many random cases are run, of all kinds together (default 1000)',
    '  --seed S     the seed that they are drawn from (default 1)',
    '  --only KIND  one kind alone',
    '  --path P     one case alone: the path that a finding names',
    '',
    'Kinds, with their shares of the cases:',
    ...kinds.map(({ name, share, about }) => `  ${name.padEnd(12)}${String(share).padStart(3)} %  ${about}`),
    '',
    'Exits with 1 on a finding, and with 2 if an argument is wrong.',
  ].join('\n');
