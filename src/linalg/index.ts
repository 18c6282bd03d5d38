/** Symmetric eigendecomposition, Cholesky and small matrix algebra. */
export { createEngine } from './create.js';
export { type AsyncLinalgEngine, ENGINES, type EngineName, type LinalgEngine, type SymmetricEigen } from './engine.js';
export { javascriptEngine } from './javascript.js';
export { identity, matrix, multiply, symmetricPart, transpose } from './matrix.js';
export type { Kernels } from './operations.js';
export { remoteEngine, type WasmRunner } from './remote.js';
export { chosenEngine, defaultEngine, engineNamed } from './select.js';
export { tensorflowEngine } from './tensorflow.js';
export { prepareWasm } from './wasm/runtime.js';
export { wasmEngine } from './wasm.js';
