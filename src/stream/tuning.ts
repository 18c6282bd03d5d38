/** What `tune` found, as a value. */
import type { NoiseVariance } from '../likelihood/noiseVariance.js';
import { differenceOf, type Estimate } from '../metrics/estimate.js';
import type { Posterior } from '../posterior/posterior.js';
import type { Predictive } from '../predictive/codec.js';
import { best, type Candidate, meanOf, type Verdict, verdictOf } from '../tuning/choose.js';
import type { TuningRule } from '../tuning/codec.js';
import type { CriterionName } from '../tuning/criterion.js';
import { precisionsOf } from '../tuning/layers.js';
import { noiseOfEach, posteriorUnder, type Task } from './tuningTask.js';

/** One candidate on the held-out data. */
export interface Tried {
  /** τ; infinite for the trained network itself. With precisions for each layer it is their geometric mean. */
  readonly precision: number;
  /** τ of each layer by its name, if they were chosen. */
  readonly precisions?: Readonly<Record<string, number>>;
  /** s; 1 if the model predicts no classes or labels. */
  readonly scale: number;
  /** T. */
  readonly temperature: number;
  /** σ², if it was chosen. */
  readonly noiseVariance?: NoiseVariance;
  /** The mean criterion over the examples. */
  readonly criterion: number;
  /** The means of all criteria by name that suit the model. */
  readonly criteria: Readonly<Partial<Record<CriterionName, number>>>;
  /** The mean of the criterion less that of the trained network (the better of its two forms), and its standard error. */
  readonly difference: Estimate;
}

/** What `tune` found. */
export interface Tuning {
  /** The posterior under the chosen prior, and under the chosen noise variance. */
  readonly posterior: Posterior;
  /** The predictive with the chosen scale and temperature. The temperature is 0 if nothing is better than the trained network. */
  readonly predictive: Predictive;
  readonly chosen: Tried;
  /** How the chosen candidate compares with the trained network: by more than the standard error of the difference, or the same. */
  readonly verdict: Verdict;
  /** What each rule would choose. */
  readonly choices: Readonly<Record<TuningRule, Tried>>;
  /** The trained network as it is; and with the scale (the inverse of its best temperature) and noise variance that suit it best. */
  readonly network: Readonly<Record<'plain' | 'fitted', Tried>>;
  /** Every candidate, in ascending order of its precision. */
  readonly candidates: ReadonlyArray<Tried>;
}

/** A candidate with the means of all criteria. */
export interface Judged extends Candidate {
  readonly criteria: Tried['criteria'];
}

/**
 * The result of a task.
 *
 * @param network the trained network in its two forms
 * @param found all candidates
 * @param choices what each rule would choose among them
 */
export function tuningOf(
  task: Task,
  { plain, fitted: fittedNetwork }: Readonly<Record<'plain' | 'fitted', Judged>>,
  found: ReadonlyArray<Judged>,
  choices: Readonly<Record<TuningRule, Judged>>,
): Tuning {
  const { given, predictive, noise } = task;
  const baseline = best([plain, fittedNetwork]);
  const choice = choices[task.rule];
  const isWorse = verdictOf(choice.losses, baseline.losses) === 'worse';
  const winner = isWorse ? baseline : choice;
  const isNoisy = noise !== undefined && task.free.includes('noise');
  const tried = (own: Judged): Tried => {
    const factor = own.free.noise ** (noise?.power ?? 1);
    const precisions = precisionsOf(own).map((tau) => tau / factor);
    return Object.freeze({
      precision: own.precision / factor,
      ...(task.search === 'layers' && {
        precisions: Object.freeze(Object.fromEntries(given.layers.map(({ name }, l) => [name, precisions[l] as number]))),
      }),
      scale: own.free.scale,
      temperature: own.free.temperature,
      ...(isNoisy && { noiseVariance: noiseOfEach(noise.variance, own.free.noise, own.free.noises) }),
      criterion: meanOf(own.losses),
      criteria: own.criteria,
      difference: Object.freeze(differenceOf(own.losses, baseline.losses)),
    });
  };
  const { scale, temperature } = winner.free;
  return Object.freeze({
    posterior: posteriorUnder(task, precisionsOf(choice), winner.free.noise, winner.free.noises),
    predictive: Object.freeze({ ...predictive, temperature: isWorse ? 0 : temperature, scale }),
    chosen: tried(winner),
    verdict: verdictOf(winner.losses, baseline.losses),
    choices: Object.freeze({
      best: tried(choices.best),
      widest: tried(choices.widest),
      evidence: tried(choices.evidence),
    }),
    network: Object.freeze({ plain: tried(plain), fitted: tried(fittedNetwork) }),
    candidates: Object.freeze([...found].sort((a, b) => a.precision - b.precision).map(tried)),
  });
}
