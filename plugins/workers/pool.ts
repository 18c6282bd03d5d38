/** Workers that share a queue of calls: each is started when there is a call for it, and all end with the pool. */
import { laplaceError, type WasmCall, type WasmModule, type WasmReply, type WasmRunner } from 'tfjs-laplace/extend';
import type { StartThread, Thread } from './thread.js';

/** A call that waits for its reply. */
interface Job {
  readonly call: WasmCall;
  readonly resolve: (reply: WasmReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker and what it is at. */
interface Hand {
  thread?: Thread;
  job?: Job | undefined;
}

/** What a worker answers. */
type Answer = { readonly reply: WasmReply } | { readonly error: string };

/** A pool of at most so many workers. */
export function createPool(module: WasmModule, size: number, start: StartThread): WasmRunner {
  const hands = new Set<Hand>();
  const queue: Job[] = [];
  let closed = false;

  /** Gives waiting calls to idle workers, and starts workers as long as calls are left. */
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

  /** A worker that broke takes its call with it; the others go on. */
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

const ended = () => laplaceError('Backend', { what: 'The workers were ended before they were done' });
