/**
 * Chooses the prior precision τ by the NLL of the linearised predictive on held-out images. For each τ the held-out images are
 * predicted anew, but the factors are not decomposed anew.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { isotropic, type OnProgress, orThrow, type Posterior, withPrior } from 'tfjs-laplace';
import type { Digits } from './digits.js';
import { networkPredictions, type Predictions, posteriorPredictions } from './predictions.js';
import { mnistRecipe } from './recipe.js';
import { type Scores, scoresOf } from './scores.js';

/** A prior precision, its posterior, and the scores on the held-out images. */
export interface Candidate {
  readonly precision: number;
  readonly posterior: Posterior;
  readonly scores: Scores;
}

/** The scores of the MAP and of all candidates on the held-out images, and the choice. */
export interface Choice {
  readonly map: Scores;
  readonly candidates: ReadonlyArray<Candidate>;
  /** The candidate with the least NLL. */
  readonly best: Candidate;
  /** Whether the NLL of the best candidate is less than the MAP's. */
  readonly beatsMap: boolean;
}

/**
 * Predicts the held-out images at every prior precision and chooses the best.
 *
 * @param posterior a posterior at any prior precision
 * @param precisions the candidates τ
 */
export async function choosePrecision(
  model: LayersModel,
  posterior: Posterior,
  precisions: ReadonlyArray<number>,
  heldOut: Digits,
  onProgress: OnProgress,
): Promise<Choice> {
  const map = scoresOf(await networkPredictions(model, heldOut), heldOut);
  const candidates: Candidate[] = [];
  for (const [i, precision] of precisions.entries()) {
    const own = under(posterior, precision);
    const predictions: Predictions = await posteriorPredictions(model, own, mnistRecipe.predictive, heldOut, (event) => {
      const total = event.total ?? event.done;
      onProgress({ ...event, done: i * total + event.done, total: precisions.length * total, detail: `τ = ${precision}` });
    });
    candidates.push({ precision, posterior: own, scores: scoresOf(predictions, heldOut) });
  }
  return chooseFrom(map, candidates);
}

/** Chooses the candidate with the least NLL, or the first of several. */
export function chooseFrom(map: Scores, candidates: ReadonlyArray<Candidate>): Choice {
  const best = candidates.reduce((a, b) => (b.scores.nll < a.scores.nll ? b : a));
  return { map, candidates, best, beatsMap: best.scores.nll < map.nll };
}

/** The same posterior under another prior precision. */
export const under = (posterior: Posterior, precision: number): Posterior => orThrow(withPrior(posterior, isotropic(precision)));
