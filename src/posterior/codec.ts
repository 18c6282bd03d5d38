/** Priors as data. */
import { either as E } from 'fp-ts';
import * as t from 'io-ts';
import {
  type Codec,
  codec,
  defaulted,
  dictionary,
  type Flat,
  type InputOf,
  isRecord,
  make,
  positive,
  taggedUnion,
  variant,
} from '../codec/index.js';

const Precisions = dictionary('an object with a precision for each layer', positive);

const Isotropic = variant('isotropic', {
  /** τ > 0: every weight has the prior N(0, 1/τ). */
  precision: defaulted(positive, 1),
});
const PerLayer = variant('perLayer', {
  /** τ > 0 for every covered layer, by the layer's name. */
  precisions: Precisions,
});

const Priors = taggedUnion('a prior', Isotropic, PerLayer);

/** The Gaussian prior N(0, τ⁻¹ I) on the weights. */
export type Prior = Flat<t.TypeOf<typeof Priors>>;

/** The accepted input for a prior. A number stands for `isotropic`, and an object of numbers by layer for `perLayer`. */
export type PriorInput = Flat<InputOf<typeof Priors>> | number | Readonly<Record<string, number>>;

const EXPECTED = `${Priors.name}, a number, or an object with a number for each layer`;

/**
 * An object with one of these keys is a prior with its fields, perhaps without its tag. Otherwise its keys are names of layers.
 */
const isTagged = (value: object): boolean => ['_tag', 'precision', 'precisions'].some((key) => Object.hasOwn(value, key));

/** Decodes a prior. A bare number stands for `isotropic`, and an object of numbers by layer for `perLayer`. */
export const PriorCodec: Codec<Prior, PriorInput> = codec(EXPECTED, Priors.is, (value, context) => {
  if (typeof value === 'number') return E.map(isotropic)(positive.validate(value, context));
  if (isRecord(value) && !isTagged(value)) return E.map(perLayer)(Precisions.validate(value, context));
  return isRecord(value) || typeof value === 'string' ? Priors.validate(value, context) : t.failure(value, context, EXPECTED);
});

/**
 * One prior precision τ for all weights: N(0, τ⁻¹ I).
 *
 * @example
 * ```ts
 * import { isotropic } from 'tfjs-laplace';
 *
 * isotropic(100); // => { _tag: 'isotropic', precision: 100 }
 * ```
 */
export const isotropic = (precision = 1): Prior => make('isotropic', Isotropic, { precision });

/**
 * A prior precision τ for each layer, by the layers' names.
 *
 * @example
 * ```ts
 * import { perLayer } from 'tfjs-laplace';
 *
 * perLayer({ hidden: 10, logits: 1 }); // => { _tag: 'perLayer', precisions: { hidden: 10, logits: 1 } }
 * ```
 */
export const perLayer = (precisions: Readonly<Record<string, number>>): Prior => make('perLayer', PerLayer, { precisions });
