/** Checks what `tune` is asked to do against the model and the posterior. */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { noiseVarianceOf } from '../likelihood/noiseVariance.js';
import type { Network } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import { noiseOf } from '../posterior/noise.js';
import { hasShares, noShares } from '../posterior/noisePerOutput.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from '../predictive/codec.js';
import { checkClosed, checkLink } from '../predictive/linearised/linearisedPredictor.js';
import { formOf } from '../predictive/report/report.js';
import { checkSamples } from '../predictive/report/samples.js';
import type { Dimension, TuningChoices } from '../tuning/codec.js';
import { suits } from '../tuning/criterion.js';
import { FREE, type FreeName } from '../tuning/free.js';
import type { Task } from './tuningTask.js';

/**
 * What is to be done for a network. Throws `InvalidOption` for what does not suit it.
 *
 * @param original the posterior that was given to `tune`
 */
export function taskOf(
  network: Network,
  given: Posterior,
  tuning: TuningChoices,
  predictive: Predictive,
  original: Posterior,
): Task {
  const { heads } = network;
  if (predictive._tag === 'linearised') checkLink(heads, predictive);
  else checkSamples(network, predictive);
  checkClosed(heads, 'tune');
  const { criterion, precisions } = tuning;
  const foreign = heads.find(({ row }) => !suits(criterion, row.ops.predicts));
  if (foreign !== undefined) throw notSuited('criterion', String(criterion), foreign.row.ops.name);
  const hasClasses = heads.some((head) => formOf(head)._tag === 'classification');
  const noise = noiseOf('tune', given);
  const over = new Set<Dimension>(
    tuning.over ?? [
      'precision',
      ...(hasClasses ? ['scale' as const] : []),
      ...(E.isRight(noise) ? ['noiseVariance' as const] : []),
    ],
  );
  if (over.has('scale') && !hasClasses) throw notSuited('over', "'scale'", heads[0]?.row.ops.name as string);
  const isPerOutput = over.has('noiseVariances');
  if (over.has('noiseVariance') || isPerOutput) orThrow(noise);
  if (isPerOutput && over.has('noiseVariance')) throw bothNoises();
  if (isPerOutput && !hasShares(given))
    throw laplaceError('InvalidOption', noShares(given, 'over', "'noiseVariances'", "choose 'noiseVariance'"));
  if (over.has('layerPrecisions') && (over.has('precision') || precisions !== undefined)) throw bothPrecisions(precisions);
  const isSampled = predictive._tag === 'weightSampling' || predictive._tag === 'activationSampling';
  const isNoisy = over.has('noiseVariance') || isPerOutput;
  if (isSampled && over.has('temperature') && isNoisy) throw bothSpreads();
  const isFree: Readonly<Record<FreeName, boolean>> = {
    scale: over.has('scale'),
    temperature: over.has('temperature'),
    noise: isNoisy,
  };
  return {
    given,
    predictive,
    criterion,
    rule: tuning.rule ?? (hasClasses ? 'widest' : 'best'),
    search: precisions ?? (over.has('layerPrecisions') ? 'layers' : over.has('precision') ? 'one' : 'none'),
    free: FREE.filter((name) => isFree[name]),
    noise: E.isRight(noise) ? noise.right : undefined,
    perOutput: isPerOutput ? noiseVarianceOf(original.likelihood) : undefined,
  };
}

const notSuited = (field: string, found: string, likelihood: string): LaplaceError =>
  laplaceError('InvalidOption', {
    what: `The ${likelihood} likelihood has no use for this ${field === 'over' ? 'dimension' : field}`,
    field,
    found,
    expected:
      field === 'over'
        ? 'a dimension of the likelihood'
        : "'nll' or 'brier'; 'ece' for classes and labels; 'crps' for numbers and counts",
  });

const bothPrecisions = (precisions: ReadonlyArray<number> | undefined): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Precisions are chosen one for all layers, or one for each layer',
    field: 'over',
    found: precisions === undefined ? "'precision' and 'layerPrecisions'" : "'layerPrecisions', with precisions to try",
    expected: "one of them; precisions to try only with 'precision'",
  });

const bothNoises = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Noise variances are chosen up to one factor, or one for each output',
    field: 'over',
    found: "'noiseVariance' and 'noiseVariances'",
    expected: 'one of them',
  });

const bothSpreads = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Both temperature and noise variance change how sampled networks are drawn',
    field: 'over',
    found: "'temperature' and 'noiseVariance' or 'noiseVariances'",
    expected: 'one of them, for networks that are sampled',
  });
