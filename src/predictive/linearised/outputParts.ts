/** Puts variances or covariances together that are computed for some outputs at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from '../../network/concat.js';
import type { LinearisedPlan } from '../device/plans.js';

/** Bounds on what is computed at once. By default all outputs send their gradients back together. */
export type Chunks = Partial<Pick<LinearisedPlan, 'outputs' | 'numbers'>>;

/** Computes for some outputs under K posteriors. */
type OfOutputs = (outputs: ReadonlyArray<number>) => tf.Tensor;

/** The variances [K, B, C], computed for some outputs at a time. */
export const chunked = (C: number, { outputs: step = C }: Chunks, of: OfOutputs): tf.Tensor => concat(ranges(C, step).map(of), 2);

/**
 * The covariances [K, B, C, C], computed for some outputs at a time. The covariances between two parts of the outputs need the
 * gradients of both parts. So k parts take k (k − 1) / 2 backward passes of two parts each.
 */
export function paired(C: number, { outputs: most = C }: Chunks, of: OfOutputs): tf.Tensor {
  if (most >= C) return of(range(0, C));
  const parts = ranges(C, Math.max(1, Math.floor(most / 2)));
  const table: tf.Tensor[][] = parts.map(() => []);
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      const both = of([...(parts[i] as number[]), ...(parts[j] as number[])]);
      placeBlocks(table, both, parts, [i, j]);
      both.dispose();
    }
  }
  return tf.concat(
    table.map((row) => tf.concat(row, 3)),
    2,
  );
}

/** Puts the four blocks of the covariances of two parts of the outputs where they belong, unless they are there already. */
function placeBlocks(
  table: tf.Tensor[][],
  both: tf.Tensor,
  parts: ReadonlyArray<ReadonlyArray<number>>,
  pair: readonly [number, number],
): void {
  const sizes = pair.map((part) => (parts[part] as ReadonlyArray<number>).length) as [number, number];
  const starts = [0, sizes[0]] as const;
  pair.forEach((row, a) => {
    pair.forEach((column, b) => {
      const begin = [0, 0, starts[a] as number, starts[b] as number];
      (table[row] as tf.Tensor[])[column] ??= tf.slice(both, begin, [-1, -1, sizes[a] as number, sizes[b] as number]);
    });
  });
}

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

const ranges = (C: number, step: number): number[][] =>
  Array.from({ length: Math.ceil(C / step) }, (_, i) => range(i * step, Math.min(C, (i + 1) * step)));
