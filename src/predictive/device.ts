/**
 * A posterior's device copies: made once for a stream of batches, disposed by the operator that made them.
 * Memory: n² + m² + 2 n m float32 numbers a layer.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Block, Network } from '../network/network.js';
import type { DenseOp } from '../network/ops.js';
import type { Posterior, PosteriorLayer } from '../posterior/posterior.js';
import { spectrum } from '../posterior/spectrum.js';
import type { Matrix } from '../types.js';

/** One layer's distribution on the device. */
export interface DeviceLayer {
  readonly block: Block;
  /** U_A [n, n]. */
  readonly inputVectors: tf.Tensor2D;
  /** U_G [m, m]. */
  readonly gradientVectors: tf.Tensor2D;
  /** T · S² [n, m]. */
  readonly variances: tf.Tensor2D;
}

/** A posterior on the device. */
export interface DevicePosterior {
  readonly layers: ReadonlyMap<DenseOp, DeviceLayer>;
  readonly dispose: () => void;
}

/** Uploads a posterior at temperature T; the network's blocks are the posterior's layers. */
export function uploadPosterior(network: Network, posterior: Posterior, temperature: number): DevicePosterior {
  const layers = new Map<DenseOp, DeviceLayer>();
  const tensors: tf.Tensor[] = [];
  tf.tidy(() => {
    for (const block of network.blocks) {
      const layer = posterior.layers.find((l) => l.name === block.name) as PosteriorLayer;
      const device = {
        inputVectors: tf.keep(upload(layer.input.vectors)),
        gradientVectors: tf.keep(upload(layer.gradient.vectors)),
        variances: tf.keep(deviceVariances(posterior, layer, temperature)),
      };
      tensors.push(...Object.values(device));
      layers.set(block.op, { block, ...device });
    }
  });
  return { layers, dispose: () => tf.dispose(tensors) };
}

function deviceVariances(posterior: Posterior, layer: PosteriorLayer, temperature: number): tf.Tensor2D {
  const { input, gradient, shift } = spectrum(posterior, layer);
  const product = tf.outerProduct(tf.tensor1d(Float32Array.from(input)), tf.tensor1d(Float32Array.from(gradient)));
  return tf.div(temperature, tf.add(product, shift));
}

const upload = ({ rows, cols, data }: Matrix): tf.Tensor2D => tf.tensor2d(Float32Array.from(data), [rows, cols]);
