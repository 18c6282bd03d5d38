/** Comparing factors and the numbers in them. */
import type * as tf from '@tensorflow/tfjs';
import { from, lastValueFrom, of } from 'rxjs';
import {
  accumulateFactors,
  batches,
  type Curvature,
  type Factors,
  kfac,
  type Likelihood,
  type Matrix,
  observe,
  type Posterior,
  type TensorData,
  toPosterior,
} from 'tfjs-laplace';
import { chain, dataOf, type Pair } from './networks.js';

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
    const [own, other] = [matricesOf(found.layers[i]), matricesOf(layer)];
    expect(Object.keys(own)).toEqual(Object.keys(other));
    for (const [part, { data }] of Object.entries(other)) {
      expect(distance(own[part]?.data ?? [], data)).toBeLessThanOrEqual(tolerance);
    }
  });
  expect(Math.abs(found.logLikelihood / expected.logLikelihood - 1)).toBeLessThanOrEqual(tolerance);
}

/** The network of a pair, ten examples for it, and the posterior of a pass over them. */
export async function fittedPair(own: Pair): Promise<{ model: tf.Sequential; x: tf.Tensor; y: tf.Tensor; posterior: Posterior }> {
  const [model, data] = [chain(own), dataOf(own, 10)];
  const posterior = await lastValueFrom(of(await pass(model, own.likelihood, data)).pipe(toPosterior()));
  return { model, ...data, posterior };
}

/** The matrices of a layer of factors or of a posterior by name, whatever its structure. */
export const matricesOf = (layer: { readonly parts: object } | undefined): Readonly<Record<string, Matrix>> => ({
  ...layer?.parts,
});

/** Factors of a pass over data at a model's present weights. */
export const pass = (
  model: tf.LayersModel,
  likelihood: Likelihood,
  data: TensorData,
  curvature: Curvature = kfac(),
  size = 4,
): Promise<Factors> =>
  lastValueFrom(from(batches(tensorsOf(data), size)).pipe(observe(model, likelihood), accumulateFactors(curvature)));

/** What `batches` takes of a data set, which in tests may have more fields. */
export const tensorsOf = ({ x, y, weights }: TensorData): TensorData => ({ x, y, ...(weights && { weights }) });
