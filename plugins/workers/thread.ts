/** A worker of the platform at hand, Node's or the browser's, as one thing: it is posted to, answers or fails, and can be ended. */
import type { LaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { SOURCE } from './source.js';

/** What a worker tells. */
export interface Listener {
  readonly answer: (data: unknown) => void;
  /** It broke, could not begin, or ended by itself. */
  readonly failure: (error: unknown) => void;
}

/** A running worker. */
export interface Thread {
  readonly post: (data: unknown, transfer: ReadonlyArray<ArrayBufferLike>) => void;
  readonly end: () => void;
}

/** Starts a worker. Rejects with `Backend` where there are none. */
export type StartThread = (listener: Listener) => Promise<Thread>;

/** Bundlers for browsers follow names that are written in an import: Node's must not be followed. */
const NODE = ['node', 'worker_threads'].join(':');

const isNode = (): boolean => typeof process !== 'undefined' && process.versions?.node !== undefined;

/** A worker of Node's where this is Node, else of the browser's. */
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

/** The browser's, as far as it is used. */
interface WebWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(data: unknown, transfer: ReadonlyArray<ArrayBufferLike>): void;
  terminate(): void;
}

async function webThread({ answer, failure }: Listener): Promise<Thread> {
  const { Worker } = globalThis as unknown as { Worker?: new (url: string) => WebWorker };
  if (Worker === undefined) throw unavailable(new Error('there is no Worker'));
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
  try {
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => answer(data);
    // A policy that forbids the worker is told as an error without a message.
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
      "Under a Content-Security-Policy, allow worker-src blob: and script-src 'wasm-unsafe-eval'. Or use wasmEngine(), on this thread.",
    cause,
  });
