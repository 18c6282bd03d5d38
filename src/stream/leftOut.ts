/** Leave-one-out predictions and their losses, from examples whose own terms have been taken out. Pure, on the host. */
import { laplaceError } from '../errors.js';
import { frozen } from '../frozen.js';
import { type Estimate, estimateOf, momentsOf } from '../metrics/estimate.js';
import type { Head, Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import type { PredictiveOf } from '../predictive/codec.js';
import { isJoint } from '../predictive/linearised/headCovariance.js';
import { LEAST_REMAINDER, type LeftOut } from '../predictive/linearised/ownTerm.js';
import type { OutputPrediction, Prediction, Rows } from '../predictive/prediction.js';
import { ofHeads } from '../predictive/report/heads.js';
import { reportLinearised } from '../predictive/report/linearisedReport.js';
import { UNCHANGED } from '../tuning/free.js';
import { readingOf, type Uncertainty } from '../tuning/held.js';
import type { Truth } from '../tuning/losses.js';
import { outlooks } from '../tuning/outlook.js';

/** How the own term of an example is taken out. */
export type LeaveOneOutForm = 'corrected' | 'plain';

/** What `leaveOneOut` finds for N training examples. Plain data, frozen. */
export interface LeaveOneOut {
  /** f₋ [N][C]: the mean of the outputs before the link, had the example not been in the training data. */
  readonly mean: Rows;
  /** V₋ [N][C·C]: the covariance matrix of each example's outputs, row by row, before the temperature of the predictive. */
  readonly covariance: Rows;
  /** The prediction for every example under the predictive, as `predict` reports it for one batch. */
  readonly prediction: Prediction;
  /** The NLL of each example's labels under its prediction [N], in nats, summed over outputs, labels and steps. */
  readonly losses: Float64Array;
  /** The mean of `losses`, with its standard error. Every example counts once, whatever its weight. */
  readonly nll: Estimate;
  /** tr(Λ V) of each example [N]: how many parameters it determines. Over all training data they add up to the effective parameters. */
  readonly leverage: Float64Array;
  /** The form that was used. */
  readonly form: LeaveOneOutForm;
  /** For how many of the examples the corrected form cannot be trusted, whichever form was used. */
  readonly untrusted: number;
  /** What the numbers are not, in a few sentences to show with them. */
  readonly warning: string;
}

/** The examples without their own terms. */
export interface LeftOutExamples {
  readonly leftOut: ReadonlyArray<LeftOut>;
  readonly leverage: ReadonlyArray<number>;
  readonly truths: ReadonlyArray<Truth>;
  readonly form: LeaveOneOutForm;
  readonly untrusted: number;
}

/** Predicts each example without itself. Throws `NotFinite` if a prediction is not finite. */
export async function leaveOneOutOf(
  network: Network,
  posterior: Posterior,
  predictive: PredictiveOf<'linearised'>,
  { leftOut, leverage, truths, form, untrusted }: LeftOutExamples,
): Promise<LeaveOneOut> {
  const rows = network.heads.map((head) => ownRows(head, leftOut, network.outputs, predictive.temperature));
  for (const { mean, covariance } of rows) {
    checkFinite(mean, form);
    checkFinite(covariance, form);
  }
  const rowsOf = (h: number): OwnRows => rows[h] as OwnRows;
  const prediction = await ofHeads(network, (head, h) => {
    const { mean, covariance } = rowsOf(h);
    return reportLinearised(head, mean, covariance, predictive) as OutputPrediction;
  });
  const held = network.heads.map((head, h) => ({ head, mean: rowsOf(h).mean, truth: truths[h] as Truth }));
  const uncertainties = rows.map(({ covariance }): Uncertainty => ({ _tag: 'covariance', values: covariance }));
  const judge = outlooks(held, uncertainties, readingOf(predictive, 1), leftOut.length)('nll').judge;
  const { losses } = judge({ ...UNCHANGED, scale: predictive.scale });
  return frozen({
    mean: leftOut.map(({ mean }) => Float32Array.from(mean)),
    covariance: leftOut.map(({ covariance }) => Float32Array.from(covariance)),
    prediction,
    losses,
    nll: estimateOf(momentsOf(losses)),
    leverage: Float64Array.from(leverage),
    form,
    untrusted,
    warning: warningOf(posterior, form, untrusted, leftOut.length),
  });
}

/** The rows of one head's report: means [rows, c], and covariances [rows, c·c], or variances [rows, c] where the report needs no more. */
type OwnRows = Readonly<Record<'mean' | 'covariance', Float32Array>>;

function ownRows(head: Head, leftOut: ReadonlyArray<LeftOut>, C: number, temperature: number): OwnRows {
  const { first, outputs } = head;
  const c = isJoint(head) ? head.row.outputs : 1;
  const mean = new Float32Array(leftOut.length * outputs);
  const covariance = new Float32Array(leftOut.length * outputs * c);
  leftOut.forEach((own, b) => {
    for (let i = 0; i < outputs; i++) {
      mean[b * outputs + i] = own.mean[first + i] as number;
      // The block of the step, or the variance alone, that output i belongs to.
      const start = first + i - (i % c);
      for (let j = 0; j < c; j++) {
        covariance[(b * outputs + i) * c + j] = temperature * (own.covariance[(first + i) * C + start + j] as number);
      }
    }
  });
  return { mean, covariance };
}

function checkFinite(values: Float32Array, form: LeaveOneOutForm): void {
  if (values.every(Number.isFinite)) return;
  throw laplaceError('NotFinite', {
    what: `The ${form} leave-one-out outputs hold a number that is not finite`,
    field: 'outputs',
    found: 'NaN or Infinity',
    expected: 'finite numbers',
    remedy:
      'The posterior is too wide for these data: take a larger prior precision (withPrior), or judge it on held-out data (tune).',
  });
}

function warningOf({ estimator }: Posterior, form: LeaveOneOutForm, untrusted: number, N: number): string {
  const isExact = estimator._tag === 'full' && estimator.fisher._tag === 'exact';
  return [
    'These are training data: the weights have seen every example, and so have all choices that were made while training.',
    'Leaving one out is approximated to first order around the trained weights, as if they minimised the training loss with this prior.',
    'For weights that were not trained with its precision as weight decay the numbers mislead: at a higher precision they fall towards those of the training data.',
    'Weights that the posterior does not cover stay as they are.',
    ...(isExact ? [] : [`The factors (${estimator._tag}) are themselves an approximation of the curvature.`]),
    ...(form === 'plain'
      ? ['In the plain form the covariance still has the example in it, which makes its prediction look surer.']
      : []),
    ...(untrusted > 0
      ? [
          `For ${untrusted} of ${N} examples the corrected form cannot be trusted: an eigenvalue of I − Λ V is below ${LEAST_REMAINDER}. The network has nearly memorised them, or the prior precision is too small.`,
        ]
      : []),
    'Held-out data say more, where there are any: tune(model, posterior, heldOut).',
  ].join(' ');
}
