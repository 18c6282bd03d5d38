/** The work as a value: what is to be summed, over which examples, and where the files go. It is plain data, so it can be sent anywhere. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeRecipe, orThrow, type RecipeData, type RecipeInput, recipe, type Shard, shardsOf } from 'tfjs-laplace';
import { anything, optional, optionsOf, positiveInteger, struct, text } from 'tfjs-laplace/extend';
import { type Identity, identityOf, modelAt } from './model.js';

/** Where the examples come from. */
export interface DataSource {
  /**
   * A module of Node that exports a function `open({ first, end, options })`, which gives the examples of that range, `{ x, y }`, as `batches`
   * takes them: a path, a URL, or the name of a package.
   */
  readonly module: string;
  /** The name of the data set: examples of one name count once. */
  readonly dataset: string;
  /** N. */
  readonly examples: number;
  /** Whatever else `open` needs to know. It must be data that JSON can hold. */
  readonly options?: unknown;
}

/** What a plan is made of. */
export interface PlanOptions {
  /** The trained model: a folder, its model.json, or a URL, which every worker can reach. */
  readonly model: string;
  readonly likelihood: RecipeInput['likelihood'];
  /** Default `kfac()`. */
  readonly curvature?: RecipeInput['curvature'];
  readonly data: DataSource;
  /** Examples of a batch. Default 128. */
  readonly batchSize?: number;
  /** Examples of a shard; rounded up to whole batches. Default 64 batches. */
  readonly shardSize?: number;
  /** A folder that every worker can reach. The files of the run go into a folder of its own there. */
  readonly where: string;
}

/** A pass over a data set, cut into shards. */
export interface Plan extends Identity {
  /** Where it is. A worker that finds another model there does no work. */
  readonly model: string;
  readonly likelihood: RecipeData['likelihood'];
  readonly curvature: RecipeData['curvature'];
  readonly data: DataSource;
  readonly batchSize: number;
  readonly shards: ReadonlyArray<Shard>;
  readonly where: string;
}

const Options = struct('the choices of a plan', {
  model: text,
  likelihood: anything,
  curvature: anything,
  data: struct('a data source { module, dataset, examples }', {
    module: text,
    dataset: text,
    examples: positiveInteger,
    options: anything,
  }),
  batchSize: optional(positiveInteger),
  shardSize: optional(positiveInteger),
  where: text,
});

/**
 * Makes a plan. The model is loaded once, for its identity.
 *
 * Rejects with `InvalidOption`; with `InvalidRecipe` for a likelihood or a curvature that is none, or that holds code; with `Storage` and
 * `InvalidFile` for a model that cannot be loaded.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import * as tf from '@tensorflow/tfjs';
 * import { shardPlan } from 'tfjs-laplace/plugins/distributed';
 * import { modelFiles } from 'tfjs-laplace/plugins/storage';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'laplace-'));
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
 * await model.save(modelFiles(join(folder, 'model')));
 * const plan = await shardPlan({
 *   model: join(folder, 'model'),
 *   likelihood: 'categorical',
 *   data: { module: './examples.mjs', dataset: 'mine', examples: 1000 },
 *   batchSize: 100,
 *   shardSize: 250,
 *   where: join(folder, 'run'),
 * });
 * plan.shards.map(({ first, end }) => [first, end]); // => [[0, 300], [300, 600], [600, 900], [900, 1000]]
 * ```
 */
export async function shardPlan(options: PlanOptions): Promise<Plan> {
  const { model: place, data, where, batchSize = 128, shardSize = 64 * batchSize } = optionsOf('shardPlan', Options, options);
  const { likelihood, curvature = 'kfac' } = options;
  const written = orThrow(encodeRecipe(recipe({ likelihood, curvature })));
  return Object.freeze({
    model: isUrl(place) ? place : resolve(place),
    ...(await identityAt(place, written.likelihood)),
    likelihood: written.likelihood,
    curvature: written.curvature,
    data: { ...data, module: specifier(data.module) },
    batchSize,
    shards: shardsOf(data.examples, { size: shardSize, batchSize }),
    where: resolve(where.replace(/^file:\/\//, '')),
  });
}

async function identityAt(place: string, likelihood: Plan['likelihood']): Promise<Identity> {
  const model = await modelAt(place);
  return identityOf(model, likelihood).finally(() => model.dispose());
}

const isUrl = (place: string): boolean => /^[a-z]+:\/\//.test(place);

/** A path as a URL, so that a worker in another folder finds it. */
const specifier = (module: string): string => (/^[./]/.test(module) ? pathToFileURL(resolve(module)).href : module);

/** The name of a run: plans with the same name sum the same over the same examples, wherever their files are. */
export function runName({ fingerprint, architecture, likelihood, curvature, data, batchSize, shards }: Plan): string {
  const { dataset, examples, options } = data;
  const identity = [fingerprint, architecture, likelihood, curvature, dataset, examples, options ?? null, batchSize, shards];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
}
