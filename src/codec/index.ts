/** Combinators for the codecs of the DSL. */
export {
  type AnyCodec,
  anyOf,
  type Codec,
  codec,
  defaulted,
  type InputOf,
  isArrayLike,
  isRecord,
  optional,
  refined,
} from './codec.js';
export { array, dictionary, numberRows } from './collections.js';
export { type DataOf, isData } from './data.js';
export { accepted, beside, decode, make, refused } from './decode.js';
export { schemaDocument } from './document.js';
export { type LayerSelection, LayerSelectionCodec } from './layers.js';
export { hasFields, instance, type Kind, ofKind, tagged } from './misplaced.js';
export { argument, type Choice, choiceOf, optionsOf } from './options.js';
export {
  anything,
  atLeastTwo,
  boolean,
  countOrInfinite,
  finite,
  fraction,
  func,
  literals,
  nonNegative,
  nonNegativeInteger,
  positive,
  positiveEven,
  positiveInteger,
  positiveOrInfinite,
  probability,
  seed,
  share,
  text,
} from './scalars.js';
export { annotated, choiceSchema, type JsonSchema, type SchemaObject } from './schema.js';
export { type FieldsInput, type Flat, struct } from './struct.js';
export { type Options, taggedUnion, variant } from './tagged.js';
export { alternatives } from './words.js';
