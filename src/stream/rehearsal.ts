/**
 * Measures how long an estimator takes for a batch. A few batches go through the real pass, and their sums are thrown away.
 *
 *   seconds of N examples = N / B · each + once
 *
 * `each` is the time of one batch of B examples: forward pass, backward pass, products and sums. `once` is the time in which the sums
 * move to the host at the end. Some work of a batch waits for later batches, because rows are multiplied together; the reading at the
 * end does this work. So the time of the reading belongs to the batches, except for `once`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { LikelihoodOps } from '../likelihood/likelihood.js';
import type { LabelledBatch } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import type { Accumulator } from './accumulator.js';
import { breather } from './breathe.js';
import type { ObservedBatch } from './observed.js';

/** The seconds of a pass. */
export interface Pace {
  /** The time of one batch. */
  readonly each: number;
  /** The time that a pass takes once, whatever its length. */
  readonly once: number;
}

/** After so many seconds no further batch begins. */
const PATIENCE = 1;

/** Observes at least three batches, and more for about a second. It resets the accumulator. */
export async function rehearse(accumulator: Accumulator, batch: ObservedBatch): Promise<Pace> {
  const observe = async (): Promise<void> => {
    accumulator.add(batch);
    await accumulator.settle();
  };
  const read = (): Promise<number> => seconds(async () => void (await accumulator.factors()));
  const breathe = breather();
  try {
    // The first batch compiles on backends that do, and wakes the others.
    await observe();
    await read();
    await observe();
    const once = await read();
    let count = 0;
    let spent = 0;
    while (count === 0 || spent < PATIENCE) {
      spent += await seconds(observe);
      count += 1;
      await breathe();
    }
    const waiting = Math.max(0, (await read()) - once);
    return { each: (spent + waiting) / count, once };
  } finally {
    accumulator.reset();
  }
}

/** The wall-clock time of some work, in seconds. */
export async function seconds(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
}

/**
 * Makes B examples without data: inputs of zeros, and labels that every likelihood accepts. Allocates inside the caller's `tf.tidy`.
 *
 * @throws LaplaceError `InvalidOption` if the model alone does not tell the shapes of inputs or labels
 */
export function blankBatch({ model, heads }: Network, B: number): LabelledBatch {
  const x = model.inputs.map(({ name, shape }) => {
    const [, ...own] = shape;
    if (own.some((d) => d === null)) throw unknown(`an input '${name}' of shape [${shape.map((d) => d ?? '?').join(', ')}]`);
    return tf.zeros([B, ...(own as number[])]);
  });
  return { x, y: heads.map(({ ops, outputs }) => blankLabels(ops, outputs, B)) };
}

/** Labels (1, 0, …) for each example, or for each step: a class, and in range for every other likelihood too. */
function blankLabels(ops: LikelihoodOps, outputs: number, B: number): tf.Tensor {
  const each = ops.step ?? { ops, outputs };
  const width = each.ops.targetWidth?.(each.outputs);
  if (width === undefined) throw unknown(`the ${each.ops.name} likelihood, whose labels only the data show`);
  const steps = outputs / each.outputs;
  const rows = B * steps;
  const labels = width === 1 ? tf.zeros([rows]) : tf.cast(tf.oneHot(tf.zeros([rows], 'int32'), width), 'float32');
  return tf.reshape(labels, ops.step === undefined ? [B, width] : [B, steps, width]);
}

const unknown = (found: string): LaplaceError =>
  laplaceError('InvalidOption', {
    what: 'The model alone does not tell the shapes of a batch',
    field: 'batch',
    found,
    expected: 'a batch of the data',
    remedy: 'Give one: batch: { x, y }.',
  });
