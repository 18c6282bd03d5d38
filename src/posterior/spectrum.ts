/**
 * The posterior's variances in its eigenbasis: S² [n, m] per layer, and what follows from them. All damping lives here.
 */
import type { Matrix } from '../types.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** One factor each of S_ij² = 1 / (input_i · gradient_j + shift): what a device needs to build S² without [n, m] numbers. */
export interface Spectrum {
  readonly input: Float64Array;
  readonly gradient: Float64Array;
  readonly shift: number;
}

/** Precision of the layer's weights in the eigenbasis, input_i · gradient_j + shift. */
export function spectrum({ damping, datasetSize: N }: Posterior, layer: PosteriorLayer): Spectrum {
  const { priorPrecision: tau, input, gradient } = layer;
  switch (damping._tag) {
    case 'exact':
      return { input: input.values.map((v) => N * v), gradient: gradient.values, shift: tau };
    case 'factored': {
      const [rootN, rootTau] = [Math.sqrt(N), Math.sqrt(tau)];
      const damped = (values: Float64Array): Float64Array => values.map((v) => rootN * v + rootTau);
      return { input: damped(input.values), gradient: damped(gradient.values), shift: 0 };
    }
  }
}

/** S² [n, m]: variances of the layer's weights in the eigenbasis at T = 1. */
export function variances(posterior: Posterior, layer: PosteriorLayer): Matrix {
  const { input, gradient, shift } = spectrum(posterior, layer);
  const data = new Float64Array(layer.n * layer.m);
  for (let i = 0; i < layer.n; i++) {
    for (let j = 0; j < layer.m; j++) data[i * layer.m + j] = 1 / ((input[i] as number) * (gradient[j] as number) + shift);
  }
  return { rows: layer.n, cols: layer.m, data };
}

/** log det of the layer's posterior precision minus log det of its prior precision, n m log τ. */
export function logDetRatio(posterior: Posterior, layer: PosteriorLayer): number {
  const { input, gradient, shift } = spectrum(posterior, layer);
  const tau = layer.priorPrecision;
  let sum = 0;
  for (const a of input) {
    // log1p keeps the digits of directions that the data say little about; there shift is τ.
    for (const g of gradient) sum += shift > 0 ? Math.log1p((a * g) / shift) : Math.log((a * g) / tau);
  }
  return sum;
}
