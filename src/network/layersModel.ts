/** Tells a model of layers from what is given in its place by mistake. TypeScript tells too, but plain JavaScript does not. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import { type ErrorParts, type LaplaceError, laplaceError } from '../errors.js';

/** The model itself, or `InvalidModel` for anything but a `tf.LayersModel`. */
export function layersModel(model: unknown): E.Either<LaplaceError, LayersModel> {
  const own = (model ?? {}) as Readonly<Record<string, unknown>>;
  if (Array.isArray(own.layers) && typeof own.getClassName === 'function') return E.right(model as LayersModel);
  return E.left(laplaceError('InvalidModel', { expected: 'a tf.LayersModel', ...complaint(own, model) }));
}

function complaint(own: Readonly<Record<string, unknown>>, model: unknown): ErrorParts {
  if (typeof own.executeAsync === 'function') {
    return {
      what: 'A graph model has no layers that could be covered: it is one frozen function',
      found: 'a tf.GraphModel',
      remedy:
        'Convert the model anew from Keras, tensorflowjs_converter --input_format=keras --output_format=tfjs_layers_model, and load it with tf.loadLayersModel.',
    };
  }
  if (typeof own.then === 'function') {
    return { what: 'The model is still being loaded', found: 'a promise', remedy: 'Wait for it: await tf.loadLayersModel(…).' };
  }
  const found = typeof own.getClassName === 'function' ? `a layer, ${own.getClassName()}` : typeof model;
  return { what: 'This is no model of layers', found, remedy: 'Make one with tf.sequential or tf.model, or load one.' };
}
