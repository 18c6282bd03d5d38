/** Sums the shards of a plan, one at a time: what every worker does, whichever engine it works for. */

import { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, observe, type Posterior, type Shard, type TensorData } from 'tfjs-laplace';
import { isRecord, laplaceError } from 'tfjs-laplace/extend';
import { saveFactors } from 'tfjs-laplace/plugins/storage';
import { basisAt, basisFile, holds, partOf, shardFile } from './files.js';
import { type Identity, identityOf, modelAt } from './model.js';
import type { Plan } from './plan.js';

/** What `open` of a data module is asked for. */
export interface RangeRequest {
  readonly first: number;
  readonly end: number;
  /** Those of the plan's data source. */
  readonly options?: unknown;
}

/** Gives the examples of a range. */
export type OpenRange = (range: RangeRequest) => TensorData | Promise<TensorData>;

/** A run that is ready for its shards. */
export interface ShardRun {
  /**
   * Sums a shard, and writes its file. A file that is there already and whole is used.
   *
   * @param onBatch called with the number of batches that are done
   */
  readonly sum: (shard: number, onBatch?: (done: number) => void) => Promise<void>;
  readonly dispose: () => void;
}

/**
 * Loads the model, and checks that its weights are those of the plan before there is any work. Rejects with `Mismatch` if they are others,
 * and with the errors of loading.
 *
 * @param open the function of the data module, if it is at hand
 */
export async function shardRun(plan: Plan, open?: OpenRange): Promise<ShardRun> {
  const model = await modelAt(plan.model);
  const { opens, basis } = await meansOf(plan, model, open).catch((error: unknown) => {
    model.dispose();
    throw error;
  });
  return {
    sum: async (shard, onBatch = () => {}) => {
      const range = plan.shards[shard] as Shard;
      const file = shardFile(plan, shard);
      if (await holds(plan, file, partOf(plan, range), { basis, verify: true })) return;
      await sumShard(model, plan, range, file, { opens, basis }, onBatch);
    },
    dispose: () => model.dispose(),
  };
}

interface Means {
  readonly opens: OpenRange;
  readonly basis: Posterior | undefined;
}

async function meansOf(plan: Plan, model: LayersModel, open: OpenRange | undefined): Promise<Means> {
  const { fingerprint, architecture } = await identityOf(model, plan.likelihood);
  if (fingerprint !== plan.fingerprint) throw otherModel(plan, 'fingerprint', `weights ${fingerprint}`);
  if (architecture !== plan.architecture)
    throw otherModel(plan, 'architecture', `layers, activations and wiring ${architecture}`);
  const opens = open ?? (await openOf(plan));
  const basis = plan.curvature._tag === 'ekfac' ? await basisAt(plan) : undefined;
  if (plan.curvature._tag === 'ekfac' && basis === undefined) throw noBasis(plan);
  return { opens, basis };
}

async function sumShard(
  model: LayersModel,
  plan: Plan,
  range: Shard,
  file: string,
  { opens, basis }: Means,
  onBatch: (done: number) => void,
): Promise<void> {
  const { data, likelihood, curvature, batchSize } = plan;
  const { first, end, firstBatch } = range;
  const examples = await opens({ first, end, ...(data.options !== undefined && { options: data.options }) });
  try {
    const pass = from(batches(examples, batchSize)).pipe(
      observe(model, likelihood, { firstBatch }),
      accumulateFactors(curvature, {
        part: { dataset: data.dataset, first },
        onProgress: ({ done }) => onBatch(done),
        ...(basis && { basis }),
      }),
    );
    const factors = await lastValueFrom(pass);
    const counted = factors.parts?.[0]?.end;
    if (counted !== end) throw otherCount(plan, range, (counted ?? first) - first);
    await saveFactors(factors, `file://${file}`, { common: basis === undefined ? 'inside' : 'apart' });
  } finally {
    for (const tensor of [examples.x, examples.y, examples.weights].flatMap(tensorsOf)) tensor.dispose();
  }
}

/** The tensors of inputs or labels: alone, in a list, or in a record. Numbers are not looked at one by one. */
function tensorsOf(own: unknown): ReadonlyArray<Tensor> {
  if (own instanceof Tensor) return [own];
  if (Array.isArray(own)) return own[0] instanceof Tensor ? own : [];
  return isRecord(own) ? Object.values(own).filter((value): value is Tensor => value instanceof Tensor) : [];
}

/** The function `open` of the data module of a plan. */
async function openOf({ data }: Plan): Promise<OpenRange> {
  const loaded: unknown = await import(/* @vite-ignore */ /* webpackIgnore: true */ data.module).catch((error: unknown) => {
    throw noModule(data.module, error instanceof Error ? error.message : String(error), error);
  });
  const own = loaded as { readonly open?: unknown; readonly default?: { readonly open?: unknown } };
  const open = own.open ?? own.default?.open;
  if (typeof open !== 'function') throw noModule(data.module, 'no exported function of this name');
  return open as OpenRange;
}

const noModule = (module: string, found: string, cause?: unknown) =>
  laplaceError('InvalidOption', {
    what: `The data module ${module} cannot be used`,
    field: 'data.module',
    found,
    expected: 'a module that exports a function open({ first, end, options }), which gives { x, y }',
    cause,
  });

const otherModel = (plan: Plan, field: keyof Identity, found: string) =>
  laplaceError('Mismatch', {
    what: `The model at ${plan.model} is not that of the plan`,
    field,
    found,
    expected: plan[field],
    remedy: 'Make a new plan for a new model, or bring back the model of this one.',
  });

const otherCount = ({ data }: Plan, { first, end }: Shard, found: number) =>
  laplaceError('InvalidInput', {
    what: `The data module gave another number of examples for ${first} to ${end - 1} of ${JSON.stringify(data.dataset)}`,
    field: 'data',
    found: `${found} examples`,
    expected: `${end - first}`,
  });

const noBasis = (plan: Plan) =>
  laplaceError('NotReady', {
    what: 'The directions of ekfac are not there yet',
    field: 'basis',
    found: `no whole file ${basisFile(plan)}`,
    expected: 'the posterior that accumulateShards makes of a first pass',
  });
