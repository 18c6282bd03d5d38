/**
 * Recurrent layers, unrolled over the steps of their sequence. One product with the kernel serves all steps at once. Every step
 * after the first takes one product with the recurrent kernel. Each kernel is one block whose positions are the steps: the steps
 * share its weights, as pixels share the weights of a convolution. Reference: Martens, Ba & Johnson 2018 (KFAC for recurrent
 * networks); `expand` is their independence over time.
 */
import * as tf from '@tensorflow/tfjs-core';
import { kernelMap } from '../linear/dense.js';
import type { Layer, ValueShape } from '../linear/map.js';
import type { Emit, Lowering, ValueId } from '../ops.js';
import { type Cell, type Recur, STEPS, type Tools } from './cells.js';

/** The members of tfjs's recurrent layers that are used here and that their types hide. */
interface Recurrent {
  readonly cell?: Cell & { readonly cells?: ReadonlyArray<Cell> };
  readonly goBackwards: boolean;
  readonly returnSequences: boolean;
}

/** The members of tfjs's Bidirectional that are used here and that its types hide. */
interface Pair {
  readonly forwardLayer: Layer;
  readonly backwardLayer: Layer;
  readonly mergeMode: 'concat' | 'sum' | 'ave' | 'mul' | null;
  readonly returnSequences: boolean;
}

/**
 * The operations of a recurrent layer on sequences [T, in]. Undefined for other layers, and for layers that are taken as a whole.
 */
export function recurrence(layer: Layer, inputShape: ValueShape): Lowering | undefined {
  if (!isRecurrent(layer) || whyWhole(layer, inputShape, true) !== undefined) return undefined;
  const [T, inputs] = inputShape as readonly [number, number];
  if (layer.getClassName() !== 'Bidirectional') return unrolled(layer, layer, '', T, inputs);
  const { forwardLayer, backwardLayer } = pairOf(layer);
  const there = unrolled(layer, forwardLayer, 'forward/', T, inputs);
  const back = unrolled(layer, backwardLayer, 'backward/', T, inputs);
  return (input, emit) => merged(layer, [there(input, emit), back(input, emit)], emit);
}

/**
 * Why a recurrent layer is taken as a whole, so that its weights stay at their MAP. Undefined if it is unrolled, and for other
 * layers.
 *
 * @param alone whether the layer has one input and one output.
 */
export function whyWhole(layer: Layer, inputShape: ValueShape, alone: boolean): string | undefined {
  if (!isRecurrent(layer)) return undefined;
  const name = layer.getClassName();
  const inner = name === 'Bidirectional' ? pairOf(layer).forwardLayer : layer;
  const foreign = cellsOf(inner).find((cell) => STEPS[cell.getClassName()] === undefined);
  if (foreign !== undefined) return `${name} with a cell of class ${foreign.getClassName()}`;
  if (!alone) return `${name} with states among its inputs or outputs, or with two outputs`;
  const [T] = inputShape;
  if (T === null || T === undefined)
    return `${name} on sequences of unknown length: put the number of steps into the input shape`;
  return T < 2 ? `${name} on sequences of one step, in which the recurrent kernel takes no part` : undefined;
}

/** Whether a recurrent layer drops some of its inputs or states while it trains. */
export const dropsInside = (layer: Layer): boolean =>
  isRecurrent(layer) &&
  (layer.getClassName() === 'Bidirectional' ? [pairOf(layer).forwardLayer] : [layer])
    .flatMap(cellsOf)
    .some(({ dropout = 0, recurrentDropout = 0 }) => dropout > 0 || recurrentDropout > 0);

const isRecurrent = (layer: Layer): boolean =>
  layer.getClassName() === 'Bidirectional' || (layer as unknown as Recurrent).cell !== undefined;

const pairOf = (layer: Layer): Pair => layer as unknown as Pair;

/** The cells of a layer, the lowest first. Stacked cells run as so many layers on top of each other would. */
function cellsOf(layer: Layer): ReadonlyArray<Cell> {
  const { cell } = layer as unknown as Required<Recurrent>;
  return cell.cells ?? [cell];
}

