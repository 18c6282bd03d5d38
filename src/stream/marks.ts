/**
 * Marks of where a batch's numbers may cease to be finite: one number for each array, the sum of its entries. A sum is NaN or infinite as
 * soon as an entry is, and costs a single kernel. Entries so large that only their sum overflows would overflow in a product as well.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Layout } from '../curvature/layout.js';
import type { Sink } from '../curvature/observation.js';
import { INPUT } from '../curvature/structure/index.js';
import type { Tape } from '../network/forward.js';
import type { Network } from '../network/network.js';

/** What the entries of a marked array are to a layer. */
export type Side = 'inputs' | 'outputs' | 'gradients';

/** A marked array. */
export interface Mark {
  readonly layer: string;
  readonly side: Side;
  /** The sum of its entries. */
  readonly sum: tf.Scalar;
}

/** The marks of one batch. */
export interface Marks {
  /** A sink that marks what it hands on to another. */
  readonly into: (sink: Sink) => Sink;
  /** Marks the outputs of every layer with weights. */
  readonly outputs: (tape: Tape) => void;
  /** All marks, in the order in which the arrays were made. */
  readonly all: () => ReadonlyArray<Mark>;
  readonly dispose: () => void;
}

/** No marks yet of a batch of a network. The caller disposes them. */
export function marksOf({ uses }: Network, { layers }: Layout): Marks {
  const marks: Mark[] = [];
  const mark = (layer: string, side: Side, t: tf.Tensor): void => {
    // Whole numbers are finite.
    if (t.dtype === 'float32') marks.push({ layer, side, sum: tf.keep(tf.sum(t)) });
  };
  const into = ({ gram, add, share }: Sink): Sink => {
    const marked = (layer: number, part: string, t: tf.Tensor): void =>
      mark((layers[layer] as Layout['layers'][number]).name, part === INPUT ? 'inputs' : 'gradients', t);
    return {
      gram: (layer, part, rows) => {
        marked(layer, part, rows);
        gram(layer, part, rows);
      },
      add: (layer, part, sum) => {
        marked(layer, part, sum);
        add(layer, part, sum);
      },
      ...(share && { share: (output) => into(share(output)) }),
    };
  };
  return {
    into,
    outputs: ({ values }) => {
      for (const { layer, output } of uses) mark(layer.name, 'outputs', values.get(output) as tf.Tensor);
    },
    all: () => marks,
    dispose: () => tf.dispose(marks.map(({ sum }) => sum)),
  };
}
