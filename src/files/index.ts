/** Values as bytes, and back. */
export { encodeFactors, type FactorsFacts, type FactorsLayer, piecesOfFactors } from './factors.js';
export { decodeFactors } from './factorsOfFile.js';
export type { Layered } from './layers.js';
export { type OpenedFactors, openFactors } from './openFactors.js';
export type {
  DecodeFactorsOptions,
  DecodeOptions,
  EncodeFactorsOptions,
  EncodeOptions,
  OpenFactorsOptions,
  OpenOptions,
} from './options.js';
export type { Pieces } from './pieces.js';
export { encodePosterior, piecesOfPosterior } from './posterior.js';
export { decodePosterior, type OpenedPosterior, openPosterior, type PosteriorLayerFacts } from './posteriorOfFile.js';
export type { ByteReader } from './reader.js';
