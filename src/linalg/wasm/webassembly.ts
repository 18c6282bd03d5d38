/**
 * WebAssembly as far as it is used here: the library is typed without the browser's types, and runs where WebAssembly may be
 * missing.
 */

/** A compiled module. Can be posted to workers. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** What a module exports, its memory and functions. */
export interface WasmExports {
  readonly memory: Memory;
  readonly [name: string]: unknown;
}

/** The global `WebAssembly`. */
export interface WasmApi {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: WasmExports };
}

/** Undefined where there is none. Asked anew each time. */
export const webAssembly = (): WasmApi | undefined => (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
