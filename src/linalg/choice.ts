/** Which engine does the linear algebra, as an option: an engine or the name of one. `select.ts` gets the engine. */
import { alternatives, type Codec, hasFields, literals, refined } from '../codec/index.js';
import { type AsyncLinalgEngine, ENGINES, type EngineName, type LinalgEngine } from './engine.js';

/** How to ask for an engine: give the engine or its name. Without either it is the fastest that runs here. */
export type EngineChoice = LinalgEngine | AsyncLinalgEngine | EngineName;

/** Decodes the name of an engine. */
export const EngineNameCodec: Codec<EngineName> = literals(...ENGINES);

const isEngine = (value: unknown): value is LinalgEngine | AsyncLinalgEngine =>
  hasFields('name', 'open')(value) || hasFields('name', 'symmetricEigen')(value);

/** Decodes the choice of an engine. Engines stay what they are. */
export const EngineChoiceCodec: Codec<EngineChoice> = refined(
  `${alternatives(ENGINES)}, or an engine`,
  (value): value is EngineChoice => EngineNameCodec.is(value) || isEngine(value),
);
