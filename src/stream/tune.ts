/** Chooses the prior precision, the scale of the outputs, the temperature and the noise variance on held-out data. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { concatMap, Observable, type OperatorFunction } from 'rxjs';
import { argument, type Choice, choiceOf, isRecord, optional, optionsOf, struct } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { deviceError } from '../network/device.js';
import type { Posterior } from '../posterior/posterior.js';
import { linearised, type Predictive, PredictiveCodec, type PredictiveInput } from '../predictive/codec.js';
import { type TuningChoices, TuningCodec, type TuningInput } from '../tuning/codec.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { breather } from './breathe.js';
import { readHeldOut } from './heldOut.js';
import { MOST_ROUNDS, withFirstRatios, withNextRatios } from './noiseRatios.js';
import type { BatchSource } from './observed.js';
import { labelledBatches, memoryBudget, onProgress } from './options.js';
import { tuned } from './tuned.js';
import type { Tuning } from './tuning.js';
import { taskOf } from './tuningRequest.js';
import { spreading } from './uncertain.js';

export type { Tried, Tuning } from './tuning.js';

/** What to choose, by which rule and criterion; or a recipe, whose `tuning` and `predictive` count. */
export type TuningChoice = Choice<'tuning', TuningChoices, TuningInput>;

/** Options of `tune`. */
export interface TuneOptions {
  /** The predictive that is tuned. Whatever of it is not chosen stays. Default: the recipe's, or `linearised()`. */
  readonly predictive?: PredictiveInput;
  /** The most bytes to allocate on the device, as for `predict`. Default 1 GiB. */
  readonly memoryBudget?: number;
  /** Called after each batch, and then after each candidate. */
  readonly onProgress?: OnProgress;
}

const Options = struct('options', { predictive: optional(PredictiveCodec), memoryBudget, onProgress });

