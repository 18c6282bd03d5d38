/** The values that the parts of the recipe share. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Posterior, Predictive } from 'tfjs-laplace';
import type { TerminalProgress } from 'tfjs-laplace/plugins/progress';
import type { Report } from '../support/report.js';
import type { Choice } from './choosing.js';
import type { Digits } from './digits.js';
import type { Plan } from './plan.js';
import type { Predictions } from './predictions.js';

/** The plan, and where results and progress go. */
export interface Desk {
  readonly plan: Plan;
  readonly report: Report;
  readonly progress: TerminalProgress;
  /** Folder of the pictures. */
  readonly out: string;
}

/** The network, its posterior with the chosen prior, and the predictions of both for the test set. */
export interface Results {
  readonly model: LayersModel;
  /** What was chosen on the held-out images. */
  readonly choice: Choice;
  /** The posterior for the linearised predictive, and that predictive with its scale. */
  readonly posterior: Posterior;
  readonly predictive: Predictive;
  /** The posterior for the sampled predictives. */
  readonly unscaled: Posterior;
  readonly training: Digits;
  readonly test: Digits;
  /** Predictions of the network alone, that is of the MAP weights. */
  readonly map: Predictions;
  /** The same at the network's best temperature on the held-out images. */
  readonly mapAtBest: Predictions;
  readonly linearised: Predictions;
}
