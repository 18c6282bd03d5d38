/**
 * The last layer alone: its pre-activation is f, so that the gradient side of its curvature is the likelihood's Λ itself, which needs
 * neither the C columns of a root for each example (C² numbers) nor a way back:
 *
 *   kronecker   Σ a aᵀ and Σ Λ
 *   diagonal    Σ (a ⊙ a) ⊗ diag Λ
 *   eigen       the same along the directions of a basis
 *   lowRank     Σ a aᵀ, the diagonal of Σ Λ and Σ Λ Ω
 *
 * Takes the place of `exact`, and of `truncated`, of whose tolerance it uses nothing. Rows sent back: none. Memory: two sums, or three
 * of [C, C] for a moment, and a few [B, C].
 */
import * as tf from '@tensorflow/tfjs-core';
import type { HessianOps } from '../../likelihood/hessian.js';
import { rotate } from '../../network/gradients.js';
import { lastLayer } from '../../network/lastLayer.js';
import { transposedTimes } from '../../network/matmul.js';
import type { Network } from '../../network/network.js';
import { inputsAt } from '../../network/positions.js';
import type { Matrix } from '../../types.js';
import { type Curvature, fisherOf } from '../codec.js';
import { type LayerLayout, type SumShape, sumsOf } from '../layout.js';
import type { Observation, Sink } from '../observation.js';
import { testMatrix } from './sketch.js';
import type { Subject } from './statistics.js';

/** How the gradient side of the one layer is summed. */
export interface ClosedForm {
  /** What is summed, in the place of `sumsOf`. */
  readonly sums: ReadonlyArray<SumShape>;
  /** Puts what one batch adds to the gradient's side into the sink. */
  readonly observe: (observation: Observation, subject: Subject, sink: Sink) => void;
  /** From what was summed to the sums of the layout. */
  readonly completed: (sums: ReadonlyArray<Matrix>) => ReadonlyArray<Matrix>;
}

/** The closed form, where estimator, network and likelihood have one; `layers` are those of the layout. */
export function closedFormOf(network: Network, layers: ReadonlyArray<LayerLayout>, curvature: Curvature): ClosedForm | undefined {
  const [layout] = layers;
  const { hessian } = network.likelihoodOps;
  if (layout === undefined || hessian === undefined || !asksForAll(curvature) || lastLayer(network) === undefined) {
    return undefined;
  }
  switch (layout.structure) {
    case 'kronecker':
      return ofFactors(layout, hessian);
    case 'diagonal':
    case 'eigen':
      return ofSquares(layout, hessian);
    case 'lowRank':
      return ofSketch(layout, hessian);
    case 'embedding':
    case 'full':
      return undefined;
  }
}

function ofSketch(layout: LayerLayout, hessian: HessianOps): ClosedForm {
  const { m, sketch } = layout;
  const omega = sketch && Float32Array.from(testMatrix(m, sketch).data);
  return {
    sums: sumsOf(layout),
    observe: ({ tape: { outputs }, weights }, { layer }, sink) => {
      const each = hessian.along(outputs);
      const own = weights === undefined ? each : tf.mul(each, tf.reshape(weights, [-1, 1]));
      sink.add(layer, 1, tf.reshape(tf.sum(own, 0), [m, 1]));
      if (omega !== undefined) sink.add(layer, 2, hessian.times(outputs, weights, tf.tensor2d(omega, [m, omega.length / m])));
    },
    completed: (sums) => sums,
  };
}

/** Whether the whole of Λ is what the estimator is after. */
function asksForAll(curvature: Curvature): boolean {
  const fisher = fisherOf(curvature);
  return fisher === undefined || fisher._tag === 'exact' || fisher._tag === 'truncated';
}

function ofFactors(layout: LayerLayout, hessian: HessianOps): ClosedForm {
  const [input] = sumsOf(layout) as [SumShape, SumShape];
  return {
    sums: [input, { rows: layout.m, cols: hessian.partialCols(layout.m) }],
    observe: ({ tape, weights }, { layer }, sink) => sink.add(layer, 1, hessian.partial(tape.outputs, weights)),
    completed: ([A, partials]) => [A as Matrix, hessian.completed(partials as Matrix)],
  };
}

/** Σ_b w_b (a_b U_A)² ⊗ (diagonal of U_Gᵀ Λ_b U_G), one product. */
function ofSquares(layout: LayerLayout, hessian: HessianOps): ClosedForm {
  return {
    sums: sumsOf(layout),
    observe: ({ tape, weights }, { layer, block, basis }, sink) => {
      const { n } = layout;
      const u = tf.square(tf.reshape(rotate(inputsAt(block, tape), basis?.input), [tape.size, n]) as tf.Tensor2D);
      const along = hessian.along(tape.outputs, basis?.gradient as tf.Tensor2D | undefined);
      const right = weights === undefined ? along : tf.mul(along, tf.reshape(weights, [-1, 1]));
      sink.add(layer, 0, transposedTimes(u, right as tf.Tensor2D));
    },
    completed: (sums) => sums,
  };
}
