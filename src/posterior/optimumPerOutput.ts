/**
 * The noise variance of each output with the highest evidence, each prior precision being the best one for them. With κ_c, S_c and N_c of
 * `noisePerOutput.ts`, and γ_c the parameters that the labels of output c determine, the slope of the evidence in log κ_c is
 *
 *   ½ (S_c / κ_c − N_c + γ_c)
 *
 * so that at the maximum σ_c² (N_c − γ_c) = Σ (f_c − y_c)² (MacKay 1992, for each output). The evidence is concave in all logarithms: the
 * log determinant of a sum of matrices e^x_c M_c is convex in x. So the only place without a slope is the maximum.
 */
import { either as E } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { minimise } from '../linalg/lbfgs.js';
import { attempted, orThrow } from '../orThrow.js';
import { type EvidenceMaximum, maximumOf, type Per } from './evidenceMaximum.js';
import type { Noise } from './noise.js';
import { hasShares, type Shared, slopesPerOutput, underNoises } from './noisePerOutput.js';
import { noResiduals } from './optimum.js';

/** The slope that counts as 0, for each label. It moves log σ² by as much: the γ of float32 sums is not better known. */
const FLAT = 1e-9;

/** No logarithm is tried that is further from the start than this. */
const FAR = 50;

/** The maximum of the evidence over τ and the noise variance of each output. */
export function bestPerOutput(posterior: Shared, per: Per, noise: Noise): E.Either<LaplaceError, EvidenceMaximum> {
  const { squares } = posterior;
  if (!squares.every((own) => own > 0)) return E.left(noResiduals());
  const labels = noise.labels / squares.length;
  let iterations = 0;
  const at = (u: Float64Array): EvidenceMaximum & { readonly posterior: Shared } => {
    const found = orThrow(maximumOf(orThrow(underNoises(posterior, noise, Array.from(u, Math.exp))), per));
    iterations += found.iterations;
    if (!hasShares(found.posterior)) throw new Error('a posterior keeps its shares');
    return { ...found, posterior: found.posterior };
  };
  // With this factor the curvature is near 1, so that the first step is a good one.
  const factor = 2 / labels;
  // The variances of maximum likelihood.
  const start = Float64Array.from(squares, (own) => Math.log(own / labels));
  const evaluate = (u: Float64Array) => {
    // A first step may be far too long. No noise that the evidence prefers is e^50 times that of maximum likelihood.
    if (u.some((log, c) => Math.abs(log - (start[c] as number)) > FAR)) {
      return { value: Number.POSITIVE_INFINITY, gradient: u.map(() => 0) };
    }
    const { posterior: own, evidence } = at(u);
    const slopes = slopesPerOutput(own, noise.labels);
    return {
      value: -factor * evidence.logMarginalLikelihood,
      gradient: Float64Array.from(slopes, (slope) => -factor * slope),
    };
  };
  return attempted(() => {
    const best = at(minimise(evaluate, start, FLAT));
    return Object.freeze({ ...best, iterations });
  });
}
