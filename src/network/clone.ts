/**
 * Independent copies of a model with other weights. A copy is loaded from the model's topology and a weight buffer in memory,
 * as a saved model would be. So its initialisers, which can take longer than the sampling, never run.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, type LayerVariable, loadLayersModel } from '@tensorflow/tfjs-layers';
import { laplaceError } from '../errors.js';
import { fromDevice } from './device.js';
import type { Block } from './network.js';
import type { Layer } from './ops.js';

/** A new model of the same topology and weights; the caller disposes it. Custom layers must be registered with tfjs. */
export async function cloneModel(model: LayersModel): Promise<LayersModel> {
  const named = model.weights.map((w) => ({ name: w.originalName, tensor: w.read() as tf.Tensor }));
  const { data, specs } = await fromDevice(tf.io.encodeWeights(named));
  try {
    const modelTopology = withoutInitialisers(model.toJSON(null, false)) as object;
    return await loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: specs, weightData: data }));
  } catch (cause) {
    throw laplaceError('InvalidModel', {
      what: `Model '${model.name}' cannot be copied`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'Register custom layers with tf.serialization.registerClass, so that the model can be saved and loaded.',
      cause,
    });
  }
}

/**
 * A topology whose initialisers all make zeros, which costs nothing. tfjs skips the initialisers of a loaded model, but not the
 * initialisers of functional models inside it. Only one thing is lost: a copy cannot be retrained from scratch.
 */
function withoutInitialisers(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(withoutInitialisers);
  if (typeof config !== 'object' || config === null) return config;
  const entries = Object.entries(config).map(([key, value]) =>
    key.endsWith('_initializer') && value !== null ? [key, ZEROS] : [key, withoutInitialisers(value)],
  );
  return Object.fromEntries(entries);
}

const ZEROS = { class_name: 'Zeros', config: {} };

/**
 * Writes W [P·n, m] into the variables of a block in `model`, a copy of the network's model. The bias is the last row of each
 * group.
 */
export function writeBlock(model: LayersModel, block: Block, W: tf.Tensor2D): void {
  const copy = findLayer(model, block.layer.name);
  tf.tidy(() => {
    block.map.fromMatrix(W).forEach((value, i) => {
      const variable = block.map.variables[i] as LayerVariable;
      (copy.weights[block.layer.weights.indexOf(variable)] as LayerVariable).write(value);
    });
  });
}

/** A layer by name, inside inner models too. */
function findLayer(model: LayersModel, name: string): Layer {
  const stack = [...model.layers];
  for (let layer = stack.pop(); layer !== undefined; layer = stack.pop()) {
    if (layer.name === name) return layer;
    if ('layers' in layer) stack.push(...(layer as unknown as LayersModel).layers);
  }
  throw laplaceError('InvalidModel', { what: `The copy of the model has no layer '${name}'`, layer: name });
}
