/** Values as bytes, and back. */
export { decodeFactors, encodeFactors } from './factors.js';
export type { DecodeFactorsOptions, DecodeOptions, EncodeFactorsOptions, EncodeOptions } from './options.js';
export { decodePosterior, encodePosterior } from './posterior.js';
