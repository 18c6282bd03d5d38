/**
 * The scale s of the outputs that predict classes or independent labels. It multiplies the outputs f* of the trained network and leaves
 * alone how the outputs vary around them: f ~ N(s f*, Σ), and a draw f becomes s f* + (f − f*).
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../../errors.js';
import type { Head, Network } from '../../network/network.js';
import { formOf } from './report.js';

/** Whether a head has a use for a scale. */
const isScaled = (head: Head): boolean => formOf(head)._tag === 'classification';

/** Throws `InvalidOption` for a scale if no head predicts classes or labels. */
export function checkScale(heads: ReadonlyArray<Head>, scale: number): void {
  if (scale === 1 || heads.some(isScaled)) return;
  const names = [...new Set(heads.map(({ row }) => row.ops.name))];
  throw laplaceError('InvalidOption', {
    what: `The ${names.join(' and ')} likelihood has no use for a scale`,
    field: 'predictive.scale',
    found: String(scale),
    expected: '1, the default',
    remedy:
      'The scale is for the probabilities of classes and labels. For a regression change the noise variance or the temperature.',
  });
}

/** What a scale adds to every draw, (s − 1) f* [B, C], from f*. */
export type Shift = (mean: tf.Tensor2D) => tf.Tensor2D;

/** The shift of a scale. Undefined for the scale 1, which needs no f*. Throws `InvalidOption` as `checkScale` does. */
export function shiftOf({ heads, outputs }: Network, scale: number): Shift | undefined {
  checkScale(heads, scale);
  if (scale === 1) return undefined;
  const factors = new Float32Array(outputs);
  for (const head of heads) if (isScaled(head)) factors.fill(scale - 1, head.first, head.first + head.outputs);
  return (mean) => tf.mul(mean, tf.tensor1d(factors));
}
