/**
 * How long batches take that an estimator observes: a few of them go through the real pass, and their sums are thrown away.
 *
 *   seconds of N examples = N / B · each + once
 *
 * `each` is the time of one batch of B examples: forward, backward, products and sums. `once` is the time that the sums take to the host
 * at the end. What a batch adds may wait for later batches (rows are multiplied together), so the reading at the end belongs to the
 * batches, except for `once`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { laplaceError } from '../errors.js';
import type { LabelledBatch } from '../network/inputs.js';
import type { Network } from '../network/network.js';
import type { Accumulator } from './accumulator.js';
import { breather } from './breathe.js';
import type { ObservedBatch } from './observed.js';

/** Seconds of a pass. */
export interface Pace {
  /** One batch. */
  readonly each: number;
  /** Once a pass, whatever its length. */
  readonly once: number;
}

/** Milliseconds after which no further batch begins. */
const PATIENCE = 1000;

/** Observes three batches at least, and more for about a second. Resets the accumulator. */
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
    while (count === 0 || spent < PATIENCE / 1000) {
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

/** Wall-clock time of some work. */
export async function seconds(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
}

/**
 * B examples without data: inputs of zeros, and labels that every likelihood accepts. Inside the caller's `tf.tidy`. Throws an
 * `InvalidOption` where shapes or labels are not known from the model alone.
 */
export function blankBatch({ model, heads }: Network, B: number): LabelledBatch {
  const x = model.inputs.map(({ name, shape }) => {
    const [, ...own] = shape;
    if (own.some((d) => d === null)) throw unknown(`an input '${name}' of shape [${shape.map((d) => d ?? '?').join(', ')}]`);
    return tf.zeros([B, ...(own as number[])]);
  });
  const y = heads.map(({ ops, outputs, stepOutputs }) => {
    const width = ops.targetWidth?.(outputs);
    if (width === undefined) throw unknown(`the ${ops.name} likelihood, whose labels only the data show`);
    const steps = ops.sequence === true ? outputs / stepOutputs : 1;
    // The targets of a step end with its weight.
    const own = ops.sequence === true ? width / steps - 1 : width;
    // (1, 0, …): a class, and in range for all others too.
    const labels = own === 1 ? tf.zeros([B * steps]) : tf.cast(tf.oneHot(tf.zeros([B * steps], 'int32'), own), 'float32');
    return tf.reshape(labels, ops.sequence === true ? [B, steps, own] : [B, own]);
  });
  return { x, y };
}

const unknown = (found: string) =>
  laplaceError('InvalidOption', {
    what: 'The model alone does not say what a batch looks like',
    field: 'batch',
    found,
    expected: 'a batch of the data',
    remedy: 'Give one: batch: { x, y }.',
  });
