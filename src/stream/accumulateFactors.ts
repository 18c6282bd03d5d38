/** Folds a stream of observed batches into factors: one value when the stream completes. */
import { catchError, concat, concatMap, defer, finalize, map, type Observable, type OperatorFunction } from 'rxjs';
import { type Choice, choiceOf, func, instance, ofKind, optional, optionsOf, struct } from '../codec/index.js';
import { type Curvature, CurvatureCodec, type CurvatureInput, kfac } from '../curvature/codec.js';
import type { Factors } from '../curvature/factors.js';
import type { EigenBasis } from '../curvature/layout.js';
import { PartStartCodec, startOf, withPart } from '../curvature/parts.js';
import { type ErrorParts, type LaplaceError, laplaceError } from '../errors.js';
import { type EngineChoice, EngineChoiceCodec } from '../linalg/choice.js';
import { deviceError } from '../network/device.js';
import { orThrow } from '../orThrow.js';
import { eigenBasis } from '../posterior/eigenBasis.js';
import { POSTERIOR } from '../posterior/kind.js';
import type { Posterior } from '../posterior/posterior.js';
import type { OnProgress } from '../types.js';
import { createAccumulator } from './accumulator.js';
import { type Checkpoint, CheckpointCodec, type Checkpointed, checkpointed } from './checkpoint.js';
import { everyEpoch } from './codec.js';
import { createEpochAccumulator, type EpochAccumulator } from './epochAccumulator.js';
import { OBSERVED, type ObservedBatch } from './observed.js';
import { PROGRESS } from './options.js';
import { sequential } from './sequential.js';
import { NOT_FINITE, type NotFiniteOptions, skipsOf } from './skips.js';
import { toPosterior } from './toPosterior.js';

/** Options of `accumulateFactors`. */
export interface AccumulateOptions extends NotFiniteOptions {
  /**
   * Called after every batch. `ekfac` without a `basis` reports both passes, and the decomposition of each layer between them.
   */
  readonly onProgress?: OnProgress;
  /** Number of batches of one pass, for progress. */
  readonly total?: number;
  /**
   * Which examples these are: the name of their data set, and the number of the first of them (default 0). Factors that hold an example of
   * a data set are not merged with others that hold it too. A name alone, like that of a day, stands for a data set of its own.
   */
  readonly part?: string | { readonly dataset: string; readonly first?: number };
  /** Keeps the sums now and then, so that a pass that was cut off goes on where they were kept. */
  readonly checkpoint?: Checkpoint;
  /** Receives the factors of the sound batches right before the stream fails, so that nothing gathered is lost. */
  readonly onFailure?: (gathered: Factors) => void;
  /**
   * Only for `ekfac`: a posterior of Kronecker factors of the same model. Moments are summed in its eigenvectors, so that one
   * pass is enough, and the factors of shards with the same basis can be merged. Without a basis the batches are subscribed to
   * twice.
   */
  readonly basis?: Posterior;
  /** Only for `ekfac`: the engine that computes the eigenvectors. Default: the fastest engine there is. */
  readonly engine?: EngineChoice;
}

const Options = struct('options', {
  ...PROGRESS,
  ...NOT_FINITE,
  part: optional(PartStartCodec),
  checkpoint: optional(CheckpointCodec),
  onFailure: optional(func<(gathered: Factors) => void>('a function (gathered) => void')),
  basis: optional(instance(POSTERIOR)),
  engine: optional(EngineChoiceCodec),
});

/**
 * Accumulates the curvature of observed batches, and emits one `Factors` when they end. Batches are taken one at a time, in
 * order. Unsubscribing stops after the batch in work and frees the device. `ekfac` takes two passes: it needs batches that can be
 * subscribed to again (`from(batches(…))`), or the option `basis`.
 *
 * Batches that a training callback emits (`batches$`) are summed as one pass, however many epochs they come from: `datasetSize`
 * then counts each example once an epoch.
 *
 * NaN or infinity in inputs, labels, activations or gradients ends the stream. With `onNotFinite: 'skip'` such a batch is left out and
 * counted instead: `onSkipped` and the detail of progress say how many there are, and N counts the other examples alone. `ekfac` skips the
 * same batches in both passes, and reports them twice. A pass that goes on at a checkpoint counts from there.
 *
 * Errors of the stream: `Empty` if a pass has no batch; `NotFinite`, which names batch, and field or layer (if every batch was skipped, the
 * first of them); `InvalidLabels` and `InvalidInput`, which name batch and
 * field; `UnsupportedLayer`, `NoBayesianLayer`; `InvalidOption` for `noise: 'perOutput'` under a likelihood or a Fisher matrix that has no
 * curvature of each output; `Mismatch` for batches of several models, for two passes over different numbers of examples, for a basis
 * of another model, or for a checkpoint of other weights, another curvature or another part; `Backend` for a kernel that the backend
 * lacks or a lost WebGL context.
 */
