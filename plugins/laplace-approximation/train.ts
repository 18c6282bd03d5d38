/** Trains a model with the training callback attached. */
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, type ModelFitArgs } from '@tensorflow/tfjs-layers';
import { lastValueFrom } from 'rxjs';
import { type Factors, isLaplaceError, orThrow } from 'tfjs-laplace';
import { fromDevice, matchLoss, type Network, ownBatch } from 'tfjs-laplace/extend';
import { type LaplaceCallbackOptions, laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
import type { Data } from './options.js';

/**
 * Trains, and gives the factors of the last epoch. Undefined if a callback ended training before it: the trained model and its data
 * are there, so one pass makes up for it. With a split for validation or class weights a pass over the data is not what training
 * saw. Then the error of the callback says what can be done.
 */
export async function train(
  network: Network,
  data: Data,
  args: ModelFitArgs,
  options: LaplaceCallbackOptions,
): Promise<Factors | undefined> {
  const curvature = laplaceCallback(options);
  const { model } = network;
  const { _tag } = orThrow(matchLoss(network));
  const { x, y } = orThrow(ownBatch(network, data.x, data.y));
  // Some losses of tfjs take float32 alone. A loss of the user's own gets the labels as they were given.
  const labels = tf.tidy(() => y.map((own) => (own.dtype === 'float32' || _tag === 'custom' ? own : tf.cast(own, 'float32'))));
  try {
    // Ours is the last, since others may change the weights when training ends.
    const callbacks = [...instances(args), curvature] as CustomCallback[];
    // On a lost device tfjs waits for ever: `fromDevice` rejects instead.
    await fromDevice(model.fit(x, labels, { ...args, verbose: args.verbose ?? 0, callbacks }));
  } finally {
    tf.dispose([x, y, labels]);
  }
  try {
    return await lastValueFrom(curvature.factors$);
  } catch (error) {
    const sawAll = args.validationSplit === undefined && args.classWeight === undefined;
    if (isLaplaceError(error) && error.kind === 'Empty' && sawAll) return undefined;
    throw error;
  }
}

/**
 * The callbacks of `fit` as instances: tfjs takes instances or plain objects, not both in one list. If there is no callback at
 * all, tfjs makes an instance of its own, which gives the event loop its turns during training. So does this function.
 */
const instances = ({ callbacks = {}, yieldEvery }: ModelFitArgs): ReadonlyArray<unknown> =>
  [callbacks].flat().map((given) => ('setParams' in given ? given : new CustomCallback(given as object, yieldEvery as 'auto')));
