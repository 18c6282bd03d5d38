/**
 * Chooses the prior precision τ and the scale s of the outputs by the NLL of the linearised predictive on held-out images. They go
 * through the network once, whatever the number of candidates.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  isotropic,
  type OnProgress,
  orThrow,
  type Posterior,
  type Predictive,
  type Tried,
  type Tuning,
  tune,
  withPrior,
} from 'tfjs-laplace';
import type { Report } from '../support/report.js';
import { count, percent, signed } from '../support/table.js';
import { batchesOf, type Digits } from './digits.js';
import { BATCH } from './predictions.js';
import { mnistRecipe } from './recipe.js';

/** What was chosen for the linearised predictive, and for the sampled ones. */
export interface Choice {
  readonly tuning: Tuning;
  /** Sampled networks leave the region of the quadratic approximation under a wide prior. They take the candidate whose scale is nearest to 1. */
  readonly unscaled: Tried;
}

/** Chooses τ and s by the rule of the recipe. */
export async function choosePrior(
  model: LayersModel,
  posterior: Posterior,
  heldOut: Digits,
  onProgress: OnProgress,
): Promise<Choice> {
  const tuning = await tune(model, posterior, batchesOf(heldOut, BATCH), mnistRecipe, { onProgress });
  return { tuning, unscaled: nearestToOne(tuning.candidates) };
}

/** Chooses s alone: the prior of the posterior stays. */
export const chooseScale = (model: LayersModel, posterior: Posterior, heldOut: Digits, onProgress: OnProgress): Promise<Tuning> =>
  tune(model, posterior, batchesOf(heldOut, BATCH), { over: ['scale'] }, { predictive: mnistRecipe.predictive, onProgress });

/** The candidate whose scale is nearest to 1, as a ratio. */
export const nearestToOne = <C extends Pick<Tried, 'scale'>>(candidates: ReadonlyArray<C>): C => {
  const distance = ({ scale }: C): number => Math.abs(Math.log(scale));
  return candidates.reduce((a, b) => (distance(b) < distance(a) ? b : a));
};

/** The prior precision that all layers share. */
export const precisionOf = ({ layers }: Posterior): number => (layers[0] as Posterior['layers'][number]).priorPrecision;

/** The scale of the outputs; 1 if the predictive has none. */
export const scaleOf = (predictive: Predictive): number => (predictive._tag === 'linearised' ? predictive.scale : 1);

/** The same posterior under another prior precision. */
export const under = (posterior: Posterior, precision: number): Posterior => orThrow(withPrior(posterior, isotropic(precision)));

/** A precision, a scale or a temperature with three digits. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Prints what each rule would choose, and the network itself. */
export function showChoice(report: Report, { tuning, unscaled }: Choice, heldOut: Digits): void {
  const { choices, chosen, network, candidates, verdict, predictive } = tuning;
  const isChosen = (own: Tried): boolean => own.precision === chosen.precision && own.scale === chosen.scale;
  const row = (name: string, own: Tried): ReadonlyArray<string> => {
    const { value, standardError } = own.difference;
    return [
      name,
      Number.isFinite(own.precision) ? short(own.precision) : '',
      own.scale.toFixed(2),
      own.criterion.toFixed(4),
      percent(own.criteria.ece as number),
      signed(value, standardError),
      isChosen(own) ? '◀ chosen' : '',
    ];
  };
  report.heading(
    `Prior precision τ and scale s of the outputs, linearised predictive on ${count(heldOut.count)} held-out training images`,
  );
  report.table(
    ['', 'τ', 's', 'NLL (nats)', 'ECE', 'NLL − the better MAP', ''],
    [
      row('widest', choices.widest),
      row('best', choices.best),
      row('evidence', choices.evidence),
      row('scale nearest to 1', unscaled),
      row('MAP, temperature', network.fitted),
      row('MAP', network.plain),
    ],
  );
  report.note(
    `Tried: τ = ${candidates.map(({ precision }) => short(precision)).join(', ')}. 'widest' is the least τ within one standard error of the best, down to a thirtieth of the evidence's; 'evidence' is the nearest to the maximum of the evidence; 'MAP, temperature' is the network at its best temperature, ${short(1 / network.fitted.scale)}.`,
  );
  if ([candidates[0], candidates.at(-1)].includes(candidates.find(isChosen)))
    report.result('The chosen τ is the least or the largest that was tried: one beyond it may be better.');
  report.note(
    "Sampled networks use the τ of 'scale nearest to 1': under a wider prior they leave the region where the quadratic approximation holds.",
  );
  report.result(
    predictive.temperature === 0
      ? `On the held-out images the posterior is worse than the network, whose own predictions are used with s = ${short(chosen.scale)}.`
      : `On the held-out images the choice is ${VERDICTS[verdict]}.`,
  );
}

/** The verdict of `tune` in words: 'the choice is …'. */
export const VERDICTS = {
  better: 'better than the network, also at its best temperature, by more than one standard error',
  same: 'as good as the network at its best temperature, within one standard error',
  worse: 'worse than the network at its best temperature',
} as const satisfies Record<Tuning['verdict'], string>;
