/** Sends batches through a predictor, one at a time: the common part of `predict` and `predictRunning`. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OperatorFunction } from 'rxjs';
import { type Choice, choiceOf, optionsOf, struct } from '../codec/index.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';
import { type Predictive, PredictiveCodec, type PredictiveInput } from '../predictive/codec.js';
import type { Running } from '../predictive/prediction.js';
import { createPredictor } from '../predictive/predictor.js';
import type { OnProgress } from '../types.js';
import { bindPosterior } from './bound.js';
import { type InputSource, ownInputs } from './inputSource.js';
import { memoryBudget, PROGRESS } from './options.js';
import { sequential, type Worker } from './sequential.js';

/** A predictive, or a recipe, which has one. */
export type PredictiveChoice = Choice<'predictive', Predictive, PredictiveInput>;

/** Options of `predict` beside the predictive itself. */
export interface PredictOptions {
  /**
   * Called after every batch. While a batch takes longer than a second, it is also called between draws, once a second: `done`
   * still counts batches then, and `detail` names the draw.
   */
  readonly onProgress?: OnProgress;
  /** Number of batches, for progress. */
  readonly total?: number;
  /**
   * The most bytes to allocate on the device. Default 1 GiB; `Infinity` for no bound.
   *
   * The linearised predictive counts all that it allocates beside the model and the batch. It splits batches, outputs and layers
   * into parts that fit, and takes longer with fewer bytes. The sampled predictives count what goes through the network at once
   * and what they keep of it for the next draw or batch; the posterior, one drawn network and what one example takes come on top.
   */
  readonly memoryBudget?: number;
}

const Options = struct('options', { ...PROGRESS, memoryBudget });

/** The longest time within a batch without a progress event, in milliseconds. */
const INTERVAL = 1000;

/**
 * An operator that predicts batches. It checks the options at once. `emit` turns each state of a batch's prediction into the value to emit, or into nothing. The
 * value of the last state is emitted after the batch's tensors are freed.
 */
export function predicting<B>(
  what: string,
  model: LayersModel,
  posterior: Posterior,
  predictive: PredictiveChoice,
  options: PredictOptions,
  emit: (state: Running, index: number) => Promise<B | undefined> | undefined,
): OperatorFunction<InputSource, B> {
  const chosen = choiceOf(what, 'predictive', PredictiveCodec, predictive);
  const own = optionsOf(what, Options, options);
  return sequential(() => predictingWorker(model, posterior, chosen, own, emit));
}

async function predictingWorker<B>(
  model: LayersModel,
  posterior: Posterior,
  predictive: Predictive,
  { onProgress, total, memoryBudget: budget }: PredictOptions,
  emit: (state: Running, index: number) => Promise<B | undefined> | undefined,
): Promise<Worker<InputSource, B>> {
  const { network, check } = await bindPosterior(model, posterior);
  const predictor = createPredictor(network, posterior, predictive, budget);
  const tell = (done: number, detail?: string): void =>
    onProgress?.({
      phase: 'predict',
      done,
      ...(total === undefined ? {} : { total }),
      unit: 'batches',
      ...(detail === undefined ? {} : { detail }),
    });
  return {
    run: async function* (source, index) {
      await check();
      const x = orThrow(ownInputs(network, source));
      let last: B | undefined;
      try {
        let told = Date.now();
        for await (const state of predictor.run(x, index)) {
          const value = await emit(state, index);
          // The weights may have changed while the batch was in work.
          await check();
          if (state.done) {
            last = value;
            break;
          }
          if (Date.now() - told >= INTERVAL) {
            told = Date.now();
            tell(index, `draw ${state.samples} of ${state.most}`);
          }
          yield value;
          await check();
        }
      } finally {
        tf.dispose(x);
      }
      tell(index + 1);
      yield last;
    },
    close: predictor.dispose,
  };
}
