/** The Gaussian prior N(0, τ⁻¹ I): which τ belongs to which layer. */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Prior } from './codec.js';

/** τ of a layer; `covered` are all layers that need one. Fails on τ <= 0, on a missing layer and on an unknown one. */
export function precisionOf(prior: Prior, layer: string, covered: ReadonlyArray<string>): E.Either<LaplaceError, number> {
  if (prior._tag === 'isotropic') return positive(prior.precision, layer);
  const unknown = Object.keys(prior.precisions).find((name) => !covered.includes(name));
  const precision = prior.precisions[layer];
  if (unknown === undefined && precision !== undefined) return positive(precision, layer);
  return E.left(
    laplaceError('InvalidOption', {
      what: unknown === undefined ? `Layer '${layer}' has no prior precision` : `The prior names a layer that is not covered`,
      layer,
      field: 'prior.precisions',
      found: Object.keys(prior.precisions).join(', ') || 'no layer',
      expected: `one number for each of: ${covered.join(', ')}`,
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