/**
 * Chooses the prior precision τ, and with it whatever else `over` names, on data that the model was not trained on. Training data are no
 * validation: there a narrow posterior always looks best.
 *
 * | `over` | chosen | default |
 * |---|---|---|
 * | `'precision'` | τ, one for all layers | always |
 * | `'layerPrecisions'` | τ, one for each layer | |
 * | `'scale'` | s of the outputs (see `linearised`) | with classes and labels |
 * | `'noiseVariance'` | σ². The curvature of the posterior goes with it. Several outputs keep the ratios of theirs | with `gaussian` |
 * | `'noiseVariances'` | σ² of each output, for a curvature with `noise: 'perOutput'` | |
 * | `'temperature'` | T of the predictive. τ does nearly the same | |
 *
 * The criterion is a mean over the examples: `'nll'` in nats, `'brier'`, `'crps'` in units of the labels, `'ece'`, or a function that gives a
 * loss for each row. Rows, labels and outputs of one example are added up. The NLL of numbers is that of a normal with the predicted mean and
 * total variance, that of counts a negative binomial's with these moments (for the trained network, its own Poisson distribution). The
 * `'brier'` of both is the squared error; their CRPS is a normal's.
 *
 * For every τ the other numbers minimise the criterion. A weak normal prior keeps s near the s at which the mean confidence is the
 * network's own, so that few labels without an error do not carry it away. The rule then chooses among the candidates:
 *
 * - `'best'`: the least criterion.
 * - `'widest'`: the least τ whose criterion is within one standard error of the difference to the best, and that is no less than a thirtieth
 *   of the τ with the highest evidence. (If there is none: the one closest to that whose criterion is.) With a free s the data often leave
 *   open how wide the posterior is. A wide one tells the familiar from the unfamiliar better, up to a width that the trained weights
 *   themselves speak against.
 * - `'evidence'`: the τ, and σ² if it is chosen, with the highest marginal likelihood; of given `precisions` the nearest to it. Only the rest
 *   comes from the held-out data.
 *
 * The trained network itself is always a candidate, as it is and with its best temperature and noise variance. If the choice is worse than
 * it by more than the standard error of the difference, `predictive` is the network's own, with temperature 0, and the `verdict` is
 * `'same'`.
 *
 * The search on log τ is coarse and then fine; its edges are widened to at most 1e-4 and 1e8. `precisions` replaces it. (Where σ² is chosen,
 * they count for the posterior's own σ² (the geometric mean, if each output has its own to choose); τ then goes inversely with the σ² that is found.) For the linearised
 * predictive the data go through the network once, unless their Jacobians need more than half of the memory budget: a candidate costs only
 * its share of the spectrum, and s, T and σ² cost nothing on the device.
 *
 * Any predictive can be tuned. Those that average draws take all their `samples` for each candidate, so a candidate costs what `predict`
 * does, and every candidate has the same noise. Sampled networks are not linear in their weights, so that T or σ² (one of them)
 * is searched with new draws under each value, to an eighth of a decade: a candidate then costs ten times as much or so.
 *
 * Noise variances of each output are found in rounds. The first has the ratios of the highest evidence. After each, the total variance of
 * every output is fitted to its own labels by a factor, its noise is changed by this factor, and the curvature is weighed anew. The rounds
 * end when the factors agree to a hundredth, or after ten. The result is that of the round with the least criterion; also its
 * `choices.evidence` has the ratios of that round. Each round costs what `tune` costs without them.
 *
 * `tune(model, heldOut, …)` is the same as an operator on a stream of posteriors: `toPosterior(), tune(model, heldOut)`. Unsubscribing ends
 * the work after the present batch or candidate. Both fail with a `LaplaceError`, so that `TE.tryCatch(() => tune(…), toError)` of fp-ts has
 * it as a value.
 *
 * Rejects with `Mismatch`, `InvalidInput`, `InvalidLabels`, `InvalidModel`, `NotFinite` and `Backend` as `predict` does; with
 * `UnsupportedLayer` for `lowRank`, unless it covers the last layer alone or networks are sampled; with `InvalidOption` for an option, for a
 * dimension or criterion that does not suit the likelihood, or for a likelihood whose predictive has no closed form.
 *
 * @param heldOut batches with labels, in a list. They are read again if their Jacobians do not stay on the device.
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
 * const tuned = await lastValueFrom(
 *   from(batches(training, 20)).pipe(
 *     observe(model, 'categorical'), accumulateFactors(), toPosterior(), tune(model, batches(heldOut, 30)),
 *   ),
 * );
 * tuned.verdict !== 'worse'; // => true
 * const prediction = await lastValueFrom(from([heldOut.x]).pipe(predict(model, tuned.posterior, tuned.predictive)));
 * prediction._tag; // => 'classification'
 *
 * // By the Brier score, among three precisions:
 * const again = await tune(model, tuned.posterior, batches(heldOut, 30), { criterion: 'brier', precisions: [1, 10, 100] });
 * again.candidates.map(({ precision }) => precision); // => [1, 10, 100]
 * ```
 *
 * Source: MacKay 1992 (evidence); Guo, Pleiss, Sun & Weinberger 2017 (the temperature of a network); Breiman, Friedman, Olshen & Stone 1984,
 * section 3.4.3 (the rule of one standard error).
 */
export function tune(
  model: LayersModel,
  heldOut: ReadonlyArray<BatchSource>,
  tuning?: TuningChoice,
  options?: TuneOptions,
): OperatorFunction<Posterior, Tuning>;
export function tune(
  model: LayersModel,
  posterior: Posterior,
  heldOut: ReadonlyArray<BatchSource>,
  tuning?: TuningChoice,
  options?: TuneOptions,
): Promise<Tuning>;
export function tune(model: LayersModel, ...args: ReadonlyArray<unknown>): unknown {
  if (!Array.isArray(args[0])) {
    const [posterior, ...rest] = args;
    // What is wrong with the arguments comes out as a rejection.
    return (async () => run(model, posterior as Posterior, settings(...rest)))();
  }
  const own = settings(...args);
  return concatMap(
    (posterior: Posterior) =>
      new Observable<Tuning>((subscriber) => {
        const found = run(model, posterior, own, () => subscriber.closed);
        found.then(
          (tuning) => {
            subscriber.next(tuning);
            subscriber.complete();
          },
          (error: unknown) => subscriber.error(error),
        );
      }),
  );
}

