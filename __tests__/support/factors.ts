/** Comparing factors and the numbers in them. */
import type * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom } from 'rxjs';
import { accumulateFactors, batches, type Curvature, type Factors, kfac, type Likelihood, observe } from 'tfjs-laplace';

/** The largest difference between two arrays, relative to the largest entry of the second. */
export function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (v, i) => Math.abs((found[i] as number) - v))) / scale;
}

/** The same layers, counts and sums, entries within `tolerance` of their matrix's largest. */
export function expectSameFactors(found: Factors, expected: Factors, tolerance: number): void {
  expect(found.layout).toEqual(expected.layout);
  expect(found.count).toBe(expected.count);
  expected.layers.forEach((layer, i) => {
    const own = found.layers[i] as (typeof expected.layers)[number];
    expect(distance(own.input.data, layer.input.data)).toBeLessThanOrEqual(tolerance);
    expect(distance(own.gradient.data, layer.gradient.data)).toBeLessThanOrEqual(tolerance);
  });
  expect(Math.abs(found.logLikelihood / expected.logLikelihood - 1)).toBeLessThanOrEqual(tolerance);
}

/** Factors of a pass over data at a model's present weights. */
export const pass = (
  model: tf.LayersModel,
  likelihood: Likelihood,
  data: { readonly x: tf.Tensor | ReadonlyArray<tf.Tensor>; readonly y: tf.Tensor },
  curvature: Curvature = kfac(),
  size = 4,
): Promise<Factors> => lastValueFrom(from(batches(data, size)).pipe(observe(model, likelihood), accumulateFactors(curvature)));
