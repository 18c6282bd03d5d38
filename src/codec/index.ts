/** Combinators for the codecs of the DSL. */
export { type AnyCodec, type Codec, codec, defaulted, type InputOf, isRecord } from './codec.js';
export { dictionary } from './collections.js';
export { decode, make } from './decode.js';
export { type LayerSelection, LayerSelectionCodec } from './layers.js';
export { boolean, fraction, func, literals, nonNegative, positive, positiveInteger, seed } from './scalars.js';
export { type Flat, struct } from './struct.js';
export { type Options, taggedUnion, variant } from './tagged.js';
