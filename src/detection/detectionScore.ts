/** Scores of single inputs, to tell inputs that are unlike the training data. */
import { either as E, function as F } from 'fp-ts';
import { argument } from '../codec/index.js';
import { dual, ifArguments } from '../dual.js';
import type { LaplaceError } from '../errors.js';
import { type DetectionInputs, knownOf } from './inputs.js';
import { type DetectionScoreInput, ruleOf, Scores } from './scores.js';

/**
 * A score of each input. It is higher for inputs that are more unlike the training data, whatever its name says: 'maximumProbability' is
 * minus the highest probability. So the scores can go to `auroc`, `abstainForRisk` and `riskCoverage` as they are.
 *
 * | score | reads | is |
 * |---|---|---|
 * | `'entropy'`, `'expectedEntropy'`, `'mutualInformation'` | `prediction` | nats; all, the aleatoric and the epistemic part |
 * | `'maximumProbability'` | `prediction` | −max p (Hendrycks & Gimpel 2017) |
 * | `'maximumLogit'` | `outputs` | −max f (Hendrycks et al. 2022) |
 * | `'energy'` or `energy({ temperature })` | `outputs` | −T log Σ exp(f / T) (Liu et al. 2020) |
 * | `'outputVariance'` | `outputs` | Σ Var f, summed over outputs |
 * | `fitDetector(…, 'mahalanobis')`, `fitDetector(…, 'nearestNeighbours')` | `features` | Lee et al. 2018; Sun et al. 2022 |
 *
 * @param inputs what is known of B inputs, in the fields that the score reads; for a trained network alone
 *   `{ prediction: { _tag: 'classification', probabilities }, outputs: { mean: logits } }`.
 * @param score a tag, a value, or a fitted detector.
 * @returns [B]. `InvalidInput`, `NotFinite` or `Empty` for a field that is missing or broken.
 * @throws LaplaceError `InvalidOption` for another score.
 *
 * @example
 * ```ts
 * import { function as F } from 'fp-ts';
 * import { detectionScore, energy, orThrow } from 'tfjs-laplace';
 *
 * const outputs = { mean: [[2, 2], [5, -5]] };
 * orThrow(detectionScore({ outputs }, 'maximumLogit')); // => Float64Array.of(-2, -5)
 * const [score] = orThrow(F.pipe({ outputs }, detectionScore(energy({ temperature: 2 }))));
 * score; // => -3.3862…
 * ```
 */
export function detectionScore(score: DetectionScoreInput): (inputs: DetectionInputs) => E.Either<LaplaceError, Float64Array>;
export function detectionScore(inputs: DetectionInputs, score: DetectionScoreInput): E.Either<LaplaceError, Float64Array>;
export function detectionScore(...args: ReadonlyArray<unknown>): unknown {
  return dual(args, ifArguments(2), (given: DetectionScoreInput) => {
    const own = argument('detectionScore', 'score', Scores, given);
    return (inputs: DetectionInputs) =>
      F.pipe(
        knownOf('inputs', inputs),
        E.chain((known) => ruleOf(own).of(own, known)),
      );
  });
}
