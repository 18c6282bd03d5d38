/** Chooses the prior precision and the scale of the outputs on held-out data. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import {
  argument,
  array,
  defaulted,
  literals,
  optional,
  optionsOf,
  positiveEven,
  refined,
  seed,
  struct,
} from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { differenceOf, type Estimate } from '../metrics/estimate.js';
import { deviceError } from '../network/device.js';
import type { Network } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import { maximiseEvidence } from '../posterior/maximiseEvidence.js';
import type { Posterior } from '../posterior/posterior.js';
import { isotropic } from '../posterior/priors.js';
import { withPrior } from '../posterior/withPrior.js';
import { linearised, type Predictive } from '../predictive/codec.js';
import { checkLink, isDrawn } from '../predictive/linearised/linearisedPredictor.js';
import { DEFAULT_LINK, type Link, Links, linkRule } from '../predictive/links/index.js';
import { best, type Candidate, meanOf, type Verdict, verdictOf, widest } from '../tuning/choose.js';
import { scaled } from '../tuning/held.js';
import { CRITERIA, type CriterionName } from '../tuning/losses.js';
import { bestScale, scaleOfConfidence } from '../tuning/scale.js';
import { firstPrecisions, nextPrecisions } from '../tuning/search.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { type Examples, readHeldOut } from './heldOut.js';
import type { BatchSource } from './observed.js';
import { memoryBudget, onProgress } from './options.js';

/** A rule of choice: see `tune`. */
export type TuningRule = 'best' | 'widest' | 'evidence';

/** Options of `tune`. */
export interface TuneOptions {
  /** What is minimised: the mean `'nll'` in nats (the default), or the mean `'brier'` score (for numbers the squared error). */
  readonly criterion?: CriterionName;
  /** Default: `'widest'` if the model predicts classes or labels, otherwise `'best'`. */
  readonly rule?: TuningRule;
  /** The link of the linearised predictive, with the number and seed of its draws. Default `'probit'`. */
  readonly link?: Link;
  readonly samples?: number;
  readonly seed?: number;
  /** The most bytes to allocate on the device, as for `predict`. Default 1 GiB. */
  readonly memoryBudget?: number;
  /** Called after each held-out batch of each pass. */
  readonly onProgress?: OnProgress;
}

/** One candidate on the held-out data. */
export interface Tried {
  /** τ; infinite for the trained network itself. */
  readonly precision: number;
  /** s; 1 if the model predicts no classes or labels. */
  readonly scale: number;
  /** The mean criterion over the examples. */
  readonly criterion: number;
  /** The mean of this criterion less that of the trained network (the better of its two forms), and its standard error. */
  readonly difference: Estimate;
}

/** What `tune` found. */
export interface Tuning {
  /** The posterior under the chosen prior. */
  readonly posterior: Posterior;
  /** The predictive with the chosen scale. Its temperature is 0 if nothing is better than the trained network. */
  readonly predictive: Predictive;
  readonly chosen: Tried;
  /** How the chosen candidate compares with the trained network: by more than the standard error of the difference, or the same. */
  readonly verdict: Verdict;
  /** What each rule would choose. */
  readonly choices: Readonly<Record<TuningRule, Tried>>;
  /** The trained network as it is, and with the scale that suits it best (the inverse of its best temperature). */
  readonly network: { readonly plain: Tried; readonly scaled: Tried };
  /** Every candidate, in ascending order of its precision. */
  readonly candidates: ReadonlyArray<Tried>;
}

const Options = struct('options', {
  criterion: defaulted(literals(...CRITERIA), 'nll'),
  rule: optional(literals('best', 'widest', 'evidence')),
  link: defaulted(Links, DEFAULT_LINK),
  samples: defaulted(positiveEven, 128),
  seed: defaulted(seed, 0),
  memoryBudget,
  onProgress,
});

type Decoded = (typeof Options)['_A'];

const Batches = array(
  'a list of batches { x, y }, as batches(…) makes them',
  refined<BatchSource>(
    'a batch { x, y }, or a function that makes one',
    (value): value is BatchSource => typeof value === 'function' || (typeof value === 'object' && value !== null),
  ),
);

