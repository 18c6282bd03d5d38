/** Symmetric eigendecomposition and small matrix algebra. */
export { createEngine, type Decompose, type LinalgEngine, type SymmetricEigen } from './engine.js';
export { javascriptEngine } from './javascript.js';
export { identity, matrix, multiply, symmetricPart, transpose } from './matrix.js';
export { defaultEngine, engineNamed } from './select.js';
export { tensorflowEngine } from './tensorflow.js';
