/**
 * Changes a model for the length of one training run, and changes it back. tfjs tells callbacks when training starts and, if all
 * goes well, when it ends. After an error it tells nobody, but it always sets `model.isTraining` to false. The patch listens to
 * that assignment and undoes itself then, so that a regular end, a `stopTraining` and an error all leave nothing behind.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

type Minimize = tf.Optimizer['minimize'];

/** Wraps `model.optimizer.minimize` until training is over. Calls `onEnd` once, right after everything is put back. */
export function patchTraining(model: LayersModel, wrap: (minimize: Minimize) => Minimize, onEnd: () => void): void {
  const optimizer = model.optimizer;
  const own = Object.getOwnPropertyDescriptor(optimizer, 'minimize');
  optimizer.minimize = wrap(optimizer.minimize.bind(optimizer));
  const training = Object.getOwnPropertyDescriptor(model, 'isTraining') as PropertyDescriptor;

  Object.defineProperty(model, 'isTraining', {
    configurable: true,
    enumerable: true,
    get: () => true,
    set: (value: boolean) => {
      if (value) return;
      Object.defineProperty(model, 'isTraining', training);
      if (own) Object.defineProperty(optimizer, 'minimize', own);
      else delete (optimizer as Partial<tf.Optimizer>).minimize;
      // The restored property may be the patch of another callback that watches the same training. That patch has to end as well.
      Reflect.set(model, 'isTraining', value);
      onEnd();
    },
  });
}
