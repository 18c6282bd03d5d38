/**
 * The device form of layers whose weights are independent along directions U_A on the input side and U_G on the gradient side.
 * Each group of a layer keeps at most n² + m² + n m float32 numbers.
 */
import * as tf from '@tensorflow/tfjs-core';
import { uploadVectors } from '../../../network/uploadVectors.js';
import type { Posterior, PosteriorLayer } from '../../../posterior/posterior.js';
import { noDirections, precisions } from '../../../posterior/variances.js';
import type { Matrix } from '../../../types.js';
import { deviationAlong } from './deviation.js';
import { outputsAlong, squaredAlong } from './lastOutputs.js';
import type { DeviceDirections, DeviceForm, DeviceStructure, Hold } from './structure.js';

/** The directions of a layer's two sides, each absent if it is the identity. */
const sidesOf = ({ parts }: PosteriorLayer): { readonly inputVectors?: Matrix; readonly gradientVectors?: Matrix } => parts;

export const directional: DeviceStructure<PosteriorLayer> = {
  upload: (posterior, layer, temperature, hold) => {
    const { inputVectors, gradientVectors } = sidesOf(layer);
    const kept = (vectors: Matrix | undefined): tf.Tensor | undefined => vectors && hold(uploadVectors(vectors, layer.groups));
    return formAlong({
      inputVectors: kept(inputVectors),
      gradientVectors: kept(gradientVectors),
      variances: variancesOf(posterior, layer, temperature, hold),
    });
  },
  under: (posterior, layer, temperature, form) =>
    formAlong({ ...form.directions(), variances: variancesOf(posterior, layer, temperature, (t) => t) }),
  // The directions; the variances, and two intermediate results of the same size.
  numbers: (layer) => {
    const { inputVectors, gradientVectors } = sidesOf(layer);
    const vectors = (inputVectors?.data.length ?? 0) + (gradientVectors?.data.length ?? 0);
    return vectors + 3 * layer.groups * layer.n * layer.m;
  },
};

const formAlong = (directions: DeviceDirections): DeviceForm => ({
  directions: () => directions,
  deviation: (noise) => deviationAlong(directions, noise),
  squaredInputs: (a) => squaredAlong(directions, a),
  outputs: (u, want) => outputsAlong(directions, u, want),
  dispose: () => tf.dispose(Object.values(directions).filter((t) => t !== undefined)),
});

/**
 * T · S² [P, n, m]. If the precisions are products (`_tag` is `'rows'`), they are computed on the device, and the host never
 * holds [P·n, m] numbers.
 */
function variancesOf(posterior: Posterior, layer: PosteriorLayer, temperature: number, hold: Hold): tf.Tensor3D {
  const { groups: P, n, m } = layer;
  const own = precisions(posterior, layer);
  if (own === undefined) throw noDirections(layer.name);
  const values = (data: Float64Array, shape: [number, number, number]): tf.Tensor => tf.tensor(Float32Array.from(data), shape);
  return hold(
    tf.tidy(() => {
      const precision =
        own._tag === 'table'
          ? tf.add(values(own.curvature, [P, n, m]), own.shift)
          : tf.add(tf.mul(values(own.scale, [P, n, 1]), values(own.gradient, [P, 1, m])), values(own.shift, [P, n, 1]));
      return tf.div(temperature, precision);
    }),
  ) as tf.Tensor3D;
}
