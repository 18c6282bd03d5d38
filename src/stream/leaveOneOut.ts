/** Leave-one-out predictions from one posterior, without held-out data and without retraining. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { argument, literals, optional, optionsOf, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { deviceError } from '../network/device.js';
import type { Network } from '../network/network.js';
import type { Posterior } from '../posterior/posterior.js';
import { linearised, type Predictive, PredictiveCodec, type PredictiveInput, type PredictiveOf } from '../predictive/codec.js';
import { linearisedPieces } from '../predictive/linearised/linearisedPieces.js';
import { checkClosed, checkLink } from '../predictive/linearised/linearisedPredictor.js';
import { type LeftOut, withoutOwn } from '../predictive/linearised/ownTerm.js';
import { checkScale } from '../predictive/report/scale.js';
import type { Truth } from '../tuning/losses.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { breather } from './breathe.js';
import { type LeaveOneOut, type LeaveOneOutForm, type LeftOutExamples, leaveOneOutOf } from './leftOut.js';
import type { BatchSource } from './observed.js';
import { labelledBatches, memoryBudget, onProgress } from './options.js';
import { readTerms } from './trainingTerms.js';
import { joinedTruths } from './truths.js';

export type { LeaveOneOut, LeaveOneOutForm } from './leftOut.js';

/** Options of `leaveOneOut`. */
export interface LeaveOneOutOptions {
  /** A linearised predictive: its link, scale and temperature apply to the outputs without the example. Default: `linearised()`. */
  readonly predictive?: PredictiveInput;
  /** How the example is taken out. Default: `'corrected'` where it can be trusted for every example, otherwise `'plain'`. */
  readonly form?: LeaveOneOutForm;
  /** The most bytes to allocate on the device, as for `predict`. Default 1 GiB. */
  readonly memoryBudget?: number;
  /** Called after each batch. */
  readonly onProgress?: OnProgress;
}

const Options = struct('options', {
  predictive: optional(PredictiveCodec),
  form: optional(literals('corrected', 'plain')),
  memoryBudget,
  onProgress,
});

/**
 * Predicts training examples as if each had been left out of the training, from the posterior alone: a stand-in for held-out data where
 * there are none.
 *
 * The outputs of the linearised network are f ~ N(f*, V), V = J Σ Jᵀ [C, C]. The term of the example itself has the gradient g of its NLL in
 * f (p − y for classes, (f − y)/σ² for `gaussian`) and the curvature Λ (diag(p) − p pᵀ, 1/σ²), both times its weight. It is taken out by
 * one of two forms:
 *
 * | `form` | covariance | mean |
 * |---|---|---|
 * | `'corrected'` | V₋ = (V⁻¹ − Λ)⁻¹ = V (I − Λ V)⁻¹ | f₋ = f* + V₋ g |
 * | `'plain'` | V₋ = V | f₋ = f* + V g |
 *
 * The corrected form is exact in a linear model with Gaussian noise, `full` curvature, and weights at the minimum of the loss with the
 * posterior's τ. With Kronecker factors V is approximate. It breaks down where the network has nearly memorised an example: V₋ then grows
 * without bound. It is trusted for an example if no eigenvalue of I − Λ^½ V Λ^½ is below 0.1, so that V₋ is at most ten times V. By
 * default it is used if it is trusted for every example, and otherwise the plain form is. `untrusted` counts the others.
 *
 * The weights are taken as they are, so the posterior's τ should be the one that they were trained with (as weight decay: the loss is the
 * mean NLL plus τ/(2N) |θ|²). Don't choose τ for one network by this NLL: the larger τ is, the less of the example is taken out, and the
 * NLL falls towards that of the training data. Compare networks, each trained with its own τ.
 *
 * The NLL is in nats, as `tune` computes it: a normal for numbers, a negative binomial for counts, labels as the likelihood smooths them.
 * An example of `perStep` is a whole sequence, of `perOutput` the labels of all outputs: all of it is taken out together, and its NLL is
 * the sum. The examples should be from the training data. A random part of them will do: every example is taken out by itself. Memory on
 * the host: about 20 bytes for each of N·C² numbers. Show `warning` with the numbers.
 *
 * Rejects with `Mismatch`, `InvalidInput`, `InvalidLabels`, `InvalidModel`, `NotFinite`, `UnsupportedLayer` and `Backend` as `predict` does;
 * with `InvalidInput` if N·C² is more than 2²⁸; with `NotFinite` if a prediction is not finite in either form; with `NotPositiveDefinite`
 * if `form: 'corrected'` is asked for and an example has no corrected form; with `InvalidOption` for an option, a predictive that is not
 * linearised, or a likelihood whose predictive has no closed form.
 *
 * @param training batches of training examples with labels, in a list
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, full, gaussian, leaveOneOut, observe, toPosterior } from 'tfjs-laplace';
 *
 * // The mean of four numbers, at its estimate: without one of them it is the mean of the other three.
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, useBias: false, inputShape: [1] })] });
 * model.setWeights([tf.tensor2d([[2.5]])]);
 * const training = batches({ x: tf.ones([4, 1]), y: tf.tensor2d([[1], [2], [3], [4]]) }, 2);
 * const posterior = await lastValueFrom(
 *   from(training).pipe(observe(model, gaussian()), accumulateFactors(full()), toPosterior({ priorPrecision: 1e-6 })),
 * );
 * const { mean, form, leverage } = await leaveOneOut(model, posterior, training);
 * mean[3][0].toFixed(3); // => '2.000'
 * leverage[3].toFixed(3); // => '0.250'
 * form; // => 'corrected'
 * ```
 *
 * Source: Opper & Winther 2000 (leave-one-out by removal of a site); Beirami et al. 2017 and Rad & Maleki 2020 (approximate leave-one-out by
 * one Newton step); Nickl et al. 2023 (the memory-perturbation equation).
 */
