/** Decodes priors, with shorthand for those that only have numbers. */
import { either as E } from 'fp-ts';
import * as t from 'io-ts';
import { annotated, type Codec, choiceSchema, codec, type Flat, type InputOf, isRecord, positive } from '../codec/index.js';
import { isotropic, Precisions, type Prior, Priors, perLayer } from './priors.js';

/** The accepted input for a prior. A number stands for `isotropic`, and an object of numbers by layer for `perLayer`. */
export type PriorInput = Flat<InputOf<typeof Priors>> | number | Readonly<Record<string, number>>;

const EXPECTED = `${Priors.name}, a number, or an object with a number for each layer`;

/**
 * An object with a tag or with a field of a prior is a prior, perhaps without its tag. Otherwise its keys are names of layers.
 */
const KEYS = ['_tag', ...Priors.fields];
const isTagged = (value: object): boolean => KEYS.some((key) => Object.hasOwn(value, key));
const NO_LAYERS = Object.fromEntries(KEYS.map((key) => [key, false as const]));

/** Decodes a prior. A bare number stands for `isotropic`, and an object of numbers by layer for `perLayer`. */
export const PriorCodec: Codec<Prior, PriorInput> = codec(
  EXPECTED,
  Priors.is,
  (value, context) => {
    if (typeof value === 'number') return E.map(isotropic)(positive.validate(value, context));
    if (isRecord(value) && !isTagged(value)) return E.map(perLayer)(Precisions.validate(value, context));
    return isRecord(value) || typeof value === 'string' ? Priors.validate(value, context) : t.failure(value, context, EXPECTED);
  },
  {
    schema: (of) =>
      choiceSchema({ description: EXPECTED }, [of(positive), of(Priors), annotated(of(Precisions), { properties: NO_LAYERS })]),
  },
);
