/**
 * Runs a curvature estimator on batches. An estimator has two parts. Its Fisher matrix (`fisher/`) chooses gradients in the
 * outputs, which are sent back through the network as one stack of rows. Its structure (`structure/`) sums the rows that arrive
 * at each layer.
 *
 * Two cases send nothing back: `kfra`, a recursion over the sums of layers (Botev et al. 2017), and a network in which only the
 * last layer is covered (`closedForm.ts`).
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { backward } from '../network/backward.js';
import type { Block } from '../network/blocks.js';
import { endToEnd, ownGradients } from '../network/gradients.js';
import type { Network } from '../network/network.js';
import { gradientsAt, inputsAt } from '../network/positions.js';
import type { Seeds } from '../network/stack.js';
import { uploadVectors } from '../network/uploadVectors.js';
import type { BlockRows } from '../network/uses.js';
import type { Matrix } from '../types.js';
import { coveredBy } from './choice.js';
import { closedFormOf } from './closedForm.js';
import { type Curvature, fisherOf } from './codec.js';
import { kfraChain, kfraRows } from './fisher/kfra.js';
import { forSeeds } from './fisher/seeds.js';
import { isReduced, type Layout, layoutOf, type Rotation } from './layout.js';
import type { Observation, Sink } from './observation.js';
import { sharesOf } from './perOutput.js';
import { isNetworkWide, structureNamed } from './structure/index.js';
import type { ClosedForm, Reached, Subject } from './structure/structure.js';
import { suitsLowRank } from './suitsLowRank.js';

/** An estimator that is ready for a network: `network` holds the blocks that it observes, `layout` describes its factors. */
export interface Prepared {
  readonly curvature: Curvature;
  readonly network: Network;
  readonly layout: Layout;
  /** The closed form, present if only the last layer is covered and the estimator has one. Then nothing is sent back. */
  readonly closed?: ClosedForm | undefined;
}

/**
 * Prepares an estimator for a network.
 *
 * @param basis a name for the rotations in which `ekfac` sums
 * @returns `UnsupportedLayer` or `NoBayesianLayer` if the estimator does not suit the network
 */
export const prepare = (source: Network, curvature: Curvature, basis?: string): E.Either<LaplaceError, Prepared> =>
  F.pipe(
    coveredBy(source, curvature),
    E.chain((chosen) => suitsLowRank(chosen, curvature)),
    E.bindTo('chosen'),
    E.bind('network', ({ chosen }) => (curvature._tag === 'kfra' ? kfraChain(chosen, curvature) : E.right(chosen))),
    E.bind('shares', ({ network }) => sharesOf(network, curvature)),
    E.map(({ chosen, network, shares }) => {
      const layout = layoutOf(network, chosen, curvature, { basis, shares });
      return { curvature, network, layout, closed: closedFormOf(network, layout.layers, curvature) };
    }),
  );

/** Device copies of rotations, one for each layer of the layout. They are made once for a pass. */
export type DeviceRotations = ReadonlyArray<NonNullable<Subject['rotation']>>;

/** Uploads rotations. The caller disposes them. */
export function uploadRotations(layout: Layout, rotations: ReadonlyArray<Rotation>): DeviceRotations {
  const upload = (matrix: Matrix | undefined, groups: number): tf.Tensor | undefined => matrix && uploadVectors(matrix, groups);
  return layout.layers.map(({ groups }, i) => ({
    input: upload(rotations[i]?.input, groups),
    gradient: upload(rotations[i]?.gradient, groups),
  }));
}

/**
 * Puts what one batch adds to the sums into the sink. It allocates inside the caller's `tf.tidy`, and the sink keeps the tensors
 * that it needs.
 *
 * @returns the number of rows that were sent back through the network
 */
export function observeRows(prepared: Prepared, observation: Observation, sink: Sink, rotations?: DeviceRotations): number {
  const { curvature, closed, layout } = prepared;
  const { network, tape, weights } = observation;
  const subjects = subjectsOf(prepared, rotations);
  // The unfolded inputs of a convolution can be much larger than its inputs. So they are made when needed, for one layer at a
  // time.
  for (const subject of subjects.values()) {
    const { addInputs } = structureOf(prepared, subject);
    if (addInputs !== undefined) tf.tidy(() => addInputs(subject, inputsAt(subject.block, tape), weights, sink));
  }
  if (closed !== undefined) {
    for (const subject of subjects.values()) tf.tidy(() => closed.observe(observation, subject, sink));
    return 0;
  }
  const fisher = fisherOf(curvature);
  if (fisher === undefined) return kfraRows(observation, sink);
  const { shares } = layout;
  const send = (seeds: Seeds, column?: number): void => {
    const { stack } = seeds;
    // The columns of a sequence are those of its first step, then those of the next.
    const into = column === undefined ? sink : (sink.share as NonNullable<Sink['share']>)(column % (shares as number));
    const whole = new Map<Block, tf.Tensor4D>();
    backward(network, tape, seeds, (block, uses) => {
      const subject = subjects.get(block);
      if (subject === undefined) {
        whole.set(block, gradientsAt(block, uses));
        return;
      }
      const reached: Reached = {
        stack,
        inputs: () => inputsAt(block, tape),
        gradients: () => gradientsAt(block, uses),
        weightGradients: () => ownGradients(block, tape, uses, stack),
      };
      tf.tidy(() => structureOf(prepared, subject).addGradients?.(subject, reached, into));
    });
    if (whole.size > 0) into.gram(0, 'gradient', endToEnd(network.blocks, tape, whole, stack));
  };
  return forSeeds(fisher, observation, send, shares !== undefined);
}

/**
 * Puts what a training step adds to the sums into the sink. The step itself computed the rows (`empirical`).
 *
 * @returns the number of rows
 */
export function observeTrainingRows(
  prepared: Prepared,
  rows: ReadonlyArray<BlockRows>,
  weights: tf.Tensor1D | undefined,
  sink: Sink,
): number {
  const subjects = subjectsOf(prepared);
  let size = 0;
  prepared.network.blocks.forEach((block, i) => {
    const { input, gradient } = rows[i] as BlockRows;
    const subject = subjects.get(block) as Subject;
    const { addInputs, addGradients } = structureOf(prepared, subject);
    size = input.shape[1];
    const weighted = (): tf.Tensor4D =>
      weights === undefined ? gradient : tf.mul(gradient, tf.reshape(tf.sqrt(weights), [1, size, 1, 1]));
    addInputs?.(subject, input, weights, sink);
    const stack = { _tag: 'uniform', size, copies: 1 } as const;
    addGradients?.(subject, { stack, inputs: () => input, gradients: weighted, weightGradients: () => undefined }, sink);
  });
  return size;
}

const structureOf = ({ layout }: Prepared, { layer }: Subject) =>
  structureNamed((layout.layers[layer] as Layout['layers'][number]).structure);

/** A subject for every block that has its own sums. The map is empty for a structure that sums all blocks together. */
function subjectsOf({ network, layout, curvature }: Prepared, rotations?: DeviceRotations): ReadonlyMap<Block, Subject> {
  const weightSharing = isReduced(curvature) ? 'reduce' : 'expand';
  if (layout.layers.some(isNetworkWide)) return new Map();
  return new Map(
    network.blocks.map((block, layer) => {
      const rotation = rotations?.[layer];
      const shape = layout.layers[layer] as Layout['layers'][number];
      return [block, { layer, shape, block, weightSharing, ...(rotation && { rotation }) }];
    }),
  );
}