/**
 * Chooses the prior precision τ, one for all layers, and for classes and labels the scale s of the outputs (see `linearised`), on data that
 * the model was not trained on. Training data are no validation: there a narrow posterior always looks best.
 *
 * The NLL of numbers and counts is that of a normal with the predicted mean and total variance.
 *
 * For every τ, s minimises the criterion, with a weak prior that keeps it near the s of the network's own confidence. The rule then chooses
 * among the pairs:
 *
 * - `'best'`: the least criterion.
 * - `'widest'`: the least τ whose criterion is within one standard error of the difference to the best. With a free s the data often leave
 *   open how wide the posterior is; the widest tells the familiar from the unfamiliar best.
 * - `'evidence'`: the τ with the highest marginal likelihood, with its s. It needs no held-out data for τ.
 *
 * The trained network itself is always a candidate, as it is and with its best temperature. If the choice is worse than it by more than the
 * standard error of the difference, `predictive` is the network's own, with temperature 0, and the `verdict` is `'same'`.
 *
 * The search on log τ is coarse and then fine; its edges are widened to at most 1e-4 and 1e8. Each of its rounds is one pass over the
 * held-out data for all candidates together: a candidate costs only its share of the spectrum.
 *
 * Rejects with `Mismatch`, `InvalidInput`, `InvalidLabels`, `InvalidModel`, `NotFinite` and `Backend` as `predict` does; with
 * `UnsupportedLayer` for `lowRank`; with `InvalidOption` for an option, or for a likelihood whose predictive has no closed form.
 *
 * @param heldOut batches with labels, in a list, so that they can be read several times
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe, predict, toPosterior, tune } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
 * const training = { x: tf.randomNormal([60, 4], 0, 1, 'float32', 1), y: tf.range(0, 60).mod(3).toInt() };
 * const heldOut = { x: tf.randomNormal([30, 4], 0, 1, 'float32', 2), y: tf.range(0, 30).mod(3).toInt() };
 * const posterior = await lastValueFrom(
 *   from(batches(training, 20)).pipe(observe(model, 'categorical'), accumulateFactors(), toPosterior()),
 * );
 * const tuned = await tune(model, posterior, batches(heldOut, 30));
 * tuned.verdict !== 'worse'; // => true
 * const prediction = await lastValueFrom(from([heldOut.x]).pipe(predict(model, tuned.posterior, tuned.predictive)));
 * prediction._tag; // => 'classification'
 * ```
 *
 * Source: MacKay 1992 (evidence); Guo, Pleiss, Sun & Weinberger 2017 (the temperature of a network); Breiman, Friedman, Olshen & Stone 1984,
 * section 3.4.3 (the rule of one standard error).
 */
export const tune = (
  model: LayersModel,
  posterior: Posterior,
  heldOut: ReadonlyArray<BatchSource>,
  options: TuneOptions = {},
): Promise<Tuning> =>
  tuned(model, posterior, heldOut, options).catch((error: unknown) => {
    throw deviceError(error);
  });

async function tuned(
  model: LayersModel,
  given: Posterior,
  heldOut: ReadonlyArray<BatchSource>,
  options: TuneOptions,
): Promise<Tuning> {
  const own = optionsOf('tune', Options, options);
  const sources = argument('tune', 'heldOut', Batches, heldOut);
  const { network, check } = await bindPosterior(model, given);
  checkHeads(network, own);
  const start = E.match(
    () => 1,
    ({ posterior }: { readonly posterior: Posterior }) => posterior.layers[0]?.priorPrecision ?? 1,
  )(maximiseEvidence(given));
  const under = (precision: number): Posterior => orThrow(withPrior(given, isotropic(precision)));
  // A link with logits takes variances alone.
  const needs = linkRule(own.link).logits === undefined ? 'covariance' : 'variance';
  const read = await readHeldOut(network, given, sources, needs, own.memoryBudget, (done) =>
    own.onProgress?.({ phase: 'predict', done, total: sources.length, unit: 'batches' }),
  );
  try {
    if (read.N < 2) throw tooFew(read.N);
    const plain = ofNetwork(read, own);
    const found: Candidate[] = [];
    for (let next = firstPrecisions(start); next.length > 0; next = nextPrecisions(found)) {
      const all = await read.under(next.map(under) as [Posterior, ...Posterior[]]);
      await check();
      for (const [k, precision] of next.entries()) {
        // Neighbours in τ have similar scales.
        found.push(
          candidateOf(read, all[k] as ReadonlyArray<Float32Array>, precision, plain.confidence, own, found.at(-1)?.scale),
        );
      }
      own.onProgress?.({ phase: 'predict', done: found.length, unit: 'precisions' });
    }
    return chosen(found, plain, start, own, under);
  } finally {
    read.dispose();
  }
}

