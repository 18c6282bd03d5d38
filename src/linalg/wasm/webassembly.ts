/**
 * The types of WebAssembly that are used here. The library is typed without the browser's types, and it runs where WebAssembly
 * may be missing.
 */

/** A compiled module. Can be posted to workers. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string;
}

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The exports of a module: its memory and its functions. */
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

/** The global `WebAssembly`, looked up anew each time. Undefined where there is none. */
export const webAssembly = (): WasmApi | undefined => (globalThis as { WebAssembly?: WasmApi }).WebAssembly;
