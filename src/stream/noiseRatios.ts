/**
 * The ratios between the noise variances of several outputs, which `tune` finds in rounds. A round chooses everything else with the ratios
 * as they are. Then the total variance of each output is fitted to its own held-out labels by a factor, by which its noise is changed, and
 * the curvature is weighed anew. The rounds end where all factors are the same. Of all rounds the one with the least criterion counts.
 */
import { either as E } from 'fp-ts';
import { type NoiseVariance, noiseVarianceOf, varianceAt, variancesOf } from '../likelihood/noiseVariance.js';
import { orThrow } from '../orThrow.js';
import { maximiseEvidence } from '../posterior/maximiseEvidence.js';
import { hasShares } from '../posterior/noisePerOutput.js';
import type { Posterior } from '../posterior/posterior.js';
import { isotropic, perLayer } from '../posterior/priors.js';
import { withNoiseVariance } from '../posterior/withNoiseVariance.js';
import { withPrior } from '../posterior/withPrior.js';
import type { TuningChoices } from '../tuning/codec.js';
import type { HeldOut } from '../tuning/held.js';
import { varianceFactors } from '../tuning/noises.js';
import { momentsOf } from '../tuning/numeric.js';
import type { Examples } from './heldOut.js';
import type { Tried, Tuning } from './tuning.js';
import type { Task } from './tuningTask.js';

/** Ratios that change by less than a hundredth are settled: a thousand labels tell a variance to a twentieth. */
const SETTLED = 0.01;

/** More rounds are not made. Most often three or four are enough. */
export const MOST_ROUNDS = 10;

/** The posterior to begin with: with the ratios of the highest evidence, if each output has a noise variance of its own to choose. */
export function withFirstRatios(given: Posterior, { over = [] }: TuningChoices): Posterior {
  if (!over.includes('noiseVariances') || !hasShares(given)) return given;
  const per = over.includes('layerPrecisions') ? 'layer' : 'all';
  const found = maximiseEvidence(given, { per, noise: 'perOutput' });
  return E.isLeft(found) ? given : withRatios(given, found.right.noiseVariance as NoiseVariance);
}

/**
 * The posterior with the ratios that suit the held-out labels under what a round has found. Undefined if they are settled, or if they are
 * not chosen on held-out data.
 */
export async function withNextRatios(task: Task, examples: Examples, { choices }: Tuning): Promise<Posterior | undefined> {
  const { given, criterion, rule, perOutput } = task;
  if (perOutput === undefined || rule === 'evidence') return undefined;
  const [own] = examples.outputs as readonly [HeldOut];
  const { temperature, noiseVariance } = choices[rule];
  const chosen = posteriorOfChoice(given, choices[rule]);
  for await (const [uncertainty] of examples.under([{ posterior: chosen, spread: temperature }])) {
    if (uncertainty === undefined) continue;
    const moments = momentsOf(own, uncertainty, temperature);
    const C = own.head.row.outputs;
    // The moments have the noise of the round's posterior, of which the chosen one has a multiple.
    const n = varianceAt(noiseVariance as NoiseVariance, 0) / (noisesOf(given, C)[0] as number);
    const factors = varianceFactors(own.truth, moments, n, criterion);
    if (Math.max(...factors) / Math.min(...factors) <= 1 + SETTLED) return undefined;
    return withRatios(
      given,
      noisesOf(given, C).map((v, c) => v * (factors[c] as number)),
    );
  }
  return undefined;
}

/** The posterior under the prior and the noise of a candidate. */
const posteriorOfChoice = (given: Posterior, { precision, precisions, noiseVariance }: Tried): Posterior => {
  const prior = precisions === undefined ? isotropic(precision) : perLayer(precisions);
  return orThrow(withNoiseVariance(orThrow(withPrior(given, prior)), noiseVariance as NoiseVariance));
};

/** The posterior with these ratios. The geometric mean of its noise variances stays, and with it what its precisions stand for. */
function withRatios(given: Posterior, wanted: NoiseVariance): Posterior {
  const C = typeof wanted === 'number' ? 1 : wanted.length;
  const logs = (variance: ReadonlyArray<number>): number => variance.reduce((sum, v) => sum + Math.log(v), 0) / C;
  const [own, other] = [noisesOf(given, C), variancesOf(wanted, C)];
  const factor = Math.exp(logs(own) - logs(other));
  return orThrow(
    withNoiseVariance(
      given,
      other.map((v) => v * factor),
    ),
  );
}

const noisesOf = ({ likelihood }: Posterior, C: number): ReadonlyArray<number> =>
  variancesOf(noiseVarianceOf(likelihood) as NoiseVariance, C);
