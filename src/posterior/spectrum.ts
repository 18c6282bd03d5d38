/**
 * The posterior's variances in its eigenbasis: S² [n, m] per layer, and what follows from them. All damping lives here.
 */
import type { Matrix } from '../types.js';
import { isLowRank, noVariances } from './lowRank.js';
import type { Posterior, PosteriorLayer } from './posterior.js';

/** Precision of each weight in the eigenbasis: what a device needs to build S² without [P·n, m] numbers, where that can be. */
export type Spectrum =
  /** input_i · gradient_j + shift, within each group. */
  | { readonly _tag: 'product'; readonly input: Float64Array; readonly gradient: Float64Array; readonly shift: number }
  /** curvature_ij + shift, [P·n, m]. */
  | { readonly _tag: 'table'; readonly curvature: Float64Array; readonly shift: number };

/** The precisions of a layer's weights in the eigenbasis. Throws `UnsupportedLayer` for one that has none (`lowRank.ts`). */
export function spectrum({ damping, datasetSize: N }: Posterior, layer: PosteriorLayer): Spectrum {
  if (isLowRank(layer)) throw noVariances(layer.name);
  const { priorPrecision: tau, input, gradient } = layer;
  if (layer.spectrum !== undefined) return { _tag: 'table', curvature: layer.spectrum.data.map((v) => N * v), shift: tau };
  switch (damping._tag) {
    case 'exact':
      return { _tag: 'product', input: input.values.map((v) => N * v), gradient: gradient.values, shift: tau };
    case 'factored': {
      const [rootN, rootTau] = [Math.sqrt(N), Math.sqrt(tau)];
      const damped = (values: Float64Array): Float64Array => values.map((v) => rootN * v + rootTau);
      return { _tag: 'product', input: damped(input.values), gradient: damped(gradient.values), shift: 0 };
    }
  }
}

/**
 * S² [P·n, m]: variances of the layer's weights in the eigenbasis at T = 1.
 *
 * @throws LaplaceError `UnsupportedLayer` for a layer of diagonal plus low rank, whose weights are independent along no directions.
 */
export function variances(posterior: Posterior, layer: PosteriorLayer): Matrix {
  const { groups, n, m } = layer;
  const own = spectrum(posterior, layer);
  if (own._tag === 'table') return { rows: groups * n, cols: m, data: own.curvature.map((v) => 1 / (v + own.shift)) };
  const data = new Float64Array(groups * n * m);
  for (let i = 0; i < groups * n; i++) {
    const gradient = own.gradient.subarray(Math.floor(i / n) * m);
    for (let j = 0; j < m; j++) data[i * m + j] = 1 / ((own.input[i] as number) * (gradient[j] as number) + own.shift);
  }
  return { rows: groups * n, cols: m, data };
}
