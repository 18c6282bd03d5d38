/**
 * Priors: the Gaussian N(0, τ⁻¹ I) on the weights of each covered layer, as data and as mathematics. A new prior needs a variant, a
 * rule and a constructor, all in this file, and an export in `src/index.ts`.
 */
import { either as E } from 'fp-ts';
import { defaulted, dictionary, type Flat, make, positive, taggedUnion, variant } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';

/** Decodes the precisions of `perLayer`. */
export const Precisions = dictionary('an object with a precision for each layer', positive);

const Isotropic = variant('isotropic', {
  /** τ > 0: every weight has the prior N(0, 1/τ). */
  precision: defaulted(positive, 1),
});
const PerLayer = variant('perLayer', {
  /** τ > 0 for every covered layer, by the layer's name. */
  precisions: Precisions,
});

/** Decodes a prior without shorthand. */
export const Priors = taggedUnion('a prior', Isotropic, PerLayer);

/** The Gaussian prior N(0, τ⁻¹ I) on the weights. */
export type Prior = Flat<(typeof Priors)['_A']>;

/**
 * The rule of one prior: τ of each layer, given the names of the layers that a posterior covers. `InvalidOption` if the prior does not
 * fit these layers.
 */
type PriorRule<P> = (prior: P, layers: ReadonlyArray<string>) => E.Either<LaplaceError, ReadonlyArray<number>>;

const RULES: { readonly [T in Prior['_tag']]: PriorRule<Extract<Prior, { readonly _tag: T }>> } = {
  isotropic: ({ precision }, layers) => E.right(layers.map(() => precision)),
  perLayer: ({ precisions }, layers) => {
    const named = Object.keys(precisions);
    const unknown = named.find((name) => !layers.includes(name));
    const missing = layers.find((name) => !named.includes(name));
    return unknown === undefined && missing === undefined
      ? E.right(layers.map((layer) => precisions[layer] as number))
      : E.left(otherLayers(named, layers, unknown, missing));
  },
};

/** τ of each of the layers, or `InvalidOption` if the prior does not fit them. */
export const precisionsOf: PriorRule<Prior> = (prior, layers) => (RULES[prior._tag] as PriorRule<Prior>)(prior, layers);

/**
 * One prior precision τ for all weights: N(0, τ⁻¹ I).
 *
 * @throws LaplaceError `InvalidOption` if τ is not a finite number > 0.
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
 * @throws LaplaceError `InvalidOption` if a τ is not a finite number > 0, or if there is none.
 *
 * @example
 * ```ts
 * import { perLayer } from 'tfjs-laplace';
 *
 * perLayer({ hidden: 10, logits: 1 }); // => { _tag: 'perLayer', precisions: { hidden: 10, logits: 1 } }
 * ```
 */
export const perLayer = (precisions: Readonly<Record<string, number>>): Prior => make('perLayer', PerLayer, { precisions });

const otherLayers = (
  named: ReadonlyArray<string>,
  layers: ReadonlyArray<string>,
  unknown: string | undefined,
  missing: string | undefined,
): LaplaceError =>
  laplaceError('InvalidOption', {
    what:
      missing === undefined ? `The prior names '${unknown}', which is not covered` : `Layer '${missing}' has no prior precision`,
    ...(missing === undefined ? {} : { layer: missing }),
    field: 'prior.precisions',
    found: named.join(', '),
    expected: `one number for each of: ${layers.join(', ')}`,
  });
