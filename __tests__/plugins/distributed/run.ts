/** A folder with a model, a data set, and plans for them. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { accumulateFactors, batches, type Factors, type Matrix, observe } from 'tfjs-laplace';
import {
  type Plan,
  type PlanOptions,
  processEngine,
  type ShardSum,
  type ShardsEvent,
  shardPlan,
} from 'tfjs-laplace/plugins/distributed';
import { loadFactors, modelFiles } from 'tfjs-laplace/plugins/storage';
import { matricesOf } from '../../support/factors.js';
import { relativeError } from '../../support/math/numbers.js';
import { withFixedWeights } from '../../support/networks.js';

export const EXAMPLES = 60;
export const BATCH = 5;
const numbers = (i: number): number[] => [Math.sin(3 * i), Math.cos(5 * i), Math.sin(i * i)];

/** What the data module gives, as tensors. */
export const examplesFrom = (first: number, end: number) => {
  const range = Array.from({ length: end - first }, (_, i) => first + i);
  return {
    x: tf.tensor2d(range.map(numbers)),
    y: tf.tensor1d(
      range.map((i) => i % 3),
      'int32',
    ),
  };
};

export const classifier = (): tf.LayersModel =>
  withFixedWeights(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 6, activation: 'tanh', inputShape: [3], name: 'hidden' }),
        tf.layers.dense({ units: 3, name: 'kind' }),
      ],
    }),
  );

export interface Folder {
  readonly at: (name: string) => string;
  /** A plan of six shards. */
  readonly plan: (options?: Partial<PlanOptions>, data?: object) => Promise<Plan>;
  /** The first examples of the shards that a data module was asked for, in the order of its calls. */
  readonly opened: () => number[];
  /** The processes that asked. */
  readonly pids: () => number[];
  readonly remove: () => void;
}

export async function folder(): Promise<Folder> {
  const path = mkdtempSync(join(tmpdir(), 'laplace-shards-'));
  const at = (name: string): string => join(path, name);
  await classifier().save(modelFiles(at('model')));
  const lines = (): number[][] =>
    existsSync(at('log'))
      ? readFileSync(at('log'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' ').map(Number))
      : [];
  return {
    at,
    plan: (options = {}, data = {}) =>
      shardPlan({
        model: at('model'),
        likelihood: 'categorical',
        data: {
          module: pathToFileURL(join(__dirname, 'examples.mjs')).href,
          dataset: 'made up',
          examples: EXAMPLES,
          options: { log: at('log'), ...data },
        },
        batchSize: BATCH,
        shardSize: 10,
        where: at('run'),
        ...options,
      }),
    opened: () => lines().map(([first]) => first as number),
    pids: () => lines().map(([, pid]) => pid as number),
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** Processes of the sources. The plain backend starts the fastest. */
export const processes = (workers = 2) =>
  processEngine({ workers, backend: 'cpu', program: join(__dirname, 'worker.ts'), nodeArguments: ['--import', 'tsx'] });

export async function sumOf(run: Observable<ShardsEvent>): Promise<ShardSum & { readonly factors: Factors }> {
  const last = (await lastValueFrom(run)) as ShardSum;
  return { ...last, factors: await loadFactors(`file://${last.where}`) };
}

/** The factors of one pass over all examples. */
export const onePass = (curvature: unknown = 'kfac'): Promise<Factors> =>
  lastValueFrom(
    from(batches(examplesFrom(0, EXAMPLES), BATCH)).pipe(
      observe(classifier(), 'categorical'),
      accumulateFactors(curvature as 'kfac', { part: 'made up' }),
    ),
  );

export const worst = (a: Factors, b: Factors): number =>
  Math.max(
    ...a.layers.flatMap((layer, l) =>
      Object.entries(matricesOf(layer)).map(([part, own]) => relativeError(own, matricesOf(b.layers[l])[part] as Matrix)),
    ),
  );

/** Sums of float32 rows in another order. */
export const ROUNDING = 1e-6;
