/** What a coordinator and the process of a worker tell each other. */
import type { BackendName } from 'tfjs-laplace/plugins/backends';
import type { SentError } from './failures.js';
import type { Plan } from './plan.js';

/** To a worker. */
export type Order =
  | { readonly _tag: 'plan'; readonly plan: Plan; readonly backend: BackendName | undefined }
  | { readonly _tag: 'shard'; readonly shard: number };

/** From a worker. */
export type Answer =
  /** The model is there, and its weights are right. */
  | { readonly _tag: 'ready' }
  | { readonly _tag: 'batches'; readonly shard: number; readonly done: number }
  | { readonly _tag: 'shard'; readonly shard: number }
  /** Without a shard it is about the worker itself, which has no use. */
  | { readonly _tag: 'failed'; readonly shard?: number; readonly error: SentError };
