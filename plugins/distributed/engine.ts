/** What an engine is: something that has the shards of a plan summed, here or elsewhere. */
import type { Observable } from 'rxjs';
import type { Plan } from './plan.js';

/** What an engine tells. */
export type ShardEvent =
  /** A shard has so many batches behind it. If its worker fails, the number begins again at 0. */
  | { readonly _tag: 'batches'; readonly shard: number; readonly done: number }
  /** The file of a shard is written. */
  | { readonly _tag: 'shard'; readonly shard: number };

/** Has shards summed. */
export interface ShardEngine {
  /**
   * Has these shards of the plan summed into their files, in any order, and completes when all are there. Fails with the `LaplaceError` of a
   * shard, whose message names it. Unsubscribing ends the work; files of shards that are whole stay.
   */
  readonly sum: (plan: Plan, shards: ReadonlyArray<number>) => Observable<ShardEvent>;
}