/** Unrolls one direction. `owner` is the layer of the graph: `layer` itself, or the Bidirectional around it. */
function unrolled(owner: Layer, layer: Layer, prefix: string, T: number, inputs: number): Lowering {
  const { goBackwards, returnSequences } = layer as unknown as Recurrent;
  const cells = cellsOf(layer);
  return (input, emit) => {
    const { opaque } = toolsOf(owner, emit);
    let steps: ReadonlyArray<ValueId> = [];
    cells.forEach((cell, i) => {
      const part = cells.length === 1 ? prefix : `${prefix}${i}/`;
      const sequence = i === 0 ? input : stacked(steps, opaque);
      const width = i === 0 ? inputs : (cells[i - 1] as Cell).units;
      const states = run(owner, cell, part, [T, width], sequence, emit, i === 0 && goBackwards);
      steps = states;
    });
    return returnSequences ? stacked(steps, opaque) : (steps[T - 1] as ValueId);
  };
}

/** Adds all steps of one cell. Returns h of every step, in the order in which the steps run. */
function run(
  owner: Layer,
  cell: Cell,
  part: string,
  shape: readonly [number, number],
  sequence: ValueId,
  emit: Emit,
  backwards: boolean,
): ReadonlyArray<ValueId> {
  const [T] = shape;
  const { opaque } = toolsOf(owner, emit);
  const bias = cell.bias ? [cell.bias] : [];
  const kernel = { ...kernelMap([cell.kernel, ...bias], shape), part: `${part}kernel` };
  const recurrent = { ...kernelMap([cell.recurrentKernel], [cell.units]), part: `${part}recurrent` };
  const all = emit.fresh();
  emit.add({ kind: 'linear', layer: owner, map: kernel, input: sequence, output: all });
  const recur: Recur = (h) => {
    const output = emit.fresh();
    emit.add({ kind: 'linear', layer: owner, map: recurrent, input: h, output });
    return output;
  };
  const apart = opaque([all], T, ([z]) => tf.unstack(z as tf.Tensor, 1));
  const inputs = backwards ? [...apart].reverse() : apart;
  const step = STEPS[cell.getClassName()] as NonNullable<(typeof STEPS)[string]>;
  const hs: ValueId[] = [];
  let states: ReadonlyArray<ValueId> = [];
  for (const z of inputs) {
    states = step(cell, { opaque, recur }, z, states);
    hs.push(states[0] as ValueId);
  }
  return hs;
}

const stacked = (steps: ReadonlyArray<ValueId>, opaque: Tools['opaque']): ValueId =>
  opaque(steps, 1, (hs) => [tf.stack([...hs], 1)])[0] as ValueId;

/** Merges both directions into one value. Steps of the backward direction are put into the order of the forward one. */
function merged(layer: Layer, directions: ReadonlyArray<ValueId>, emit: Emit): ValueId {
  const { mergeMode, returnSequences } = pairOf(layer);
  const { opaque } = toolsOf(layer, emit);
  return opaque(directions, 1, ([there, way]) => {
    const [y, back] = [there as tf.Tensor, returnSequences ? tf.reverse(way as tf.Tensor, 1) : (way as tf.Tensor)];
    switch (mergeMode) {
      case 'sum':
        return [tf.add(y, back)];
      case 'ave':
        return [tf.mul(tf.add(y, back), 0.5)];
      case 'mul':
        return [tf.mul(y, back)];
      default:
        return [tf.concat([y, back], y.rank - 1)];
    }
  })[0] as ValueId;
}

/** The tool that adds an operation that tfjs differentiates. */
const toolsOf = (layer: Layer, { fresh, add }: Emit): Pick<Tools, 'opaque'> => ({
  opaque: (inputs, count, apply) => {
    const outputs = Array.from({ length: count }, fresh);
    add({ kind: 'opaque', layer, form: layer.getClassName(), apply, inputs, outputs });
    return outputs;
  },
});
