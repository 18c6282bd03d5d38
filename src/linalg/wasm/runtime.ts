/** The WebAssembly module. This file finds out whether it can run here, compiles it once, and calls it. */
import { either as E, function as F, type taskEither as TE } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../../errors.js';
import { KEPT_BYTES } from '../../limits.js';
import type { WasmCall, WasmReply } from './call.js';
import { BYTES } from './module.js';
import { type WasmApi, type WasmExports, type WasmModule, webAssembly } from './webassembly.js';

/** The compiled module. It is compiled once, on this thread or off it. */
let compiled: WasmModule | undefined;

/**
 * The module's imports. Nothing needs to happen when its memory grows, because the memory is viewed anew after each call. The
 * module has no `main`, so it exits only if it gives up.
 */
const IMPORTS = {
  env: { emscripten_notify_memory_growth: () => {} },
  wasi_snapshot_preview1: {
    proc_exit: (code: number) => {
      throw new Error(`the module gave up with code ${code}`);
    },
  },
};

/** The module, compiled on this thread unless it has been compiled before. `Backend` where it cannot run. */
export const wasmModule = (): E.Either<LaplaceError, WasmModule> =>
  compiled === undefined
    ? F.pipe(
        runnable(),
        E.chain(({ api, bytes }) => E.tryCatch(() => new api.Module(bytes), refused)),
        E.map(keep),
      )
    : E.right(compiled);

/** The module, compiled off this thread unless it has been compiled before. `Backend` where it cannot run. */
export const prepareWasm: TE.TaskEither<LaplaceError, WasmModule> = async () => {
  if (compiled !== undefined) return E.right(compiled);
  const found = runnable();
  if (E.isLeft(found)) return found;
  const { api, bytes } = found.right;
  return api.compile(bytes).then(
    (module) => E.right(keep(module)),
    (cause) => E.left(refused(cause)),
  );
};

/** Makes a function that carries out calls on this thread. */
export function executor(module: WasmModule): (call: WasmCall) => WasmReply {
  let kept: WasmExports | undefined;
  return (call) => {
    const { Instance } = webAssembly() as WasmApi;
    const exports = kept ?? new Instance(module, IMPORTS).exports;
    // An instance that fails half-way is not used again.
    kept = undefined;
    const reply = perform(exports, call);
    if (exports.memory.buffer.byteLength <= KEPT_BYTES) kept = exports;
    return reply;
  };
}

function perform(exports: WasmExports, { name, sizes, region }: WasmCall): WasmReply {
  const { malloc, free, [name]: run, memory } = exports as WasmExports & Record<string, (...args: number[]) => number>;
  // An address above 2 GiB arrives as a negative number.
  const address = (malloc as (bytes: number) => number)(region.byteLength) >>> 0;
  if (address === 0) throw new Error(`no memory for ${region.byteLength} bytes`);
  // Memory that has grown is another buffer, so each view is made anew.
  const View = region.constructor as Float64ArrayConstructor;
  new View(memory.buffer, address, region.length).set(region);
  const status = (run as (...args: number[]) => number)(address, ...sizes);
  region.set(new View(memory.buffer, address, region.length));
  (free as (address: number) => number)(address);
  return { status, region };
}

function keep(module: WasmModule): WasmModule {
  compiled = module;
  return module;
}

/** WebAssembly and the module's bytes, where WebAssembly has SIMD. */
function runnable(): E.Either<LaplaceError, { readonly api: WasmApi; readonly bytes: Uint8Array }> {
  const api = webAssembly();
  if (api === undefined) return E.left(unavailable('no WebAssembly'));
  const bytes = Uint8Array.from(atob(BYTES), (c) => c.charCodeAt(0));
  return api.validate(bytes) ? E.right({ api, bytes }) : E.left(unavailable('WebAssembly without SIMD'));
}

const unavailable = (found: string): LaplaceError =>
  laplaceError('Backend', {
    what: "The engine 'wasm' cannot run here",
    found,
    expected: 'WebAssembly with SIMD: Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or later',
    remedy: "Name the engine 'javascript', which runs everywhere, or name none.",
  });

/** The error where a policy forbids compilation, or a browser compiles large modules only asynchronously (Chrome before 114). */
const refused = (cause: unknown): LaplaceError =>
  laplaceError('Backend', {
    what: "The engine 'wasm' may not be compiled here",
    found: (cause instanceof Error ? cause.message : String(cause)).replace(/\.+$/, ''),
    remedy:
      "Await prepareWasm() first, which older browsers need. Under a Content-Security-Policy allow 'wasm-unsafe-eval'. Or name the engine 'javascript'.",
    cause,
  });
