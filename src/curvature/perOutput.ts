/**
 * Estimators with `noise: 'perOutput'` keep what each output adds to the curvature: its share. With the noise variances σ_c² of a Gaussian
 * likelihood the output side of the curvature is Σ_c G_c / σ_c², so that other variances need the shares, but no data.
 *
 * The exact Fisher matrix sends one row back for each output. So its shares cost no more rows, and one more sum for each output.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { noiseVarianceOf } from '../likelihood/noiseVariance.js';
import type { Network } from '../network/network.js';
import { type Curvature, fisherOf } from './codec.js';

/** Whether the estimator keeps the share of each output. */
export const keepsShares = (curvature: Pick<Curvature, '_tag'>): boolean =>
  'noise' in curvature && curvature.noise === 'perOutput';

/**
 * The number of outputs whose shares are kept: those of a step, for a sequence. Undefined if the estimator keeps none. `InvalidOption` if
 * the likelihood or the Fisher matrix has none.
 */
export function sharesOf({ likelihood, heads }: Network, curvature: Curvature): E.Either<LaplaceError, number | undefined> {
  if (!keepsShares(curvature)) return E.right(undefined);
  const fisher = fisherOf(curvature)?._tag ?? curvature._tag;
  if (fisher !== 'exact')
    return E.left(refused('Fisher matrix', 'fisher', fisher, "'exact', which sends back one row for each output"));
  if (noiseVarianceOf(likelihood) === undefined) {
    const found = likelihood._tag === 'perStep' ? `perStep of ${likelihood.each._tag}` : likelihood._tag;
    return E.left(refused('likelihood', 'likelihood', found, 'gaussian, or perStep(gaussian(…)) in which all steps count'));
  }
  return E.right(heads[0]?.row.outputs);
}

const refused = (what: string, field: string, found: string, expected: string): LaplaceError =>
  laplaceError('InvalidOption', {
    what: `noise: 'perOutput' keeps the curvature of each output, which this ${what} does not give`,
    field,
    found,
    expected,
    remedy: "Leave out noise: 'perOutput'.",
  });
