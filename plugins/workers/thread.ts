/** One interface to the workers of Node and of browsers: post a message, receive an answer or a failure, end the worker. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { SOURCE } from './source.js';

/** Receives what a worker reports. */
export interface Listener {
  readonly answer: (data: unknown) => void;
  /** The worker failed, could not start, or ended. */
  readonly failure: (error: unknown) => void;
}

/** A running worker. */
export interface Thread {
  readonly post: (data: unknown, transfer: ReadonlyArray<ArrayBufferLike>) => void;
  readonly end: () => void;
}

/** Starts a worker. Rejects with `Backend` if the platform has no workers or forbids them. */
export type StartThread = (listener: Listener) => Promise<Thread>;

/** The name is put together at run time, because a bundler for browsers would follow a literal name in an import. */
const NODE = ['node', 'worker_threads'].join(':');

const isNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined;

/** Starts a worker of Node in Node, and a web worker elsewhere. */
export const startThread: StartThread = (listener) => (isNode() ? nodeThread(listener) : webThread(listener));

async function nodeThread({ answer, failure }: Listener): Promise<Thread> {
  const { Worker }: typeof import('node:worker_threads') = await import(/* @vite-ignore */ /* webpackIgnore: true */ NODE);
  const worker = new Worker(SOURCE, { eval: true, execArgv: [] });
  worker.on('message', answer);
  worker.on('error', failure);
  worker.on('exit', (code) => failure(new Error(`the worker ended with code ${code}`)));
  return {
    post: (data, transfer) => worker.postMessage(data, transfer as ArrayBuffer[]),
    end: () => void worker.terminate(),
  };
}

/** The part of the browser's `Worker` that is used here. */
interface WebWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(data: unknown, transfer: ReadonlyArray<ArrayBufferLike>): void;
  terminate(): void;
}

async function webThread({ answer, failure }: Listener): Promise<Thread> {
  const { Worker } = globalThis as unknown as { Worker?: new (url: string) => WebWorker };
  if (Worker === undefined) throw unavailable(new Error('the platform has no Worker'));
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
  try {
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => answer(data);
    // When a Content-Security-Policy forbids the worker, the browser sends an error without a message.
    worker.onerror = ({ message }) => failure(unavailable(new Error(message || 'the worker does not start')));
    return {
      post: (data, transfer) => worker.postMessage(data, transfer),
      end: () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
  } catch (cause) {
    URL.revokeObjectURL(url);
    throw unavailable(cause);
  }
}

const unavailable = (cause: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: 'Linear algebra in workers cannot run here',
    found: cause instanceof Error ? cause.message : String(cause),
    remedy:
      "Under a Content-Security-Policy, allow worker-src blob: and script-src 'wasm-unsafe-eval'. Or use wasmEngine() on this thread.",
    cause,
  });
