/** A page as a user would write it: backends of tfjs, their files where the bundler puts them, and the library. */
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { type BackendName, useBackend } from 'tfjs-laplace/plugins/backends';
import { type Analysis, analysis } from '../analysis.js';
import { type KeptAnswers, keptAnswers } from '../kept.js';
import { lostContext, streams } from '../lostContext.js';
import { outcome } from '../outcome.js';

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
});

/** What the test asks of the page. */
const page = {
  /** Starts a backend, with flags of tfjs. */
  use: async (backend: string, flags: Readonly<Record<string, boolean>>): Promise<void> => {
    for (const [flag, value] of Object.entries(flags)) tf.env().set(flag, value);
    if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} does not start`);
    await tf.ready();
  },
  analysis: (): Promise<Analysis> => analysis(),
  refusal: (): Promise<string> => outcome(analysis()),
  refusedBackend: (prefer: BackendName): Promise<string> => outcome(useBackend({ prefer })),
  kept: (server: string): Promise<KeptAnswers> => keptAnswers(server),
  streams,
  lostContext,
};

export type Page = typeof page;

Object.assign(globalThis, { page });