export const leaveOneOut = async (
  model: LayersModel,
  posterior: Posterior,
  training: ReadonlyArray<BatchSource>,
  options: LeaveOneOutOptions = {},
): Promise<LeaveOneOut> => {
  try {
    const { predictive, ...own } = optionsOf('leaveOneOut', Options, options);
    const sources = argument('leaveOneOut', 'training', labelledBatches, training);
    const how = linearisedOnly(predictive ?? linearised());
    const { network, check } = await bindPosterior(model, posterior);
    checkLink(network.heads, how);
    checkScale(network.heads, how.scale);
    checkClosed(network.heads, 'leaveOneOut');
    const examples = await readAll(network, posterior, sources, own);
    await check();
    return await leaveOneOutOf(network, posterior, how, examples);
  } catch (error) {
    throw deviceError(error);
  }
};

/** Reads all batches, and takes the own term out of every example. */
async function readAll(
  network: Network,
  posterior: Posterior,
  sources: ReadonlyArray<BatchSource>,
  own: {
    readonly form?: LeaveOneOutForm | undefined;
    readonly memoryBudget: number;
    readonly onProgress?: OnProgress | undefined;
  },
): Promise<LeftOutExamples> {
  const breathe = breather();
  const pieces = linearisedPieces(network, posterior, 1, 'covariance', own.memoryBudget);
  const [plain, corrected, leverage]: [LeftOut[], LeftOut[], number[]] = [[], [], []];
  const truths: Array<ReadonlyArray<Truth>> = [];
  let untrusted = 0;
  try {
    for (const [index, source] of sources.entries()) {
      const place = { index, before: leverage.length, memoryBudget: own.memoryBudget };
      const batch = await readTerms(network, pieces, source, place);
      truths.push(batch.truths);
      for (const term of batch.terms) {
        const isWanted = own.form === 'corrected' || (own.form === undefined && untrusted === 0);
        const found = withoutOwn(term, isWanted);
        if (!found.isTrusted) untrusted++;
        if (own.form === 'corrected' && found.corrected === undefined) throw notPositive(leverage.length, found.leverage);
        if (own.form !== 'corrected') plain.push(found.plain);
        if (isWanted && found.corrected !== undefined) corrected.push(found.corrected);
        leverage.push(found.leverage);
        await breathe();
      }
      own.onProgress?.({ phase: 'predict', done: index + 1, total: sources.length, unit: 'batches' });
    }
  } finally {
    pieces.dispose();
  }
  const form = own.form ?? (untrusted === 0 ? 'corrected' : 'plain');
  return {
    leftOut: form === 'corrected' ? corrected : plain,
    leverage,
    truths: joinedTruths(truths),
    form,
    untrusted,
  };
}

function linearisedOnly(predictive: Predictive): PredictiveOf<'linearised'> {
  if (predictive._tag === 'linearised') return predictive;
  throw laplaceError('InvalidOption', {
    what: 'Leave-one-out predictions are those of the linearised network',
    field: 'predictive',
    found: `'${predictive._tag}'`,
    expected: "'linearised'",
  });
}

const notPositive = (index: number, leverage: number): LaplaceError =>
  laplaceError('NotPositiveDefinite', {
    what: `Training example ${index} has no corrected leave-one-out form`,
    field: 'form',
    found: `I − Λ V that is not positive definite, with tr(Λ V) = ${leverage.toPrecision(3)}`,
    expected: 'eigenvalues > 0',
    remedy: "Take form: 'plain', or a larger prior precision (withPrior).",
  });
