/**
 * The energy of the logits, −T log Σ_c exp(f_c / T): near minus the highest logit for a small temperature T. One logit f of two classes
 * counts as ½f and −½f. The logits are taken as those of classes, also for independent labels. Reference: Liu, Wang, Owens & Li 2020, eq. 4.
 */
import { defaulted, make, type Options, positive, variant } from '../../codec/index.js';
import { checkRows, sound } from '../../metrics/rows.js';
import { LOGITS, rule } from '../rule.js';
import { highest, logitsOf } from './highest.js';

export const Energy = variant('energy', {
  /** T > 0; default 1. */
  temperature: defaulted(positive, 1),
});

type EnergyScore = (typeof Energy)['_A'];

/** Options of `energy`. */
export type EnergyOptions = Options<typeof Energy>;

/**
 * The energy −T log Σ exp(f / T) of the logits, as a score for `detectionScore` and `evaluateDetection` (Liu et al. 2020).
 *
 * @throws LaplaceError `InvalidOption` for a temperature that is not a finite number > 0.
 *
 * @example
 * ```ts
 * import { energy } from 'tfjs-laplace';
 *
 * energy(); // => { _tag: 'energy', temperature: 1 }
 * ```
 */
export const energy = (options: EnergyOptions = {}): EnergyScore => make('energy', Energy, options);

export const energyRule = rule(LOGITS, (rows, { temperature: T }: EnergyScore) =>
  sound(checkRows(rows, 'outputs.mean'), () =>
    Float64Array.from(rows, (row) => {
      const logits = logitsOf(row);
      const most = highest(logits);
      const sum = Array.from(logits).reduce((total, f) => total + Math.exp((f - most) / T), 0);
      return -(most + T * Math.log(sum));
    }),
  ),
);
