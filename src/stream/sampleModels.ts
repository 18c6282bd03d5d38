/** Operators that draw networks from a posterior: as models of their own, or as the weights of one working copy. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Observable, type OperatorFunction, switchMap } from 'rxjs';
import { argument, countOrInfinite, defaulted, func, optionsOf, struct } from '../codec/index.js';
import { cloneModel, writeBlock } from '../network/clone.js';
import { checkDevice, deviceError } from '../network/device.js';
import { notDisposed } from '../network/network.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { residentPosterior } from '../predictive/device/device.js';
import { disposeWeights, drawWeights } from '../predictive/sampling/weightSampling.js';
import { type Key, key } from '../random/key.js';
import { type Design, noiseOf } from '../random/noise.js';
import { type Bound, bindPosterior } from './bound.js';
import { breather } from './breathe.js';
import { DRAWS } from './options.js';

/** Options of `sampleModels` and `mapSamples`. */
export interface SampleOptions {
  /** How many networks. `Infinity` goes on until nobody listens. Default 10. */
  readonly samples?: number;
  /** T >= 0 multiplies the covariance. 0 gives the MAP. Default 1. */
  readonly temperature?: number;
  /** For one seed, sample s is the same network on every backend, whatever the number of samples. Default 0. */
  readonly seed?: number;
  /**
   * How the networks are related: `'independent'`, `'antithetic'` (every second network mirrors the one before about the trained
   * network) or `'quasiRandom'` (the networks are spread evenly in every direction). Default `'independent'`.
   */
  readonly design?: Design;
}

const Project = func('a function (sample, index) => result');

const Options = struct('options', { samples: defaulted(countOrInfinite, 10), ...DRAWS });

/**
 * Emits models of their own, one after another, whose covered layers are drawn from the posterior. The models are made while
 * somebody listens, and the listener disposes them. A new posterior ends the models of the one before. Unsubscribing stops after
 * the model in work.
 *
 * Errors of the stream: `Mismatch` when the model's weights are not the posterior's, also when they change between two networks;
 * `InvalidModel` (custom layers that are not registered), `Backend`.
 *
 * @throws LaplaceError `InvalidOption` for an option that is out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom, toArray } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, observe, sampleModels, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const members = await lastValueFrom(
 *   from(batches(data, 2)).pipe(
 *     observe(model, gaussian()),
 *     accumulateFactors(kfac()),
 *     toPosterior(),
 *     sampleModels(model, { samples: 3, seed: 7 }),
 *     toArray(),
 *   ),
 * );
 * members.length; // => 3
 * ```
 */
export const sampleModels = (model: LayersModel, options: SampleOptions = {}): OperatorFunction<Posterior, LayersModel> =>
  drawn('sampleModels', model, options, async (bound, write) => ({
    next: async (s) => {
      const member = await copyOf(bound);
      write(member, s);
      return member;
    },
    refuse: (member) => void member.dispose(),
    close: () => {},
  }));

/**
 * Writes the weights of each draw into one working copy of the model, calls `project` with the copy, and emits the result. The
 * next draw waits for the result. This is much cheaper than `sampleModels` if each network is used only once. The copy is made
 * once: weights of the model that change later do not matter. It is disposed at the end; `project` must not keep it. Errors are
 * those of `sampleModels`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom, toArray } from 'rxjs';
 * import { accumulateFactors, batches, gaussian, kfac, mapSamples, observe, toPosterior } from 'tfjs-laplace';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.tensor2d([[1, 2], [3, 4], [5, 6]]), y: tf.tensor2d([[1], [2], [3]]) };
 * const slopes = await lastValueFrom(
 *   from(batches(data, 2)).pipe(
 *     observe(model, gaussian()),
 *     accumulateFactors(kfac()),
 *     toPosterior(),
 *     mapSamples(model, { samples: 4 }, (sample) => sample.getWeights()[0].dataSync()[0]),
 *     toArray(),
 *   ),
 * );
 * slopes.length; // => 4
 * ```
 */
export function mapSamples<R>(
  model: LayersModel,
  options: SampleOptions,
  project: (sample: LayersModel, index: number) => R | Promise<R>,
): OperatorFunction<Posterior, R> {
  argument('mapSamples', 'project', Project, project);
  return drawn('mapSamples', model, options, async (bound, write) => {
    const copy = await copyOf(bound);
    return {
      next: async (s) => {
        write(copy, s);
        return project(copy, s);
      },
      refuse: () => {},
      close: () => void copy.dispose(),
    };
  });
}

/** Makes the value of each draw. `refuse` frees a value that nobody listens to any more. */
interface Maker<R> {
  readonly next: (sample: number) => Promise<R>;
  readonly refuse: (value: R) => void;
  readonly close: () => void;
}

/** A copy of the model at the weights that the posterior belongs to. */
async function copyOf({ network, check }: Bound): Promise<LayersModel> {
  await check();
  const copy = await cloneModel(network.model);
  try {
    // The weights may have changed while they were read.
    await check();
    return copy;
  } catch (error) {
    copy.dispose();
    throw error;
  }
}

/** Writes draw number s into a copy of the model. */
type Write = (copy: LayersModel, sample: number) => void;

/** An operator that draws from each posterior. It checks the options at once. */
function drawn<R>(
  what: string,
  model: LayersModel,
  options: SampleOptions,
  open: (bound: Bound, write: Write) => Promise<Maker<R>>,
): OperatorFunction<Posterior, R> {
  const { seed, ...own } = optionsOf(what, Options, options);
  const draws = { ...own, root: key(seed) };
  return switchMap((posterior) => drawsOf(model, posterior, draws, open));
}

interface Draws {
  readonly samples: number;
  readonly temperature: number;
  readonly design: Design;
  readonly root: Key;
}

function drawsOf<R>(
  model: LayersModel,
  posterior: Posterior,
  { samples, temperature, design, root }: Draws,
  open: (bound: Bound, write: Write) => Promise<Maker<R>>,
): Observable<R> {
  return new Observable((subscriber) => {
    const produce = async (): Promise<void> => {
      const bound = await bindPosterior(model, posterior);
      const { network } = bound;
      const device = residentPosterior(network, posterior, temperature);
      let maker: Maker<R> | undefined;
      try {
        const write: Write = (copy, s) => {
          const draw = drawWeights(device, noiseOf(design, root, s));
          for (const block of network.blocks) writeBlock(copy, block, draw.get(block) as never);
          disposeWeights(draw);
        };
        maker = await open(bound, write);
        const breathe = breather();
        for (let s = 0; s < samples && !subscriber.closed; s++) {
          orThrow(notDisposed(model));
          const value = await maker.next(s);
          // Nothing is read from the device here, so that only this check finds a lost device.
          checkDevice();
          if (subscriber.closed) maker.refuse(value);
          else subscriber.next(value);
          await breathe();
        }
      } finally {
        maker?.close();
        device.dispose();
      }
      subscriber.complete();
    };
    produce().catch((error: unknown) => subscriber.error(deviceError(error)));
  });
}
