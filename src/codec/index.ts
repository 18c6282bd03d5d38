/** Combinators for the codecs of the DSL. */
export { type AnyCodec, anyOf, type Codec, codec, defaulted, type InputOf, isRecord, optional, refined } from './codec.js';
export { array, dictionary } from './collections.js';
export { type DataOf, isData } from './data.js';
export { accepted, decode, make } from './decode.js';
export { type LayerSelection, LayerSelectionCodec } from './layers.js';
export {
  boolean,
  finite,
  fraction,
  func,
  literals,
  nonNegative,
  positive,
  positiveEven,
  positiveInteger,
  seed,
  text,
} from './scalars.js';
export { type FieldsInput, type Flat, struct } from './struct.js';
export { type Options, taggedUnion, variant } from './tagged.js';
