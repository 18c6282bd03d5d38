/**
 * What an estimator is: a choice of gradients in the outputs (its Fisher matrix, `fisher.ts`), sent back through the network as one
 * stack of rows, and a structure in which what arrives at each layer is summed (`layout.ts`, `statistics.ts`). `kfra` is the one
 * that sends nothing back: a recursion over layer sums (Botev et al. 2017). Nor does anything go back from the last layer alone
 * (`closedForm.ts`).
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import type { LaplaceError } from '../errors.js';
import { backward } from '../network/backward.js';
import type { Block } from '../network/blocks.js';
import type { Tape } from '../network/forward.js';
import { mapWeightGradients, ownGradients } from '../network/gradients.js';
import { type Network, withBlocks } from '../network/network.js';
import { gradientsAt, inputsAt } from '../network/positions.js';
import type { Stack } from '../network/stack.js';
import type { Matrix } from '../types.js';
import { type Curvature, fisherOf, policyOf } from './codec.js';
import { kfraChain, kfraRows } from './fisher/kfra.js';
import { forSeeds } from './fisher/seeds.js';
import { type EigenBasis, type Layout, layersOf } from './layout.js';
import type { Observation, Sink } from './observation.js';
import { type ClosedForm, closedFormOf } from './structure/closedForm.js';
import { suitsLowRank } from './structure/lowRank.js';
import { addGradients, addInputs, addWeightGradients, type Subject } from './structure/statistics.js';

/** An estimator ready for a network: the blocks that it needs to see, and the layout of its factors. */
export interface Prepared {
  readonly network: Network;
  readonly layout: Layout;
  /** Of the last layer alone, where nothing needs to go back. */
  readonly closed?: ClosedForm | undefined;
}

/** Fails where the estimator does not suit the network. `basis` names the one in which `ekfac` sums. */
export function prepare(source: Network, curvature: Curvature, basis?: string): E.Either<LaplaceError, Prepared> {
  return F.pipe(
    withBlocks(source, curvature.layers, policyOf(curvature)),
    E.chain((chosen) => suitsLowRank(chosen, curvature)),
    E.chain((chosen) => {
      const gathered = curvature._tag === 'kfra' ? kfraChain(chosen) : E.right(chosen);
      return E.map((network: Network): Prepared => {
        const layout = layoutOf(network, chosen, curvature, basis);
        return { network, layout, closed: closedFormOf(network, layout.layers, curvature) };
      })(gathered);
    }),
  );
}

function layoutOf(network: Network, chosen: Network, curvature: Curvature, basis: string | undefined): Layout {
  const layers = layersOf(network, curvature);
  return {
    estimator: curvature._tag,
    ...('fisher' in curvature ? { fisher: curvature.fisher._tag } : {}),
    likelihood: network.likelihood,
    layers,
    covered: curvature._tag === 'full' ? layers.map((l) => l.name) : chosen.blocks.map((b) => b.name),
    ...(basis === undefined ? {} : { basis }),
  };
}

/** Device copies of a basis, one for each layer of the layout, made once for a pass. */
export type DeviceBasis = ReadonlyArray<NonNullable<Subject['basis']>>;

/** Uploads bases; the caller disposes them. */
export function uploadBasis(layout: Layout, bases: ReadonlyArray<EigenBasis>): DeviceBasis {
  const upload = (matrix: Matrix | undefined, groups: number): tf.Tensor | undefined => {
    if (matrix === undefined) return undefined;
    const d = matrix.cols;
    return tf.tensor(Float32Array.from(matrix.data), groups === 1 ? [d, d] : [groups, d, d]);
  };
  return layout.layers.map(({ groups }, i) => ({
    input: upload(bases[i]?.input, groups),
    gradient: upload(bases[i]?.gradient, groups),
  }));
}

/** Rows of a block that somebody computed already: inputs a [P, B, T, n] and gradients of each example's NLL g [P, B, T, m]. */
export interface BlockRows {
  readonly input: tf.Tensor4D;
  readonly gradient: tf.Tensor4D;
}

/**
 * Puts what one batch adds into the sink; the number of rows that were sent back. Allocates inside the caller's `tf.tidy`; the sink
 * keeps what it wants.
 */
