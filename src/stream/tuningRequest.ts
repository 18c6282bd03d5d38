/** Checks what `tune` is asked to do against the model and the posterior. */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import { noiseOf } from '../posterior/noise.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from '../predictive/codec.js';
import { checkClosed, checkLink } from '../predictive/linearised/linearisedPredictor.js';
import { formOf } from '../predictive/report/report.js';
import { checkSamples } from '../predictive/report/samples.js';
import type { Dimension, TuningChoices } from '../tuning/codec.js';
import { suits } from '../tuning/criterion.js';
import { FREE, type FreeName } from '../tuning/free.js';
import type { Task } from './tuningTask.js';

/** What is to be done for a network. Throws `InvalidOption` for what does not suit it. */
export function taskOf(network: Network, given: Posterior, tuning: TuningChoices, predictive: Predictive): Task {
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
  if (over.has('noiseVariance')) orThrow(noise);
  if (over.has('layerPrecisions') && (over.has('precision') || precisions !== undefined)) throw bothPrecisions(precisions);
  const isSampled = predictive._tag === 'weightSampling' || predictive._tag === 'activationSampling';
  if (isSampled && over.has('temperature') && over.has('noiseVariance')) throw bothSpreads();
  const names: Readonly<Record<FreeName, Dimension>> = { scale: 'scale', temperature: 'temperature', noise: 'noiseVariance' };
  return {
    given,
    predictive,
    criterion,
    rule: tuning.rule ?? (hasClasses ? 'widest' : 'best'),
    search: precisions ?? (over.has('layerPrecisions') ? 'layers' : over.has('precision') ? 'one' : 'none'),
    free: FREE.filter((name) => over.has(names[name])),
    noise: E.isRight(noise) ? noise.right : undefined,
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

const bothSpreads = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'Both temperature and noise variance change how sampled networks are drawn',
    field: 'over',
    found: "'temperature' and 'noiseVariance'",
    expected: 'one of them, for networks that are sampled',
  });