interface Settings {
  readonly sources: ReadonlyArray<BatchSource>;
  readonly tuning: TuningChoices;
  readonly predictive: Predictive;
  readonly memoryBudget: number;
  readonly onProgress?: OnProgress | undefined;
}

function settings(heldOut?: unknown, choice: unknown = {}, given: unknown = {}): Settings {
  const { predictive, ...own } = optionsOf('tune', Options, given);
  const sources = argument('tune', 'heldOut', labelledBatches, heldOut);
  const tuning = choiceOf('tune', 'tuning', TuningCodec, choice);
  const fromRecipe =
    isRecord(choice) && 'predictive' in choice ? choiceOf('tune', 'predictive', PredictiveCodec, choice) : undefined;
  return { ...own, sources, tuning, predictive: spreading(predictive ?? fromRecipe ?? linearised()) };
}

/** `isLeft` tells whether nobody waits for the result any more: the work then ends after the batch, or the candidate, that it is at. */
async function run(model: LayersModel, given: Posterior, own: Settings, isLeft = (): boolean => false): Promise<Tuning> {
  const breathe = breather();
  const go = (): void => {
    if (isLeft()) throw new Error('nobody waits for the tuning any more');
  };
  const pause = async (): Promise<void> => {
    await breathe();
    go();
  };
  try {
    if (own.tuning.over?.includes('noiseVariances')) {
      // What is wrong is told before the work begins.
      const { network } = await bindPosterior(model, given);
      taskOf(network, given, own.tuning, own.predictive, given);
      await pause();
    }
    const rounds = { original: given, go, pause };
    let round = await roundOf(model, withFirstRatios(given, own.tuning), own, rounds);
    let best = round.found;
    for (let made = 1; round.next !== undefined && made < MOST_ROUNDS; made++) {
      round = await roundOf(model, round.next, own, rounds);
      if (round.found.chosen.criterion < best.chosen.criterion) best = round.found;
    }
    return best;
  } catch (error) {
    throw deviceError(error);
  }
}

/** Tunes a posterior, whose noise variances keep their ratios. `next` is the posterior with better ratios, if they are chosen too. */
async function roundOf(
  model: LayersModel,
  given: Posterior,
  own: Settings,
  { original, go, pause }: { readonly original: Posterior; readonly go: () => void; readonly pause: () => Promise<void> },
): Promise<{ readonly found: Tuning; readonly next: Posterior | undefined }> {
  const { network, check } = await bindPosterior(model, given);
  const task = taskOf(network, given, own.tuning, own.predictive, original);
  const examples = await readHeldOut(network, own.sources, {
    posterior: given,
    predictive: own.predictive,
    memoryBudget: own.memoryBudget,
    onBatch: (done) => {
      own.onProgress?.({ phase: 'predict', done, total: own.sources.length, unit: 'batches' });
      go();
    },
    breathe: pause,
  });
  try {
    if (examples.N < 2) throw tooFew(examples.N);
    const found = await tuned(task, examples, async (done) => {
      own.onProgress?.({ phase: 'predict', done, unit: 'candidates' });
      await pause();
    });
    const next = await withNextRatios(task, examples, found);
    await check();
    return { found, next };
  } finally {
    examples.dispose();
  }
}

const tooFew = (N: number): LaplaceError =>
  laplaceError('Empty', {
    what: 'There are too few held-out examples',
    field: 'heldOut',
    found: `${N} example`,
    expected: 'at least 2, so that differences have a standard error',
  });
