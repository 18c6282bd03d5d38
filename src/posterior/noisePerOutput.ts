/**
 * A posterior under noise variances that change for each output on its own. With κ_c = σ_c² / σ_c,0², the squared errors S_c = Σ (f_c −
 * y_c)² / σ_c,0² of N_c labels, and the share H_c of output c in the curvature,
 *
 *   log p(D | θ*, σ) = −½ Σ_c [ S_c / κ_c + N_c log(2π κ_c σ_c,0²) ],     curvature(σ) = Σ_c H_c / κ_c
 *
 * Other ratios between the variances turn the directions of the output side, so that it is decomposed again. The input side stays.
 */
import { either as E, function as F, readonlyArray as RA } from 'fp-ts';
import type { ErrorParts, LaplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import { varianceAt, withVariance } from '../likelihood/noiseVariance.js';
import { javascriptEngine } from '../linalg/javascript.js';
import { plus, times } from '../linalg/matrix.js';
import type { Matrix } from '../types.js';
import { logNoise, type Noise } from './noise.js';
import type { Posterior, PosteriorLayer } from './posterior.js';
import { posteriorStructure } from './structure/index.js';
import type { OutputSide } from './structure/structure.js';

/** A posterior that knows what each output adds. */
export type Shared = Posterior & { readonly squares: ReadonlyArray<number> };

/** Whether each noise variance can change on its own. */
export const hasShares = (posterior: Posterior): posterior is Shared => posterior.squares !== undefined;

/** What is missing in a posterior that does not know what each output adds. `asked` is what was asked for. */
export const noShares = ({ estimator }: Posterior, field: string, asked: string, instead: string): ErrorParts => ({
  what: 'The posterior does not know what each output adds to its curvature',
  field,
  found: `${asked} for ${estimator._tag} without shares of outputs`,
  expected: "a curvature with noise: 'perOutput', such as kfac({ noise: 'perOutput' })",
  remedy: `Observe the data again with such a curvature, or ${instead}, which keeps the ratios of the variances.`,
});

/** The posterior under the noise variances κ_c σ_c². `InvalidInput` for shares that are no second moments. */
export function underNoises(posterior: Shared, noise: Noise, kappas: ReadonlyArray<number>): E.Either<LaplaceError, Posterior> {
  const variance = kappas.map((kappa, c) => kappa * varianceAt(noise.variance, c));
  const squares = posterior.squares.map((own, c) => own / (kappas[c] as number));
  return F.pipe(
    posterior.layers,
    RA.traverse(E.Applicative)((layer) => layerUnder(layer, kappas)),
    E.map((layers) =>
      Object.freeze({
        ...posterior,
        layers: Object.freeze(layers),
        likelihood: frozen(withVariance(posterior.likelihood, variance)),
        logLikelihood: -0.5 * (squares.reduce((a, b) => a + b, 0) + logNoise(posterior, variance)),
        squares: Object.freeze(squares),
      }),
    ),
  );
}

/**
 * The slope of the evidence in log σ_c² of each output, ½ (S_c − N_c + γ_c).
 *
 * @param labels those of all outputs
 */
export function slopesPerOutput(posterior: Shared, labels: number): ReadonlyArray<number> {
  const counts = countsPerOutput(posterior);
  const { squares } = posterior;
  return squares.map((own, c) => 0.5 * (own - labels / squares.length + (counts[c] as number)));
}

/** γ_c = −∂R / ∂ log σ_c² of each output, over all layers: how many parameters its labels determine. */
const countsPerOutput = (posterior: Shared): ReadonlyArray<number> =>
  posterior.squares.map((_, c) =>
    posterior.layers.reduce((sum, layer) => sum + sideOf(layer).count(layer, posterior, sharesOf(layer)[c] as Matrix), 0),
  );

function layerUnder(layer: PosteriorLayer, kappas: ReadonlyArray<number>): E.Either<LaplaceError, PosteriorLayer> {
  const shares = sharesOf(layer).map((own, c) => times(own, 1 / (kappas[c] as number)));
  const { asks, build } = sideOf(layer).plan(layer, shares.reduce(plus));
  return F.pipe(
    asks,
    RA.traverse(E.Applicative)(javascriptEngine.symmetricEigen),
    E.chain(build),
    E.map((parts) => frozen({ ...layer, parts, shares }) as PosteriorLayer),
  );
}

const sharesOf = ({ shares }: PosteriorLayer): ReadonlyArray<Matrix> => shares as ReadonlyArray<Matrix>;

/** Every structure that keeps shares has one. */
const sideOf = (layer: PosteriorLayer) => posteriorStructure(layer).outputSide as OutputSide<PosteriorLayer['parts']>;
