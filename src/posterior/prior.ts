/** The Gaussian prior N(0, τ⁻¹ I): which τ belongs to which layer. */
import { either as E, readonlyArray as RA } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Prior } from './codec.js';

/**
 * The prior precision τ of each layer.
 *
 * @param layers the names of the layers that a posterior covers
 * @returns one τ for each layer, or `InvalidOption` if a τ is not a finite number > 0, or `perLayer` misses a layer or names an
 *   unknown one
 */
export function precisionsOf(prior: Prior, layers: ReadonlyArray<string>): E.Either<LaplaceError, ReadonlyArray<number>> {
  if (prior._tag === 'isotropic') return RA.traverse(E.Applicative)((layer: string) => positive(prior.precision, layer))(layers);
  const { precisions } = prior;
  const named = Object.keys(precisions);
  const unknown = named.find((name) => !layers.includes(name));
  const missing = layers.find((name) => !named.includes(name));
  if (unknown === undefined && missing === undefined) {
    return RA.traverse(E.Applicative)((layer: string) => positive(precisions[layer] as number, layer))(layers);
  }
  return E.left(
    laplaceError('InvalidOption', {
      what:
        missing === undefined
          ? `The prior names '${unknown}', which is not covered`
          : `Layer '${missing}' has no prior precision`,
      ...(missing === undefined ? {} : { layer: missing }),
      field: 'prior.precisions',
      found: named.join(', ') || 'no layer',
      expected: `one number for each of: ${layers.join(', ')}`,
    }),
  );
}

const positive = (precision: number, layer: string): E.Either<LaplaceError, number> =>
  precision > 0 && Number.isFinite(precision)
    ? E.right(precision)
    : E.left(
        laplaceError('InvalidOption', {
          what: `The prior precision of layer '${layer}' is out of range`,
          layer,
          field: 'priorPrecision',
          found: String(precision),
          expected: 'a finite number > 0',
        }),
      );
