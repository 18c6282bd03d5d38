/** Shards on processes of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Observable, type Subscriber } from 'rxjs';
import { array, literals, optional, optionsOf, positiveInteger, struct, text } from 'tfjs-laplace/extend';
import type { BackendName } from 'tfjs-laplace/plugins/backends';
import type { ShardEngine, ShardEvent } from './engine.js';
import { mayPass, type SentError, sentError, shardError, workerError } from './failures.js';
import type { Answer, Order } from './messages.js';
import type { Plan } from './plan.js';

/** Options of `processEngine`. */
export interface ProcessEngineOptions {
  /** The most processes. Default: one for each core. Each loads the model, and its own copy of TensorFlow. */
  readonly workers?: number;
  /** The backend of the processes. Default: the fastest that works. */
  readonly backend?: BackendName;
  /** A program of your own for the processes, which calls `shardWorker()`. */
  readonly program?: string;
  /** Arguments for Node, before the program: a loader for TypeScript, for example. */
  readonly nodeArguments?: ReadonlyArray<string>;
}

const Options = struct('options', {
  workers: optional(positiveInteger),
  backend: optional(literals('node', 'wasm', 'cpu')),
  program: optional(text),
  nodeArguments: optional(array('a list of arguments', text)),
});

/** How often a shard is begun before it counts as one that no worker can do. */
const ATTEMPTS = 3;

/** Resolved from the folder of the process, as an import in the program of the user is. */
const PROGRAM = "import { shardWorker } from 'tfjs-laplace/plugins/distributed'; shardWorker();";

/**
 * Sums shards on processes of this machine. Nothing has to be installed or started.
 *
 * A process that ends, or is killed, is replaced, and its shard is begun again; a shard that ends three processes fails the run with
 * `Backend`. A shard that throws is not tried again, unless it throws a `Backend` error: the run fails with its error, whose message names the
 * shard. Unsubscribing ends the processes, and they end by themselves when the coordinator does.
 *
 * @throws LaplaceError `InvalidOption` for an unknown option, or one out of range
 *
 * @example
 * ```ts
 * import { processEngine } from 'tfjs-laplace/plugins/distributed';
 *
 * const engine = processEngine({ workers: 4 });
 * // accumulateShards(plan, engine)
 * ```
 */
export function processEngine(options: ProcessEngineOptions = {}): ShardEngine {
  const own = optionsOf('processEngine', Options, options) as ProcessEngineOptions;
  return { sum: (plan, shards) => new Observable((listener) => startPool(plan, shards, own, listener)) };
}

/** A process, and the shard that it has; undefined while it is idle or loads. */
interface Hand {
  readonly process: ChildProcess;
  shard: number | undefined;
}

/** Starts the processes. Gives a function that ends them. */
function startPool(plan: Plan, shards: ReadonlyArray<number>, options: ProcessEngineOptions, listener: Subscriber<ShardEvent>) {
  const { workers = availableParallelism() } = options;
  const size = Math.min(workers, shards.length);
  const waiting = [...shards];
  const attempts = new Map<number, number>();
  const hands = new Set<Hand>();
  let left = shards.length;
  let failedStarts = 0;

  const endAll = (): void => {
    for (const hand of hands) hand.process.kill('SIGTERM');
    hands.clear();
  };
  const fail = (error: unknown): void => {
    endAll();
    listener.error(error);
  };
  /** Puts a shard back, or fails if it has had its attempts. */
  const again = (shard: number, error: SentError): void => {
    if ((attempts.get(shard) ?? 0) >= ATTEMPTS) fail(shardError(plan, shard, error));
    else waiting.unshift(shard);
  };
  const assign = (hand: Hand): void => {
    const shard = waiting.shift();
    hand.shard = shard;
    if (shard === undefined) return;
    attempts.set(shard, (attempts.get(shard) ?? 0) + 1);
    send(hand, { _tag: 'shard', shard });
  };
  const finished = (event: ShardEvent): void => {
    listener.next(event);
    left -= 1;
    if (left > 0) return;
    endAll();
    listener.complete();
  };
  const failed = (error: SentError, shard: number | undefined): void => {
    if (shard === undefined) fail(workerError(error));
    else if (mayPass(error)) again(shard, error);
    else fail(shardError(plan, shard, error));
  };
  const heard = (hand: Hand, answer: Answer): void => {
    if (listener.closed || !hands.has(hand)) return;
    if (answer._tag === 'batches') {
      listener.next(answer);
      return;
    }
    if (answer._tag === 'shard') finished(answer);
    if (answer._tag === 'failed') failed(answer.error, answer.shard);
    if (!listener.closed) assign(hand);
  };
  const ended = (hand: Hand, how: string): void => {
    if (!hands.delete(hand) || listener.closed) return;
    const error = { kind: 'Backend', message: `its process ended, ${how}` } as const;
    if (hand.shard !== undefined) again(hand.shard, error);
    // One that never came to a shard would be started again without end.
    else if (++failedStarts > ATTEMPTS)
      fail(workerError({ ...error, message: `a worker's process ended, ${how}, before it had work` }));
    if (!listener.closed) hire();
  };
  const hire = (): void => {
    const hand: Hand = { process: startProcess(options, size), shard: undefined };
    hands.add(hand);
    hand.process.on('message', (answer) => heard(hand, answer as Answer));
    hand.process.on('error', (error) => fail(workerError(sentError(error))));
    hand.process.on('exit', (code, signal) => ended(hand, signal === null ? `with exit code ${code}` : `by ${signal}`));
    send(hand, { _tag: 'plan', plan, backend: options.backend });
  };

  for (let i = 0; i < size; i++) hire();
  if (size === 0) listener.complete();
  return endAll;
}

function startProcess({ program, nodeArguments = [] }: ProcessEngineOptions, workers: number): ChildProcess {
  const start = program === undefined ? ['--input-type=module', '--eval', PROGRAM] : [program];
  // Processes that each take all cores hinder each other.
  const threads = String(Math.max(1, Math.floor(availableParallelism() / workers)));
  return spawn(process.execPath, [...nodeArguments, ...start], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'json',
    env: { TF_NUM_INTRAOP_THREADS: threads, OMP_NUM_THREADS: threads, ...process.env },
  });
}

/** A process that has just ended takes no message, which is no error: its end is told by itself. */
const send = (hand: Hand, order: Order): void => {
  if (hand.process.connected) hand.process.send(order, () => {});
};
