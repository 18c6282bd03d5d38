/**
 * Functions drawn from the posterior of the linearised network,
 *
 *   f_s(x) = f*(x) + J(x) δ_s,   δ_s = W_s − M one draw of all weights (`weightSampling.ts`).
 *
 * All inputs share one δ_s, so f_s is as smooth in x as f* and J are. A layer is linear in its weights, so J δ needs no Jacobian
 * in the weights. Let δz be the pre-activations of the layer with δ as its weights, and g_c the gradients of output c in the
 * pre-activations. Then
 *
 *   (J δ)_bc = Σ_layers Σ_t g_bctᵀ δz_bt.
 *
 * Cost: one backward pass of C·B stacked rows. Each function takes a draw of the weights, one forward pass through each covered
 * layer by itself, and 2 B C operations for each pre-activation of that layer. The covariance of the functions over inputs is the
 * one that `joint.ts` computes.
 */
import * as tf from '@tensorflow/tfjs-core';
import { concat } from '../../network/concat.js';
import { costsByShape } from '../../network/costs.js';
import { forward, type Tape } from '../../network/forward.js';
import type { Block, Network } from '../../network/network.js';
import { gradientsAt } from '../../network/positions.js';
import type { Posterior } from '../../posterior/posterior.js';
import { requireDirections } from '../../posterior/variances.js';
import { key } from '../../random/key.js';
import { type Design, noiseAt, noiseOf } from '../../random/noise.js';
import { type DeviceLayer, residentPosterior } from '../device/device.js';
import { inPieces, type OnHost, type Results } from '../device/pieces.js';
import { drawsPlan, type FunctionsPlan, functionsPlan } from '../device/plans.js';
import { runningSum } from '../device/runningSum.js';
import { disposeWeights, drawDeviations, type SampledWeights } from '../sampling/weightSampling.js';
import { everyOutput, visitLayers } from './visitLayers.js';

/** Which functions are drawn. */
export interface FunctionOptions {
  /** S, the number of functions. */
  readonly samples: number;
  readonly temperature: number;
  readonly seed: number;
  readonly design: Design;
}

/** The values of the functions at a piece of a batch, on the device. */
export interface FunctionValues {
  /** f* [B, C]. */
  readonly mean: tf.Tensor2D;
  /** f_s [B, S, C]. */
  readonly values: tf.Tensor3D;
}

/** Fixed functions that can be evaluated at any inputs. */
export interface Functions {
  /** Applies `f` to the values at each piece of a batch. Returns its results, each tensor [B, …] joined over the batch. */
  readonly run: <R extends Results>(x: ReadonlyArray<tf.Tensor>, f: (values: FunctionValues) => R) => Promise<OnHost<R>>;
  readonly dispose: () => void;
}

/**
 * Uploads the posterior and draws functions when they are needed. The caller disposes the functions. Draws are kept for the next
 * batch as long as they fit into half of the budget. Further draws are made again from the same key.
 *
 * @param memoryBudget in bytes
 * @throws LaplaceError `UnsupportedLayer` if some layer's weights are independent along no directions, `InvalidOption` for a
 *   wrong seed
 */
export function sampledFunctions(
  network: Network,
  posterior: Posterior,
  { samples, temperature, seed, design }: FunctionOptions,
  memoryBudget: number,
): Functions {
  requireDirections(posterior, 'Sampled functions');
  const root = key(seed);
  const device = residentPosterior(network, posterior, temperature);
  const budget = drawsPlan(memoryBudget);
  const costs = costsByShape(network);
  const kept = new Map<string, SampledWeights>();
  let numbers = 0;
  /** δ_s of one layer. A draw that is not kept is freed with the caller's tidy. */
  const deviations = (layer: DeviceLayer, s: number): SampledWeights => {
    const i = device.layers.indexOf(layer);
    const known = kept.get(`${i} ${s}`);
    if (known !== undefined) return known;
    const draw = drawDeviations(layer, noiseAt(noiseOf(design, root, s), i));
    if (numbers + layer.size <= budget.kept) {
      numbers += layer.size;
      for (const W of draw.values()) tf.keep(W);
      kept.set(`${i} ${s}`, draw);
    }
    return draw;
  };
  const at = (x: ReadonlyArray<tf.Tensor>, { changes }: FunctionsPlan): FunctionValues => {
    const tape = forward(network, x);
    const change = runningSum<tf.Tensor3D>();
    const add = (layer: DeviceLayer, gradients: () => ReadonlyMap<Block, tf.Tensor4D>): void =>
      change.add(() => changeBy(tape, gradients(), (s) => deviations(layer, s), samples, changes));
    visitLayers(network, device, tape, everyOutput(network, tape), {
      own: (layer, block, uses) => add(layer, () => new Map([[block, gradientsAt(block, uses)]])),
      coupled: (layer, gradients) => add(layer, () => gradients),
    });
    const values = tf.add(tf.expandDims(tape.outputs, 1), tf.transpose(change.value(), [0, 2, 1])) as tf.Tensor3D;
    return { mean: tape.outputs, values };
  };
  return {
    run: (x, f) => {
      const plan = functionsPlan(network, costs(x), samples, budget.left);
      return inPieces(x, plan.examples, (piece) => f(at(piece, plan)));
    },
    dispose: () => {
      for (const draw of kept.values()) disposeWeights(draw);
      device.dispose();
    },
  };
}

/**
 * What the draws of one layer add to the outputs, [B, C, S]: Σ g δz.
 *
 * @param gradients g [P, C·B, T, m] for each block of the layer
 * @param deviations δ_s of the layer, by s
 * @param most the most numbers of δz that are held at once, except that a single function may have more
 */
function changeBy(
  { size: B, values }: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  deviations: (s: number) => SampledWeights,
  samples: number,
  most: number,
): tf.Tensor3D {
  /** Sorts [P, K·B, T, m] by example: [B, K, P·T·m]. */
  const byExample = (t: tf.Tensor4D): tf.Tensor => {
    const [P, R, T, m] = t.shape;
    return tf.reshape(tf.transpose(tf.reshape(t, [P, R / B, B, T, m]), [2, 1, 0, 3, 4]), [B, R / B, P * T * m]);
  };
  const g = concat([...gradients.values()].map(byExample), 2);
  const blocks = [...gradients.keys()];
  /** δz of draw s, at all positions of all blocks of the layer: [B, Z]. */
  const changes = (s: number): tf.Tensor =>
    tf.tidy(() => {
      const draw = deviations(s);
      const parts = blocks.map((block) => {
        const weights = block.map.fromMatrix(draw.get(block) as tf.Tensor2D);
        const z = block.ops.map(({ map, input }) => map.apply(values.get(input) as tf.Tensor, weights));
        return byExample(gradientsAt(block, z));
      });
      return tf.reshape(concat(parts, 2), [B, -1]);
    });
  const width = g.size / (g.shape[1] as number);
  const step = Math.max(1, Math.floor(most / width));
  const parts = Array.from({ length: Math.ceil(samples / step) }, (_, i) =>
    tf.tidy(() => {
      const count = Math.min(step, samples - i * step);
      const columns = tf.stack(
        Array.from({ length: count }, (_, s) => changes(i * step + s)),
        2,
      );
      return tf.matMul(g as tf.Tensor3D, columns as tf.Tensor3D);
    }),
  );
  return concat(parts, 2) as tf.Tensor3D;
}
