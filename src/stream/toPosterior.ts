/** An operator from factors to posteriors, around the pure function `posteriorOf`. */
import type { either as E } from 'fp-ts';
import {
  catchError,
  concatMap,
  from,
  map,
  type Observable,
  type OperatorFunction,
  of,
  throwError,
  type Unsubscribable,
  using,
} from 'rxjs';
import {
  anyOf,
  defaulted,
  isRecord,
  type LayerSelection,
  LayerSelectionCodec,
  ofKind,
  optional,
  optionsOf,
  positive,
  struct,
} from '../codec/index.js';
import { FACTORS, type Factors } from '../curvature/factors.js';
import type { LaplaceError } from '../errors.js';
import { type EngineChoice, EngineChoiceCodec } from '../linalg/choice.js';
import type { AsyncLinalgEngine, LinalgEngine, LinalgSession } from '../linalg/engine.js';
import { outOfMemory } from '../linalg/memory.js';
import { chosenEngine } from '../linalg/select.js';
import { orThrow } from '../orThrow.js';
import { PriorCodec, type PriorInput } from '../posterior/codec.js';
import { type Damping, DampingCodec, type DampingInput, exactDamping } from '../posterior/damping.js';
import type { Posterior } from '../posterior/posterior.js';
import { type OnLayer, type PosteriorOptions, posteriorOf, posteriorTask } from '../posterior/posteriorOf.js';
import { isotropic, Precisions, type Prior, perLayer } from '../posterior/priors.js';
import type { OnProgress } from '../types.js';
import { onProgress } from './options.js';

/** Options of `toPosterior`. A recipe serves as well. */
export interface ToPosteriorOptions {
  /** τ > 0: one number for all layers, or one for each layer by its name. Default 1. */
  readonly priorPrecision?: number | Readonly<Record<string, number>>;
  /** The prior as a value of the DSL. `priorPrecision` wins over it. */
  readonly prior?: Prior | PriorInput;
  /** Default `exactDamping()`. */
  readonly damping?: Damping | DampingInput;
  /** Layers to cover. The other layers stay at their MAP. Default: all layers of the factors. */
  readonly layers?: LayerSelection;
  /** N, if it is not the number of observed examples. */
  readonly datasetSize?: number;
  /** The engine for linear algebra, or its name. Default: the fastest engine that runs here, on this thread. */
  readonly engine?: EngineChoice;
  /** Called with the engine's name before the first layer, and after each layer. */
  readonly onProgress?: OnProgress;
}

const Options = struct('options', {
  priorPrecision: optional(anyOf(positive, Precisions, isRecord)),
  prior: defaulted(PriorCodec, isotropic(1)),
  damping: defaulted(DampingCodec, exactDamping()),
  layers: defaulted(LayerSelectionCodec, 'all'),
  datasetSize: optional(positive),
  engine: optional(EngineChoiceCodec),
  onProgress,
});

type Decoded = Omit<(typeof Options)['_A'], 'engine' | 'onProgress'>;

/**
 * Builds a posterior from each `Factors`. Two symmetric matrices are decomposed for each layer, in O(n³ + m³). No device memory
 * is held. TensorFlow decomposes matrices of equal size together, one to a core. Each decomposition blocks the thread, unless the
 * engine works elsewhere (`tfjs-laplace/plugins/workers`). Unsubscribing ends the work.
 *
 * Errors of the stream: the errors of `posteriorOf`; `Backend` if the engine cannot run, or if there is too little memory.
 *
 * @throws LaplaceError `InvalidOption` for an option that no factors suit, such as a prior precision of 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const posterior = await lastValueFrom(
 *   from(batches(data, 2)).pipe(observe(model, gaussian()), accumulateFactors(kfac()), toPosterior({ priorPrecision: 10 })),
 * );
 * posterior.layers[0].priorPrecision; // => 10
 * ```
 */
export function toPosterior(options: ToPosteriorOptions = {}): OperatorFunction<Factors, Posterior> {
  const { engine: choice, onProgress: listener, ...own } = optionsOf('toPosterior', Options, options);
  const engineChosen = chosenEngine(choice);
  return concatMap((given) =>
    from(engineChosen()).pipe(
      map(orThrow),
      concatMap((engine) =>
        built(orThrow(ofKind('toPosterior', FACTORS, given)), decided(own), engine, progress(listener, engine)),
      ),
      map(orThrow),
      // The matrices around a decomposition need room as well, and an engine of one's own may throw.
      catchError((error: unknown) => throwError(() => outOfMemory('The decomposition', error) ?? error)),
    ),
  );
}

/**
 * Builds the posterior with an engine of this thread, or in the session of an engine elsewhere. The session is closed in any
 * case.
 */
function built(
  factors: Factors,
  options: PosteriorOptions,
  engine: LinalgEngine | AsyncLinalgEngine,
  onLayer: OnLayer,
): Observable<E.Either<LaplaceError, Posterior>> {
  if (!('open' in engine)) return of(posteriorOf(factors, options, engine, onLayer));
  return using(
    () => {
      const session = engine.open();
      return { session, unsubscribe: () => session.close() };
    },
    (resource) => posteriorTask(factors, options, (resource as OpenSession).session, onLayer)(),
  );
}

/** A session as a resource of rxjs's `using`. */
interface OpenSession extends Unsubscribable {
  readonly session: LinalgSession;
}

function decided({ priorPrecision: tau, prior, ...rest }: Decoded): PosteriorOptions {
  return { ...rest, prior: tau === undefined ? prior : typeof tau === 'number' ? isotropic(tau) : perLayer(tau) };
}

const progress =
  (listener: OnProgress | undefined, { name }: { readonly name: string }): OnLayer =>
  (done, total, layer = `engine: ${name}`) =>
    listener?.({ phase: 'decompose', done, total, unit: 'layers', detail: layer });
