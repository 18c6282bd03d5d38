/**
 * A pool of workers that share a queue of calls. A worker starts when there is a call for it. Closing the pool ends all workers.
 */
import { laplaceError, type WasmCall, type WasmModule, type WasmReply, type WasmRunner } from 'tfjs-laplace/extend';
import type { StartThread, Thread } from './thread.js';

/** A call that waits for its reply. */
interface Job {
  readonly call: WasmCall;
  readonly resolve: (reply: WasmReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker, undefined until it has started, and the call that it carries out, undefined while it is idle. */
interface Hand {
  thread?: Thread;
  job?: Job | undefined;
}

/** A worker's answer to a call. */
type Answer = { readonly reply: WasmReply } | { readonly error: string };

/**
 * Makes a pool.
 *
 * @param module the compiled WebAssembly module, which each worker gets before its first call
 * @param size largest number of workers
 * @param start starts a worker
 */
export function createPool(module: WasmModule, size: number, start: StartThread): WasmRunner {
  const hands = new Set<Hand>();
  const queue: Job[] = [];
  let closed = false;

  /** Gives waiting calls to idle workers. Starts further workers while calls are left and the pool is not full. */
  function distribute(): void {
    for (const hand of hands) if (hand.job === undefined) assign(hand);
    while (queue.length > 0 && hands.size < size) hire();
  }

  function assign(hand: Hand): void {
    const job = queue.shift();
    hand.job = job;
    if (job !== undefined) hand.thread?.post(job.call, [job.call.region.buffer]);
  }

  function hire(): void {
    const hand: Hand = { job: queue.shift() };
    hands.add(hand);
    start({ answer: (data) => settle(hand, data as Answer), failure: (error) => dismiss(hand, error) }).then(
      (thread) => {
        hand.thread = thread;
        if (!hands.has(hand)) return thread.end();
        thread.post(module, []);
        if (hand.job !== undefined) thread.post(hand.job.call, [hand.job.call.region.buffer]);
      },
      (error) => dismiss(hand, error),
    );
  }

  function settle(hand: Hand, answer: Answer): void {
    const { job } = hand;
    hand.job = undefined;
    if ('reply' in answer) job?.resolve(answer.reply);
    else job?.reject(new Error(answer.error));
    distribute();
  }

  /** Removes a worker that failed and rejects its call. The other workers go on. */
  function dismiss(hand: Hand, error: unknown): void {
    if (!hands.delete(hand)) return;
    hand.thread?.end();
    hand.job?.reject(error);
    distribute();
  }

  return {
    execute: (call) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(ended());
        queue.push({ call, resolve, reject });
        distribute();
      }),
    close: () => {
      closed = true;
      const waiting = queue.splice(0);
      for (const { reject } of waiting) reject(ended());
      for (const hand of [...hands]) dismiss(hand, ended());
    },
  };
}

const ended = () => laplaceError('Backend', { what: 'The workers were ended before this call was done' });