/** The trained network as a candidate, in its two forms. */
interface OwnNetwork {
  readonly plain: Candidate;
  readonly scaled: Candidate;
  /** Its mean confidence on the held-out inputs; undefined without classes and labels. */
  readonly confidence: number | undefined;
}

function ofNetwork(read: Examples, own: Decoded): OwnNetwork {
  const none = read.outputs.map(({ mean }) => new Float32Array(mean.length));
  const { losses, confidence } = scaled(read.outputs, none, own.criterion, own, read.N);
  const wanted = confidence?.(1);
  const precision = Number.POSITIVE_INFINITY;
  return {
    plain: { precision, scale: 1, losses: losses(1) },
    scaled: candidateOf(read, none, precision, wanted, own),
    confidence: wanted,
  };
}

/** A candidate with the scale that suits it best. */
function candidateOf(
  read: Examples,
  covariances: ReadonlyArray<Float32Array>,
  precision: number,
  wanted: number | undefined,
  own: Decoded,
  start?: number,
): Candidate {
  const { losses, confidence } = scaled(read.outputs, covariances, own.criterion, own, read.N);
  if (confidence === undefined || wanted === undefined) return { precision, scale: 1, losses: losses(1) };
  const centre = scaleOfConfidence(confidence, wanted);
  const scale = bestScale((s) => losses(s).reduce((sum, v) => sum + v, 0), centre, start);
  return { precision, scale, losses: losses(scale) };
}

function chosen(
  found: ReadonlyArray<Candidate>,
  { plain, scaled: calibrated, confidence }: OwnNetwork,
  start: number,
  { rule = confidence === undefined ? 'best' : 'widest', link, samples, seed }: Decoded,
  under: (precision: number) => Posterior,
): Tuning {
  const baseline = best([plain, calibrated]);
  const nearest = (precision: number): Candidate =>
    found.reduce((a, b) => (Math.abs(Math.log(b.precision / precision)) < Math.abs(Math.log(a.precision / precision)) ? b : a));
  const choices = { best: best(found), widest: widest(found), evidence: nearest(start) };
  const choice = choices[rule];
  const isWorse = verdictOf(choice.losses, baseline.losses) === 'worse';
  const winner = isWorse ? baseline : choice;
  const tried = (own: Candidate): Tried =>
    Object.freeze({
      precision: own.precision,
      scale: own.scale,
      criterion: meanOf(own.losses),
      difference: Object.freeze(differenceOf(own.losses, baseline.losses)),
    });
  const temperature = isWorse ? 0 : 1;
  return Object.freeze({
    posterior: under(choice.precision),
    predictive: linearised({ link, samples, seed, temperature, scale: winner.scale }),
    chosen: tried(winner),
    verdict: verdictOf(winner.losses, baseline.losses),
    choices: Object.freeze({ best: tried(choices.best), widest: tried(choices.widest), evidence: tried(choices.evidence) }),
    network: Object.freeze({ plain: tried(plain), scaled: tried(calibrated) }),
    candidates: Object.freeze([...found].sort((a, b) => a.precision - b.precision).map(tried)),
  });
}

/** Throws `InvalidOption` for a link that no output has a use for, and for an output whose predictive has no closed form. */
function checkHeads({ heads }: Network, own: Decoded): void {
  checkLink(heads, { ...own, scale: 1 });
  const drawn = heads.find(isDrawn);
  if (drawn === undefined) return;
  throw laplaceError('InvalidOption', {
    what: `tune cannot judge the ${drawn.row.ops.name} likelihood`,
    field: 'likelihood',
    found: 'a likelihood whose linearised predictive has no closed form',
    expected: 'classes, labels, gaussian, heteroscedastic or poisson outputs',
    remedy: 'Compare priors by withPrior and predict, with a score of your own.',
  });
}

const tooFew = (N: number): LaplaceError =>
  laplaceError('Empty', {
    what: 'There are too few held-out examples',
    field: 'heldOut',
    found: `${N} example`,
    expected: 'at least 2, so that differences have a standard error',
  });
