/** A map that runs at every step of a sequence (TimeDistributed): the steps of an example are positions like any other. */
import * as tf from '@tensorflow/tfjs-core';
import type { LinearMap } from './map.js';

/** Turns a map over [R, …] into one over sequences [R, S, …]. */
export function overSteps(map: LinearMap, steps: number | null): LinearMap {
  const merged = (t: tf.Tensor): tf.Tensor => tf.reshape(t, [-1, ...t.shape.slice(2)]);
  const split = (t: tf.Tensor, R: number): tf.Tensor => tf.reshape(t, [R, (t.shape[0] as number) / R, ...t.shape.slice(1)]);
  /** [P, R·S, T, d] to [P, R, S·T, d]. */
  const positions = (t: tf.Tensor4D, R: number): tf.Tensor4D => {
    const [P, rows, T, d] = t.shape;
    return tf.reshape(t, [P, R, (rows / R) * T, d]);
  };
  return {
    ...map,
    positions: steps === null || map.positions === undefined ? undefined : steps * map.positions,
    apply: (x, weights) => split(map.apply(merged(x), weights), x.shape[0] as number),
    unfold: (x) => positions(map.unfold(merged(x)), x.shape[0] as number),
    atPositions: (z) => positions(map.atPositions(merged(z)), z.shape[0] as number),
    pullback: (g, x, weights) => split(map.pullback(merged(g), merged(x), weights), g.shape[0] as number),
  };
}
