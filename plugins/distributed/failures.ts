/** Errors of workers, on their way to the coordinator and there. */
import { isLaplaceError, type LaplaceError, type LaplaceErrorKind, type Shard } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import type { Plan } from './plan.js';

/** An error as data. */
export interface SentError {
  readonly kind: LaplaceErrorKind | 'unknown';
  readonly message: string;
  readonly field?: string;
  readonly layer?: string;
}

export function sentError(error: unknown): SentError {
  if (!isLaplaceError(error)) return { kind: 'unknown', message: error instanceof Error ? error.message : String(error) };
  const { kind, message, field, layer } = error;
  return { kind, message, ...(field !== undefined && { field }), ...(layer !== undefined && { layer }) };
}

/** Whether another worker may succeed: a backend that is lost or lacks memory, but no mistake in the data. */
export const mayPass = ({ kind }: SentError): boolean => kind === 'Backend';

/** The error of a shard. What a data module throws is an `InvalidInput`, since the library does not know it. */
export function shardError(plan: Plan, shard: number, { kind, message, field, layer }: SentError): LaplaceError {
  const { first, end } = plan.shards[shard] as Shard;
  return laplaceError(kind === 'unknown' ? 'InvalidInput' : kind, {
    what: `Shard ${shard}, examples ${first} to ${end - 1} of ${JSON.stringify(plan.data.dataset)}: ${message.replace(/\.$/, '')}`,
    ...(field !== undefined && { field }),
    ...(layer !== undefined && { layer }),
  });
}

/** The error of a worker that cannot work: other weights, no model, no data module. */
export const workerError = ({ kind, message, field }: SentError): LaplaceError =>
  laplaceError(kind === 'unknown' ? 'Backend' : kind, {
    what: `A worker cannot begin: ${message.replace(/\.$/, '')}`,
    ...(field !== undefined && { field }),
  });
