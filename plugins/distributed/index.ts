/** A pass over a data set in shards, on several processes or machines. For Node. */
export { type AccumulateShardsOptions, accumulateShards } from './accumulateShards.js';
export type { ShardEngine, ShardEvent } from './engine.js';
export { type LocalEngineOptions, localEngine } from './localEngine.js';
export { modelAt } from './model.js';
export type { ShardSum, ShardsEvent } from './pass.js';
export { type DataSource, type Plan, type PlanOptions, runName, shardPlan } from './plan.js';
export { type ProcessEngineOptions, processEngine } from './processEngine.js';
export type { OpenRange, RangeRequest } from './shardRun.js';
export { shardWorker } from './worker.js';
