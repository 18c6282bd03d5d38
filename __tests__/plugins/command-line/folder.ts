/** A folder with a model, data and a recipe, and the command line on it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { modelFiles } from 'tfjs-laplace/plugins/storage';
import { runCommandLine } from '../../../plugins/command-line/program.js';
import { tensor, withFixedWeights } from '../../support/networks.js';

/** What a command said, and how it ended. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process. */
export async function said(...args: ReadonlyArray<string>): Promise<Said> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(args, '1.2.3', {
    stdout: (text) => {
      out += text;
    },
    stderr: {
      write: (text) => {
        err += text;
      },
    },
  });
  return { code, out, err };
}

export const NAMES = ['ash', 'birch', 'cedar'];

/** Rows of three inputs and a class. */
export const rowsOf = (seed: number, N: number): ReadonlyArray<readonly [number, number, number, number]> => {
  const x = tensor([N, 3], seed).arraySync() as number[][];
  return x.map(([a = 0, b = 0, c = 0], i) => [a + (i % 3), b, c, i % 3] as const);
};

/** The examples that a file has. */
export const examplesOf = (seed: number, N = 40) => {
  const rows = rowsOf(seed, N);
  return { x: tf.tensor2d(rows.map((row) => row.slice(0, 3))), y: tf.tensor1d(rows.map((row) => row[3])) };
};

export const csvOf = (seed: number, N = 40, names: ReadonlyArray<string> = NAMES): string =>
  ['a,b,c,kind', ...rowsOf(seed, N).map(([a, b, c, k]) => [a, b, c, names[k]].join(','))].join('\n');

export const classifier = (): tf.LayersModel =>
  withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, activation: 'tanh', inputShape: [3], name: 'hidden' }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'kind' }),
      ],
    }),
  );

/** The recipe of the folder. */
export const RECIPE = {
  likelihood: 'categorical',
  prior: 3,
  calibration: 'temperature',
  report: { conformal: { score: 'lac', level: 0.8 }, abstention: { risk: 0.95 }, resamples: 5 },
} as const;

/** The seeds of the four sets. */
export const SEEDS = { train: 1, val: 2, cal: 3, test: 4 } as const;

/** Makes a folder, and gives the path of a name in it. */
export async function workFolder(): Promise<{ readonly at: (name: string) => string; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'laplace-command-'));
  const at = (name: string): string => join(folder, name);
  await classifier().save(modelFiles(at('model')));
  for (const [name, seed] of Object.entries(SEEDS)) writeFileSync(at(`${name}.csv`), csvOf(seed));
  writeFileSync(at('recipe.json'), JSON.stringify({ $schema: 'recipe.schema.json', ...RECIPE }));
  return { at, remove: () => rmSync(folder, { recursive: true }) };
}
