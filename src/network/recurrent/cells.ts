/**
 * One step of tfjs's recurrent cells: from z_t = x_t K + b and the states before the step to the states after it, h first. Before
 * the first step all states are zero. So the first step leaves out the states and the recurrent kernel.
 *
 *   SimpleRNN  h' = φ(z + h R)                                                     Elman 1990
 *   LSTM       i, f, g, o = z + h R;  c' = σ(f) c + σ(i) φ(g);  h' = σ(o) φ(c')    Hochreiter & Schmidhuber 1997
 *   GRU        u, r = σ(z + h R);  h' = u h + (1 − u) φ(z + (r h) R)               Cho et al. 2014; tfjs resets before the product
 *
 * A GRU uses its recurrent kernel twice a step: on h for the gates u and r, and on r h for the candidate. Each time it multiplies
 * with the whole kernel and leaves some columns unread. So the kernel is one block like any other.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { ValueId } from '../ops.js';

interface Activation {
  readonly apply: (z: tf.Tensor) => tf.Tensor;
}

/** The members of tfjs's cells that are used here and that their types hide. */
export interface Cell {
  readonly units: number;
  readonly kernel: LayerVariable;
  readonly recurrentKernel: LayerVariable;
  readonly bias: LayerVariable | null;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
  readonly dropout?: number;
  readonly recurrentDropout?: number;
  readonly getClassName: () => string;
}

/** Adds a use of the recurrent kernel, h R. */
export type Recur = (h: ValueId) => ValueId;

/** How a step adds operations. */
export interface Tools {
  /** Adds any function of values, with `count` results. */
  readonly opaque: (
    inputs: ReadonlyArray<ValueId>,
    count: number,
    apply: (values: ReadonlyArray<tf.Tensor>) => ReadonlyArray<tf.Tensor>,
  ) => ReadonlyArray<ValueId>;
  readonly recur: Recur;
}

/** Adds one step and returns the states after it. `states` is empty at the first step. */
export type CellStep = (cell: Cell, tools: Tools, z: ValueId, states: ReadonlyArray<ValueId>) => ReadonlyArray<ValueId>;

type Values = ReadonlyArray<tf.Tensor>;

const simple: CellStep = ({ activation }, { opaque, recur }, z, [h]) =>
  h === undefined
    ? opaque([z], 1, ([x]) => [activation.apply(x as tf.Tensor)])
    : opaque([z, recur(h)], 1, ([x, r]) => [activation.apply(tf.add(x as tf.Tensor, r as tf.Tensor))]);

const lstm: CellStep = ({ activation, recurrentActivation }, { opaque, recur }, z, [h, c]) => {
  const after = (gates: tf.Tensor, before?: tf.Tensor): Values => {
    const [i, f, g, o] = tf.split(gates, 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const written = tf.mul(recurrentActivation.apply(i), activation.apply(g));
    const next = before === undefined ? written : tf.add(tf.mul(recurrentActivation.apply(f), before), written);
    return [tf.mul(recurrentActivation.apply(o), activation.apply(next)), next];
  };
  return h === undefined || c === undefined
    ? opaque([z], 2, ([x]) => after(x as tf.Tensor))
    : opaque([z, recur(h), c], 2, ([x, r, before]) => after(tf.add(x as tf.Tensor, r as tf.Tensor), before));
};

const gru: CellStep = ({ activation, recurrentActivation }, { opaque, recur }, z, [h]) => {
  const thirds = (t: tf.Tensor | undefined) => tf.split(t as tf.Tensor, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const mixed = (update: tf.Tensor, candidate: tf.Tensor): tf.Tensor => tf.mul(tf.sub(1, update), activation.apply(candidate));
  if (h === undefined) {
    return opaque([z], 1, ([x]) => {
      const [update, , candidate] = thirds(x);
      return [mixed(recurrentActivation.apply(update), candidate)];
    });
  }
  const [update, reset] = opaque([z, recur(h), h], 2, ([x, r, before]) => {
    const [[xu, xr], [ru, rr]] = [thirds(x), thirds(r)];
    return [recurrentActivation.apply(tf.add(xu, ru)), tf.mul(recurrentActivation.apply(tf.add(xr, rr)), before as tf.Tensor)];
  }) as [ValueId, ValueId];
  return opaque([z, recur(reset), update, h], 1, ([x, r, u, before]) => {
    const candidate = tf.add(thirds(x)[2], thirds(r)[2]);
    return [tf.add(tf.mul(u as tf.Tensor, before as tf.Tensor), mixed(u as tf.Tensor, candidate))];
  });
};

/** The step of each cell, by the cell's class name. */
export const STEPS: Readonly<Record<string, CellStep>> = { SimpleRNNCell: simple, LSTMCell: lstm, GRUCell: gru };
