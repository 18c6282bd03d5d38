/** Puts variances or covariances together that are computed for some outputs at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from '../../network/concat.js';
import type { LinearisedPlan } from '../device/plans.js';

/** Bounds on what is computed at once. By default all outputs send their gradients back together. */
export type Chunks = Partial<Pick<LinearisedPlan, 'outputs' | 'numbers'>>;

/** Computes for some outputs, and gives a tensor for each posterior. */
type OfOutputs = (outputs: ReadonlyArray<number>) => ReadonlyArray<tf.Tensor>;

/** The variances [B, C], computed for some outputs at a time. */
export function chunked(C: number, { outputs: step = C }: Chunks, of: OfOutputs): ReadonlyArray<tf.Tensor> {
  const parts = ranges(C, step).map(of);
  return (parts[0] as ReadonlyArray<tf.Tensor>).map((_, k) =>
    concat(
      parts.map((part) => part[k] as tf.Tensor),
      1,
    ),
  );
}

/**
 * The covariances [B, C, C], computed for some outputs at a time. The covariances between two parts of the outputs need the
 * gradients of both parts. So k parts take k (k − 1) / 2 backward passes of two parts each.
 */
export function paired(C: number, { outputs: most = C }: Chunks, of: OfOutputs): ReadonlyArray<tf.Tensor> {
  if (most >= C) return of(range(0, C));
  const parts = ranges(C, Math.max(1, Math.floor(most / 2)));
  const tables: tf.Tensor[][][] = [];
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      of([...(parts[i] as number[]), ...(parts[j] as number[])]).forEach((both, p) => {
        tables[p] ??= parts.map(() => []);
        placeBlocks(tables[p] as tf.Tensor[][], both, parts, [i, j]);
        both.dispose();
      });
    }
  }
  return tables.map((table) =>
    tf.concat(
      table.map((row) => tf.concat(row, 2)),
      1,
    ),
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
      const begin = [0, starts[a] as number, starts[b] as number];
      (table[row] as tf.Tensor[])[column] ??= tf.slice(both, begin, [-1, sizes[a] as number, sizes[b] as number]);
    });
  });
}

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);

const ranges = (C: number, step: number): number[][] =>
  Array.from({ length: Math.ceil(C / step) }, (_, i) => range(i * step, Math.min(C, (i + 1) * step)));