export function accumulateFactors(
  curvature: Choice<'curvature', Curvature, CurvatureInput> = kfac(),
  given: AccumulateOptions = {},
): OperatorFunction<ObservedBatch, Factors> {
  const own = choiceOf('accumulateFactors', 'curvature', CurvatureCodec, curvature);
  const options = optionsOf('accumulateFactors', Options, given);
  return (source) => {
    if (own._tag !== 'ekfac') return folded(source, { own, options });
    if (options.basis !== undefined) return folded(source, { own, options, basis: eigenBasis(options.basis) });
    if (options.checkpoint !== undefined) throw twoPasses();
    const { onProgress, engine } = options;
    const between = { ...(engine && { engine }), ...(onProgress && { onProgress }) };
    const second = (posterior: Posterior): Observable<Factors> =>
      folded(source, { own, options, basis: eigenBasis(posterior), detail: 'second pass: moments', empty: NO_SECOND_PASS }).pipe(
        map((factors) => sameData(posterior.datasetSize, factors)),
      );
    return folded(source, { own: firstPass(own), options, detail: 'first pass: eigenvectors' }).pipe(
      toPosterior(between),
      concatMap(second),
    );
  };
}

/** The curvature of the first pass of `ekfac`: Kronecker factors of the same layers, whose eigenvectors are the basis. */
export const firstPass = ({ noise: _, ...curvature }: Extract<Curvature, { readonly _tag: 'ekfac' }>): Curvature => ({
  ...curvature,
  _tag: 'kfac',
});

/** What one pass sums, and how it reports. */
interface Pass {
  readonly own: Curvature;
  readonly options: AccumulateOptions;
  readonly basis?: EigenBasis;
  /** The detail of progress events. */
  readonly detail?: string;
  /** The error of a pass without a batch. */
  readonly empty?: ErrorParts;
}

/** One pass over the batches: one epoch. */
const folded = (
  source: Observable<ObservedBatch>,
  { own, options, basis, detail, empty = NO_BATCH }: Pass,
): Observable<Factors> =>
  defer(() => {
    const { onProgress, total, onFailure, checkpoint } = options;
    const part = options.part === undefined ? undefined : startOf(options.part);
    const skips = skipsOf(options);
    const create = (before = 0): EpochAccumulator =>
      createEpochAccumulator({
        curvature: own,
        basis,
        epochs: everyEpoch(),
        announced: 1,
        empty: () => empty,
        onProgress: onProgress && ((event) => onProgress({ ...event, done: before + event.done })),
        total,
        detail: () => detail,
        skips,
      });
    const emptyOf = async ({ network }: ObservedBatch): Promise<Factors> => {
      const none = createAccumulator(network, own, basis);
      return none.factors().finally(none.reset);
    };
    const [pass, take] =
      checkpoint === undefined ? once(create()) : inSections(checkpointed(checkpoint, { create, empty: emptyOf, part }));
    const counted = (factors: Factors, examples: number): Factors => withPart(factors, part, examples);
    const failed = async (error: unknown): Promise<never> => {
      try {
        const gathered = onFailure && (await pass.gathered());
        if (gathered !== undefined && gathered.count > 0) onFailure?.(counted(gathered, pass.seen()));
      } catch (another) {
        throw deviceError(another);
      } finally {
        // The device is free before anybody hears of the end.
        await pass.dispose();
      }
      throw error;
    };
    const ended = async (): Promise<Factors> => {
      try {
        const factors = await pass.end();
        skips?.check(factors);
        // Before the result goes out, since whoever waits for it may leave then.
        await checkpoint?.clear();
        return counted(factors, pass.seen());
      } catch (error) {
        throw deviceError(error);
      }
    };
    const taken = map((batch: ObservedBatch) => take(orThrow(ofKind('accumulateFactors', OBSERVED, batch))));
    return concat(source.pipe(taken, inTurn), defer(ended)).pipe(
      catchError(failed),
      finalize(() => void pass.dispose()),
    );
  });

/** What a pass does with a batch as it comes. The rest is done in turn. */
type Take = (batch: ObservedBatch) => () => Promise<void>;
type Summed = Pick<EpochAccumulator, 'gathered' | 'seen' | 'end' | 'dispose'>;

const once = (accumulator: EpochAccumulator): readonly [Summed, Take] => [accumulator, accumulator.take];

const inSections = (pass: Checkpointed): readonly [Summed, Take] => [pass, (batch) => () => pass.take(batch)];

/** Settles each taken batch before the next, and emits nothing. */
const inTurn = sequential<() => Promise<void>, never>(async () => ({
  run: async function* (work) {
    await work();
    yield undefined;
  },
  close: () => {},
}));

const NO_BATCH: ErrorParts = {
  what: 'The stream of batches is empty',
  found: 'no batch',
  expected: 'at least one observed batch',
  remedy: 'Check the source: an iterator that was used up before gives nothing the second time.',
};

const TWICE =
  'ekfac takes its batches twice: give it batches that can be subscribed to again, as from(batches(…)), or the option basis.';

const NO_SECOND_PASS: ErrorParts = {
  what: 'The second pass of ekfac found no batch',
  found: 'batches that can be had only once: a subject, or an iterator that is used up',
  expected: 'the same batches again',
  remedy: TWICE,
};

const twoPasses = (): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'ekfac takes two passes, and a checkpoint is that of one',
    field: 'checkpoint',
    found: 'ekfac without a basis',
    expected: 'the option basis: a posterior of Kronecker factors of the same model',
  });

/** Checks that both passes saw the same number of examples. Sums of examples' weights may differ by rounding. */
function sameData(first: number, factors: Factors): Factors {
  if (Math.abs(factors.count - first) <= 1e-6 * first) return factors;
  throw laplaceError('Mismatch', {
    what: 'The two passes of ekfac saw different data',
    field: 'count',
    found: `${first} examples and then ${factors.count}`,
    expected: 'the same batches twice',
    remedy: TWICE,
  });
}
