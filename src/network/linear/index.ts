/** The layers that are a single map, linear in its weights, and the map of each. */
import { convolutionMap } from './convolution.js';
import { denseMap } from './dense.js';
import { depthwiseMap } from './depthwise.js';
import { embeddingMap } from './embedding.js';
import type { Layer, LinearMap, ValueShape } from './map.js';
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

/** The map of a layer for inputs of this shape (without the batch). Undefined for layers that are not a single map. */
export const linearMap = (layer: Layer, inputShape: ValueShape): LinearMap | undefined =>
  MAPS[layer.getClassName()]?.(layer, inputShape);

export { type LinearMap, present } from './map.js';
