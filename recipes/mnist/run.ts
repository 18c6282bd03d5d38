/** What every part of the recipe works with. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Posterior } from 'tfjs-laplace';
import type { TerminalProgress } from 'tfjs-laplace/plugins/progress';
import type { Report } from '../support/report.js';
import type { Digits } from './digits.js';
import type { Plan } from './plan.js';
import type { Predictions } from './predictions.js';

/** Where results and progress go, and how much of everything is done. */
export interface Desk {
  readonly plan: Plan;
  readonly report: Report;
  readonly progress: TerminalProgress;
  /** Folder of the pictures. */
  readonly out: string;
}

/** A posterior at the chosen prior precision, and what network and posterior say about the test set. */
export interface Results {
  readonly model: LayersModel;
  readonly posterior: Posterior;
  readonly training: Digits;
  readonly test: Digits;
  readonly map: Predictions;
  readonly linearised: Predictions;
}
