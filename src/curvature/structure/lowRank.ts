/**
 * A last layer with very many outputs. Its sums are Σ a aᵀ [n, n] and the diagonal of Σ Λ [m, 1]. If the outputs depend on each
 * other, the product of Σ Λ with a few vectors, Σ Λ Ω [m, l], is summed too (`sketch.ts`). No array has m² numbers, and nothing
 * is sent back through the network.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gramProducts } from '../../network/matmul.js';
import type { Matrix } from '../../types.js';
import { inputRows } from './inputs.js';
import { testMatrix } from './sketch.js';
import { gram, type LayerShape, type SummedStructure, type SumShape } from './structure.js';

export interface SketchSums {
  readonly input: SumShape;
  readonly diagonal: SumShape;
  readonly sketch?: SumShape;
}

const sums = ({ n, m, sketch }: LayerShape): SketchSums => ({
  input: gram(n),
  diagonal: { rows: m, cols: 1 },
  ...(sketch === undefined ? {} : { sketch: { rows: m, cols: sketch.columns } }),
});

export const lowRank = {
  scope: 'block',
  sums,
  addInputs: (subject, a, weights, sink) => sink.gram(subject.layer, 'input', inputRows(subject, a, weights)),
  closedForm: (shape, hessian) => {
    const { m, sketch } = shape;
    const omega = sketch && Float32Array.from(testMatrix(m, sketch).data);
    return {
      sums: sums(shape) as unknown as Readonly<Record<string, SumShape>>,
      observe: ({ tape: { outputs }, weights }, { layer }, sink) => {
        const each = hessian.along(outputs);
        const own = weights === undefined ? each : tf.mul(each, tf.reshape(weights, [-1, 1]));
        sink.add(layer, 'diagonal', tf.reshape(tf.sum(own, 0), [m, 1]));
        if (omega === undefined) return;
        sink.add(layer, 'sketch', hessian.times(outputs, weights, tf.tensor2d(omega, [m, omega.length / m])));
      },
      completed: (found: Readonly<Record<string, Matrix>>) => found,
    };
  },
  // Λ Ω takes products of Ω with p and with one-hot rows, and products of the same rows with the results.
  operations: ({ n, m, sketch }) => gramProducts(n) + m + 4 * m * (sketch?.columns ?? 0),
  cubes: ({ n }) => n ** 3,
  factorRows: ({ n }) => n,
  words: ({ sketch }) =>
    sketch === undefined ? 'a factor and a diagonal' : `a factor, and a diagonal and at most ${sketch.rank} eigenvectors`,
} as const satisfies SummedStructure<SketchSums>;
