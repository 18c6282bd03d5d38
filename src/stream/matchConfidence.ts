/** Chooses the scale of the outputs without labels: the mean confidence becomes the trained network's own. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { argument, array, choiceOf, optionsOf, refined, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { deviceError } from '../network/device.js';
import type { Head, Network } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { linearised, type Predictive, PredictiveCodec } from '../predictive/codec.js';
import { joined } from '../predictive/device/pieces.js';
import type { EachBatch } from '../predictive/linearised/candidates.js';
import { formOf } from '../predictive/report/report.js';
import { scaleOfConfidence } from '../tuning/fit.js';
import { UNCHANGED } from '../tuning/free.js';
import { type HeldOut, readingOf, type Uncertainty } from '../tuning/held.js';
import { outlooks } from '../tuning/outlook.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { breather } from './breathe.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { memoryBudget, onProgress } from './options.js';
import type { PredictiveChoice } from './predicted.js';
import { spreading, uncertain } from './uncertain.js';

/** Options of `matchConfidence`. */
export interface MatchConfidenceOptions {
  /** The most bytes to allocate on the device, as for `predict`. Default 1 GiB. */
  readonly memoryBudget?: number;
  /** Called after each batch. */
  readonly onProgress?: OnProgress;
}

const Options = struct('options', { memoryBudget, onProgress });

const Sources = array(
  'a list of batches of inputs, as inputBatches(…) makes them',
  refined<InputSource>(
    'a batch of inputs, or a function that makes one',
    (value): value is InputSource => typeof value === 'function' || (typeof value === 'object' && value !== null),
  ),
);

/** log s is found to this. */
const TOLERANCE = 1e-5;

/**
 * The predictive with the scale s at which the mean confidence on some inputs is the trained network's own, as it is without a posterior. It
 * needs no labels: any inputs like those that will be predicted will do, the training data too. The confidence of a class is the highest
 * probability, that of an independent label max(p, 1 − p). It rises with s.
 *
 * A posterior by itself makes every prediction less sure, the familiar ones too, in the measure of its prior. This takes back what is common
 * to all, and leaves what differs between inputs. It makes the network neither better nor worse calibrated than it was: with labels that
 * the network was not trained on, `tune` finds a better scale. That s is also where the prior of `tune` on s has its centre.
 *
 * Rejects as `predict` does, and with `InvalidOption` if the model predicts no classes or labels, for the temperature 0, and for no input.
 *
 * @param inputs batches of inputs, in a list. They may be read twice.
 * @param predictive default `linearised()`. Its own scale is replaced.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, inputBatches, matchConfidence, observe, predict, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const training = { x: tf.randomNormal([60, 4], 0, 1, 'float32', 1), y: tf.range(0, 60).mod(3).toInt() };
 * const posterior = await lastValueFrom(
 *   from(batches(training, 20)).pipe(observe(model, 'categorical'), accumulateFactors(), toPosterior()),
 * );
 * const predictive = await matchConfidence(model, posterior, inputBatches(training.x, 20));
 * predictive.scale > 1; // => true
 * const prediction = await lastValueFrom(from([training.x]).pipe(predict(model, posterior, predictive)));
 * prediction._tag; // => 'classification'
 * ```
 */
export const matchConfidence = (
  model: LayersModel,
  posterior: Posterior,
  inputs: ReadonlyArray<InputSource>,
  predictive: PredictiveChoice = linearised(),
  options: MatchConfidenceOptions = {},
): Promise<Predictive> =>
  matched(model, posterior, inputs, predictive, options).catch((error: unknown) => {
    throw deviceError(error);
  });

async function matched(
  model: LayersModel,
  posterior: Posterior,
  inputs: unknown,
  given: unknown,
  options: unknown,
): Promise<Predictive> {
  const own = optionsOf('matchConfidence', Options, options);
  const sources = argument('matchConfidence', 'inputs', Sources, inputs);
  const predictive = spreading(choiceOf('matchConfidence', 'predictive', PredictiveCodec, given));
  const { network, check } = await bindPosterior(model, posterior);
  const heads = network.heads.flatMap((head, i) => (formOf(head)._tag === 'classification' ? [[head, i] as const] : []));
  if (heads.length === 0) throw unscaled(network.heads);
  const outputs = uncertain(network, sources.length, posterior, predictive, own.memoryBudget);
  try {
    const means: ReadonlyArray<Float32Array>[] = [];
    for (const [index, source] of sources.entries()) {
      means.push(await using(network, source, (x) => outputs.read(x)));
      own.onProgress?.({ phase: 'predict', done: index + 1, total: sources.length, unit: 'batches' });
    }
    const held = heads.map(([head, i]) => unlabelled(head, joined(means.map((all) => all[i] as Float32Array))));
    const breathe = breather();
    const again: EachBatch = async (use) => {
      for (const [index, source] of sources.entries()) {
        await using(network, source, (x) => use(x, index));
        await breathe();
      }
    };
    const none = held.map(({ mean }): Uncertainty => ({ _tag: 'covariance', values: new Float32Array(mean.length) }));
    const wanted = confidenceOf(held, none, predictive)(1);
    let scale = Number.NaN;
    for await (const all of outputs.under([{ posterior, spread: predictive.temperature }], again)) {
      const uncertainties = heads.map(([, i]) => all[i] as Uncertainty);
      scale = scaleOfConfidence(confidenceOf(held, uncertainties, predictive), wanted, 1, TOLERANCE);
    }
    await check();
    if (!Number.isFinite(scale)) throw notFinite();
    return Object.freeze({ ...predictive, scale });
  } finally {
    outputs.dispose();
  }
}

async function using<A>(network: Network, source: InputSource, use: (x: ReadonlyArray<tf.Tensor>) => Promise<A>): Promise<A> {
  const x = orThrow(ownInputs(network, source));
  try {
    return await use(x);
  } finally {
    tf.dispose(x);
  }
}

/** An output whose labels nobody knows. Every row counts. */
function unlabelled(head: Head, mean: Float32Array): HeldOut {
  const none = new Float32Array(head.row.outputs);
  const rows = Array.from({ length: mean.length / head.row.outputs }, () => none);
  return { head, mean, truth: { predicts: head.row.ops.predicts, labels: rows, counts: rows.map(() => true) } };
}

/** The mean confidence as a function of the scale. */
function confidenceOf(
  held: ReadonlyArray<HeldOut>,
  uncertainties: ReadonlyArray<Uncertainty>,
  predictive: Predictive,
): (scale: number) => number {
  const { confidence } = outlooks(held, uncertainties, readingOf(predictive, 1), 1)('nll');
  return (scale) => confidence?.({ ...UNCHANGED, temperature: predictive.temperature, scale }) as number;
}

const unscaled = (heads: ReadonlyArray<Head>): LaplaceError =>
  laplaceError('InvalidOption', {
    what: `The ${[...new Set(heads.map(({ row }) => row.ops.name))].join(' and ')} likelihood has no confidence to match`,
    field: 'likelihood',
    found: 'an output of numbers or counts',
    expected: 'classes or independent labels',
  });

const notFinite = (): LaplaceError =>
  laplaceError('NotFinite', {
    what: 'The mean confidence under the posterior is not a number',
    field: 'posterior',
    found: 'NaN',
    expected: 'probabilities',
    remedy: 'Sampled networks overflow at a very small prior precision. Raise it by withPrior, or use linearised().',
  });