export function observeRows(
  { layout, closed }: Prepared,
  curvature: Curvature,
  observation: Observation,
  sink: Sink,
  basis?: DeviceBasis,
): number {
  const { network, tape, weights } = observation;
  const subjects = subjectsOf(network, layout, curvature, basis);
  // Unfolded inputs can be much larger than the inputs: they are made when they are needed, one layer's at a time.
  for (const subject of subjects.values()) tf.tidy(() => addInputs(subject, inputsAt(subject.block, tape), weights, sink));
  if (closed !== undefined) {
    for (const subject of subjects.values()) tf.tidy(() => closed.observe(observation, subject, sink));
    return 0;
  }
  const fisher = fisherOf(curvature);
  if (fisher === undefined) return kfraRows(observation, sink);
  return forSeeds(fisher, observation, (seeds) => {
    const whole = new Map<Block, tf.Tensor4D>();
    backward(network, tape, seeds, (block, uses) => {
      const subject = subjects.get(block);
      if (subject === undefined) whole.set(block, gradientsAt(block, uses));
      else tf.tidy(() => addUses(subject, tape, uses, seeds.stack, sink));
    });
    if (whole.size > 0) sink.gram(0, 0, jointGradients(network.blocks, tape, whole, seeds.stack));
  });
}

function addUses(subject: Subject, tape: Tape, uses: ReadonlyArray<tf.Tensor>, stack: Stack, sink: Sink): void {
  const { block, layout } = subject;
  const own = layout.structure === 'diagonal' ? ownGradients(block, tape, uses, stack) : undefined;
  if (own !== undefined) addWeightGradients(subject, own, sink);
  else addGradients(subject, () => inputsAt(block, tape), gradientsAt(block, uses), stack, sink);
}

/** What the rows of a training step add, which were computed on its way (`empirical`). */
export function observeTrainingRows(
  { network, layout }: Prepared,
  curvature: Curvature,
  rows: ReadonlyArray<BlockRows>,
  weights: tf.Tensor1D | undefined,
  sink: Sink,
): number {
  const subjects = subjectsOf(network, layout, curvature);
  let size = 0;
  network.blocks.forEach((block, i) => {
    const { input, gradient } = rows[i] as BlockRows;
    const subject = subjects.get(block) as Subject;
    size = input.shape[1];
    const g = weights === undefined ? gradient : tf.mul(gradient, tf.reshape(tf.sqrt(weights), [1, size, 1, 1]));
    addInputs(subject, input, weights, sink);
    addGradients(subject, () => input, g as tf.Tensor4D, { _tag: 'uniform', size, copies: 1 }, sink);
  });
  return size;
}

function subjectsOf(network: Network, layout: Layout, curvature: Curvature, basis?: DeviceBasis): ReadonlyMap<Block, Subject> {
  const weightSharing = 'weightSharing' in curvature ? curvature.weightSharing : 'expand';
  if (layout.layers[0]?.structure === 'full') return new Map();
  return new Map(
    network.blocks.map((block, layer) => {
      const own = basis?.[layer];
      const subject: Subject = {
        layer,
        layout: layout.layers[layer] as Layout['layers'][number],
        block,
        weightSharing,
        ...(own === undefined ? {} : { basis: own }),
      };
      return [block, subject];
    }),
  );
}

/** Gradients of all covered weights end to end, [R, P]: the rows that were sent back, those of one example next to each other. */
export function jointGradients(
  blocks: ReadonlyArray<Block>,
  tape: Tape,
  gradients: ReadonlyMap<Block, tf.Tensor4D>,
  stack: Stack,
  numbers?: number,
): tf.Tensor2D {
  const columns = blocks.map((block) => {
    const a = dense(block, inputsAt(block, tape));
    const parts = mapWeightGradients(
      a,
      gradients.get(block) as tf.Tensor4D,
      stack,
      (G) => tf.transpose(G, [1, 3, 0, 2, 4]),
      numbers,
    );
    const all = parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts, 0);
    return tf.reshape(all, [-1, block.groups * block.n * block.m]);
  });
  return tf.concat(columns, 1) as tf.Tensor2D;
}

/** Inputs as numbers: tokens become one-hot rows. */
function dense(block: Block, a: tf.Tensor4D): tf.Tensor4D {
  if (block.structure !== 'embedding') return a;
  const [, B, T] = a.shape;
  return tf.reshape(tf.oneHot(tf.cast(tf.reshape(a, [-1]), 'int32'), block.n), [1, B, T, block.n]);
}
