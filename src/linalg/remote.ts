/** The WebAssembly engine whose calls are carried out elsewhere, in workers for example. */
import { optionsOf } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import { createAsyncEngine, sessionClosed } from './create.js';
import type { AsyncLinalgEngine } from './engine.js';
import { asyncKernelsOf, type WasmCall, type WasmOptions, WasmOptionsCodec, type WasmReply } from './wasm/call.js';
import { prepareWasm } from './wasm/runtime.js';
import type { WasmModule } from './wasm/webassembly.js';

/** Carries out calls elsewhere, several at a time if it can. */
export interface WasmRunner {
  execute(call: WasmCall): Promise<WasmReply>;
  /** Rejects the calls that are under way, and releases everything. */
  close(): void;
}

/**
 * An engine whose sessions each have a runner of their own. `start` makes it from the compiled module, at the first call.
 *
 * @throws LaplaceError `InvalidOption` for another `float`.
 */
export function remoteEngine(start: (module: WasmModule) => WasmRunner, options: WasmOptions = {}): AsyncLinalgEngine {
  const own = optionsOf('remoteEngine', WasmOptionsCodec, options);
  return createAsyncEngine('wasm', () => {
    let runner: WasmRunner | undefined;
    let closed = false;
    const execute = async (call: WasmCall): Promise<WasmReply> => {
      const module = await prepareWasm();
      if (closed) throw sessionClosed();
      runner ??= start(orThrow(module));
      return runner.execute(call);
    };
    const close = (): void => {
      closed = true;
      runner?.close();
    };
    return { ...asyncKernelsOf(execute, own), close };
  });
}
