/** Tells which layers are linear in their weights, and gives their linear maps. */

import { laplaceError } from '../../errors.js';
import { convolutionMap } from './convolution.js';
import { denseMap } from './dense.js';
import { depthwiseMap } from './depthwise.js';
import { embeddingMap } from './embedding.js';
import type { Layer, LinearLayer, LinearMap, ValueShape } from './map.js';
import { transposedMap } from './transposed.js';

const MAPS: Readonly<Record<string, (layer: Layer, inputShape: ValueShape) => LinearMap>> = {
  Dense: denseMap,
  Conv1D: convolutionMap,
  Conv2D: convolutionMap,
  Conv3D: convolutionMap,
  Conv2DTranspose: transposedMap,
  Conv3DTranspose: transposedMap,
  DepthwiseConv2D: depthwiseMap,
  Embedding: embeddingMap,
};

/**
 * The linear map of a layer for inputs of this shape (without the batch). Undefined for a layer that is not a single linear map.
 */
export const linearMap = (layer: Layer, inputShape: ValueShape): LinearMap | undefined => {
  const known = MAPS[layer.getClassName()];
  return known === undefined ? ownMap(layer, inputShape) : known(layer, inputShape);
};

/** The map that a layer class of your own brings with its method `linearMap`. Undefined for a layer without one. */
function ownMap(layer: Layer, inputShape: ValueShape): LinearMap | undefined {
  const { linearMap: own } = layer as Layer & Partial<LinearLayer>;
  const map = typeof own === 'function' ? own.call(layer, inputShape) : undefined;
  if (map === undefined) return undefined;
  const missing = PARTS.filter((part) => map[part] === undefined);
  const foreign = map.variables?.some((variable) => !layer.weights.includes(variable));
  if (missing.length === 0 && !foreign) return map;
  throw laplaceError('InvalidModel', {
    what: `The linear map of layer '${layer.name}' is not valid`,
    layer: layer.name,
    field: 'linearMap',
    found: missing.length > 0 ? `no ${missing.join(', ')}` : "a variable that is not among the layer's weights",
    expected: 'every part of a LinearMap, made of weights of the layer',
    remedy: 'To make the map of x K + b, use kernelMap of tfjs-laplace/extend.',
  });
}

const PARTS = [
  'groups',
  'n',
  'm',
  'bias',
  'inputs',
  'variables',
  'apply',
  'unfold',
  'atPositions',
  'pullback',
  'toMatrix',
  'fromMatrix',
] as const;

export { type LinearMap, present } from './map.js';
