/**
 * The ratios between the noise variances of several outputs, which `tune` finds in rounds. A round chooses everything else with the ratios
 * as they are. Then the noise of each output is fitted to its own held-out labels, with the uncertainty of the outputs as it was found, and
 * the curvature is weighed anew. The rounds end where the two agree.
 */
import { either as E } from 'fp-ts';
import { type NoiseVariance, noiseVarianceOf, varianceAt } from '../likelihood/noiseVariance.js';
import { orThrow } from '../orThrow.js';
import { POSTERIOR } from '../posterior/kind.js';
import { maximiseEvidence } from '../posterior/maximiseEvidence.js';
import { hasShares } from '../posterior/noisePerOutput.js';
import type { Posterior } from '../posterior/posterior.js';
import { withNoiseVariance } from '../posterior/withNoiseVariance.js';
import type { TuningChoices } from '../tuning/codec.js';
import type { HeldOut } from '../tuning/held.js';
import { noiseFactors } from '../tuning/noises.js';
import { momentsOf } from '../tuning/numeric.js';
import type { Examples } from './heldOut.js';
import type { Tuning } from './tuning.js';
import type { Task } from './tuningTask.js';

/** Ratios that change by less than a hundredth are settled: a thousand labels tell a variance to a twentieth. */
const SETTLED = 0.01;

/** More rounds are not made. Each but the first changes the ratios by a fraction of the round before. */
export const MOST_ROUNDS = 10;

/** The posterior to begin with: with the ratios of the highest evidence, if each output has a noise variance of its own to choose. */
export function withFirstRatios(given: Posterior, { over = [] }: TuningChoices): Posterior {
  if (!over.includes('noiseVariances') || !POSTERIOR.is(given) || !hasShares(given)) return given;
  const per = over.includes('layerPrecisions') ? 'layer' : 'all';
  const found = maximiseEvidence(given, { per, noise: 'perOutput' });
  return E.isLeft(found) ? given : withRatios(given, found.right.noiseVariance as NoiseVariance);
}

/**
 * The posterior with the ratios that suit the held-out labels under what a round has found. Undefined if they are settled, or if they are
 * not chosen on held-out data.
 */
export async function withNextRatios(
  { given, predictive, criterion, rule, isPerOutput }: Task,
  examples: Examples,
  found: Tuning,
): Promise<Posterior | undefined> {
  if (!isPerOutput || rule === 'evidence') return undefined;
  const { temperature } = predictive;
  const [own] = examples.outputs as readonly [HeldOut];
  for await (const [uncertainty] of examples.under([{ posterior: found.posterior, spread: temperature }])) {
    if (uncertainty === undefined) continue;
    const logs = noiseFactors(own.truth, momentsOf(own, uncertainty, temperature), criterion).map(Math.log);
    const present = noisesOf(given, logs.length);
    // The noises are those of the round's own posterior, of which the found one has a multiple.
    if (Math.max(...logs) - Math.min(...logs) <= SETTLED) return undefined;
    return withRatios(
      given,
      present.map((v, c) => v * Math.exp(logs[c] as number)),
    );
  }
  return undefined;
}

/** The posterior with these ratios. The geometric mean of its noise variances stays, and with it what its precisions stand for. */
function withRatios(given: Posterior, wanted: NoiseVariance): Posterior {
  const C = typeof wanted === 'number' ? 1 : wanted.length;
  const logs = (variance: ReadonlyArray<number>): number => variance.reduce((sum, v) => sum + Math.log(v), 0) / C;
  const [own, other] = [noisesOf(given, C), Array.from({ length: C }, (_, c) => varianceAt(wanted, c))];
  const factor = Math.exp(logs(own) - logs(other));
  return orThrow(
    withNoiseVariance(
      given,
      other.map((v) => v * factor),
    ),
  );
}

const noisesOf = ({ likelihood }: Posterior, C: number): ReadonlyArray<number> => {
  const variance = noiseVarianceOf(likelihood) as NoiseVariance;
  return Array.from({ length: C }, (_, c) => varianceAt(variance, c));
};
