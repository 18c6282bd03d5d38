/** Folds observed batches into factors: one value when the stream completes. */
import { concatMap, map, Observable, type OperatorFunction } from 'rxjs';
import type { Curvature } from '../curvature/codec.js';
import type { Factors } from '../curvature/factors.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { LinalgEngine } from '../linalg/engine.js';
import { deviceError } from '../network/device.js';
import type { Posterior } from '../posterior/posterior.js';
import type { OnProgress } from '../types.js';
import { type Accumulator, createAccumulator } from './accumulator.js';
import { basisOf, type GivenBasis } from './basis.js';
import { breather } from './breathe.js';
import type { ObservedBatch } from './observed.js';
import { toPosterior } from './toPosterior.js';

/** Options of `accumulateFactors`. */
export interface AccumulateOptions {
  /** Called after every batch; of two passes (`ekfac`) for each, and for each layer's decomposition between them. */
  readonly onProgress?: OnProgress;
  /** Number of batches of one pass, for progress. */
  readonly total?: number;
  /** Receives the factors of the sound batches before the stream fails, so that nothing gathered is lost. */
  readonly onFailure?: (gathered: Factors) => void;
  /**
   * Of `ekfac`: a posterior of Kronecker factors of the same model, in whose eigenvectors the moments are summed; then one pass is
   * enough, and shards that were given the same one can be merged. Without it the batches are subscribed to twice.
   */
  readonly basis?: Posterior;
  /** Of `ekfac`: where the eigenvectors are computed. Default: the fastest engine there is. */
  readonly engine?: LinalgEngine;
}

/**
 * Accumulates the curvature of observed batches; emits one `Factors` when they end. Batches are taken one at a time, in order;
 * unsubscribing stops after the one in work and frees the device. `ekfac` takes two passes, so it wants batches that can be
 * subscribed to again (`from(batches(…))`), or the option `basis`.
 *
 * Errors of the stream: `Empty` without a batch, and where the second of two passes finds none; `NotFinite`, `InvalidLabels`,
 * `InvalidInput` naming batch and field; `UnsupportedLayer`, `NoBayesianLayer`; `Mismatch` for batches of several models, two passes
 * over different numbers of examples, or a basis of another model; `Backend` for a kernel that the backend lacks or a WebGL context
 * that is lost.
 */
export const accumulateFactors =
  (
    curvature: Curvature | { readonly curvature: Curvature },
    options: AccumulateOptions = {},
  ): OperatorFunction<ObservedBatch, Factors> =>
  (source) => {
    const own = 'curvature' in curvature ? curvature.curvature : curvature;
    if (own._tag !== 'ekfac') return folded(source, { own, options });
    if (options.basis !== undefined) return folded(source, { own, options, basis: basisOf(options.basis) });
    const { onProgress, engine } = options;
    const between = { ...(engine && { engine }), ...(onProgress && { onProgress }) };
    const second = (posterior: Posterior): Observable<Factors> =>
      folded(source, { own, options, basis: basisOf(posterior), detail: 'second pass: moments', none: noSecondPass }).pipe(
        map((factors) => sameData(posterior.datasetSize, factors)),
      );
    return folded(source, { own: firstPass(own), options, detail: 'first pass: eigenvectors' }).pipe(
      toPosterior(between),
      concatMap(second),
    );
  };

/** The estimator of the first of `ekfac`'s two passes: Kronecker factors of the same layers. */
export const firstPass = ({
  fisher,
  weightSharing,
  layers,
  unsupported,
}: Extract<Curvature, { readonly _tag: 'ekfac' }>): Curvature => ({
  ...fisher,
  weightSharing,
  layers,
  unsupported,
});

/** What one pass sums, and what it says of itself. */
interface Pass {
  readonly own: Curvature;
  readonly options: AccumulateOptions;
  readonly basis?: GivenBasis;
  readonly detail?: string;
  /** The error of a pass without a batch. */
  readonly none?: () => LaplaceError;
}

/** One pass over the batches. */
const folded = (source: Observable<ObservedBatch>, { own, options, basis, detail, none = noBatch }: Pass): Observable<Factors> =>
  new Observable((subscriber) => {
    const breathe = breather();
    let first: ObservedBatch | undefined;
    let accumulator: Accumulator | undefined;
    let work: Promise<void> = Promise.resolve();
    let done = 0;

    const take = (batch: ObservedBatch): void => {
      first ??= batch;
      if (batch.network.model !== first.network.model) throw severalModels(batch, first);
      accumulator ??= createAccumulator(batch.network, own, basis);
      accumulator.add(batch);
    };
    const settle = async (): Promise<void> => {
      await accumulator?.settle();
      done += 1;
      const { onProgress, total } = options;
      onProgress?.({
        phase: 'observe',
        done,
        ...(total === undefined ? {} : { total }),
        unit: 'batches',
        ...(detail === undefined ? {} : { detail }),
      });
      await breathe();
    };
    // The device is free before anybody hears of the end.
    const end = (notify: () => void): void => {
      accumulator?.reset();
      notify();
    };
    const fail = async (error: unknown): Promise<void> => {
      if (subscriber.closed) return;
      let reported = error;
      try {
        if (options.onFailure && accumulator && accumulator.count() > 0) options.onFailure(await accumulator.factors());
      } catch (another) {
        reported = another;
      }
      end(() => subscriber.error(deviceError(reported)));
    };
    const then = (step: () => Promise<void> | void): void => {
      work = work
        .then(async () => {
          if (!subscriber.closed) await step();
        })
        .catch(fail);
    };

    const subscription = source.subscribe({
      next: (batch) => {
        if (!batch.transient) {
          then(() => {
            take(batch);
            return settle();
          });
          return;
        }
        // The tensors of a training step are gone after this call: start the work now, wait for it later.
        try {
          take(batch);
          then(settle);
        } catch (error) {
          then(() => fail(error));
        }
      },
      error: (error: unknown) => then(() => fail(error)),
      complete: () =>
        then(async () => {
          if (accumulator === undefined) throw none();
          const factors = await accumulator.factors();
          end(() => {
            subscriber.next(factors);
            subscriber.complete();
          });
        }),
    });
    return () => {
      subscription.unsubscribe();
      void work.finally(() => accumulator?.reset());
    };
  });

const noBatch = () =>
  laplaceError('Empty', {
    what: 'The stream of batches is empty',
    found: 'no batch',
    expected: 'at least one observed batch',
    remedy: 'Check the source; an iterator that was used up before gives nothing the second time.',
  });

const TWICE =
  'ekfac takes its batches twice: give it some that can be subscribed to again, as from(batches(…)), or the option basis.';

const noSecondPass = () =>
  laplaceError('Empty', {
    what: 'The second pass of ekfac found no batch',
    found: 'batches that are there once: a subject, or an iterator that is used up',
    expected: 'the same batches again',
    remedy: TWICE,
  });

/** Eigenvectors and moments are of one set of examples; sums of weights differ by rounding. */
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

const severalModels = (batch: ObservedBatch, first: ObservedBatch) =>
  laplaceError('Mismatch', {
    what: 'Batches of several models cannot be summed',
    field: 'model',
    found: batch.network.model.name,
    expected: first.network.model.name,
  });
