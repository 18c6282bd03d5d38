/**
 * Decides which layers get a curvature block. A block is one layer's weights W, with all places where the layer is used. A layer
 * with several linear maps (a separable convolution) has a block for each map.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { LinearMap } from './linear/index.js';
import { inputsOf, type Layer, type LinearOp, type Op, outputsOf, type ValueId } from './ops.js';

/** A layer's weights with a curvature block: one matrix W [n, m], or P of them. The bias, if there is one, is the last row. */
export interface Block {
  /** The layer's name, or 'name/part' if the layer has several blocks. */
  readonly name: string;
  readonly layer: Layer;
  readonly map: LinearMap;
  /** Every use of the layer, in running order. */
  readonly ops: ReadonlyArray<LinearOp>;
  /**
   * P, the number of groups of equal size that each have a W of their own (the channels of a depthwise convolution); otherwise 1.
   */
  readonly groups: number;
  /** Rows of W: inputs of a position, plus one for the bias. */
  readonly n: number;
  /** Columns of W: outputs of a position. */
  readonly m: number;
  readonly bias: boolean;
}

/**
 * What happens to trainable layers that are not linear in their weights: `'error'` refuses them, and `'map'` leaves them at their
 * MAP.
 */
export type NotLinear = 'error' | 'map';

/** The parts of a network that a selection of layers depends on. */
interface Source {
  readonly ops: ReadonlyArray<Op>;
  readonly model: LayersModel;
  readonly ends: ReadonlyArray<ValueId>;
}

/** A block for every linear map, with all uses of its layer together, in running order. */
export function allBlocks(ops: ReadonlyArray<Op>): ReadonlyArray<Block> {
  const linear = ops.filter((op): op is LinearOp => op.kind === 'linear');
  const same = (a: LinearOp, b: LinearOp): boolean => a.layer === b.layer && a.map.part === b.map.part;
  return linear
    .filter((op, i) => linear.findIndex((other) => same(op, other)) === i)
    .map((op) => {
      const { groups, n, m, bias, part } = op.map;
      const name = part === undefined ? op.layer.name : `${op.layer.name}/${part}`;
      return { name, layer: op.layer, map: op.map, ops: linear.filter((o) => same(o, op)), groups, n, m, bias };
    });
}

/** Layers with trainable weights, in running order. */
export function trainableLayers({ ops, model }: Source): ReadonlyArray<Layer> {
  // The model's own list leaves out the layers of a frozen inner model. These layers don't know that they are frozen.
  const weights = new Set(model.trainableWeights);
  return [...new Set(ops.map((op) => op.layer))].filter((layer) => layer.weights.some((w) => weights.has(w)));
}

/** The blocks of a selection. */
export function selectBlocks(
  source: Source,
  layers: LayerSelection,
  notLinear: NotLinear,
): E.Either<LaplaceError, ReadonlyArray<Block>> {
  const { model, ops } = source;
  const all = allBlocks(ops);
  if (layers !== 'all' && layers !== 'last') return named(all, layers, model);
  const trainable = trainableLayers(source);
  const known = all.filter((block) => trainable.includes(block.layer));
  if (known.length === 0) {
    return E.left(
      laplaceError('NoBayesianLayer', {
        what: `Model '${model.name}' has no trainable layer that can have a block`,
        field: 'layers',
        found: trainable.map((l) => `${l.name} (${l.getClassName()})`).join(', ') || 'no trainable layer',
        expected: 'at least one trainable layer that is linear in its weights (Dense, Conv2D, …)',
      }),
    );
  }
  if (layers === 'last') return uniquelyNamed(lastBlocks(source, known), all);
  const foreign = trainable.find((layer) => known.every((block) => block.layer !== layer));
  if (foreign !== undefined && notLinear !== 'map') {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `Layer '${foreign.name}' has trainable weights but no curvature block`,
        layer: foreign.name,
        found: reasonOf(ops, foreign) ?? foreign.getClassName(),
        expected: 'a layer that is linear in its weights',
        remedy: "Leave it at its MAP (unsupported: 'map'), cover part of the model (layers: 'last', or names), or freeze it.",
      }),
    );
  }
  return uniquelyNamed(known, all);
}

/** The last block that each output depends on. */
function lastBlocks({ ops, ends }: Source, known: ReadonlyArray<Block>): ReadonlyArray<Block> {
  const last = ends.map((end) => {
    const needed = new Set([end]);
    for (const op of [...ops].reverse()) {
      if (outputsOf(op).some((id) => needed.has(id))) for (const id of inputsOf(op)) needed.add(id);
    }
    return known.filter((block) => block.ops.some(({ output }) => needed.has(output))).at(-1);
  });
  return known.filter((block) => last.includes(block));
}

const reasonOf = (ops: ReadonlyArray<Op>, layer: Layer): string | undefined =>
  ops.flatMap((op) => (op.kind === 'opaque' && op.layer === layer ? (op.reason ?? []) : []))[0];

function named(
  all: ReadonlyArray<Block>,
  names: ReadonlyArray<string>,
  model: LayersModel,
): E.Either<LaplaceError, ReadonlyArray<Block>> {
  const answers = (block: Block, name: string): boolean => block.name === name || block.layer.name === name;
  const missing = names.filter((name) => !all.some((block) => answers(block, name)));
  if (names.length > 0 && missing.length === 0) {
    return uniquelyNamed(
      all.filter((block) => names.some((name) => answers(block, name))),
      all,
    );
  }
  return E.left(
    laplaceError('NoBayesianLayer', {
      what: `Model '${model.name}' does not have every layer that was named`,
      field: 'layers',
      found: missing.join(', ') || 'no name',
      expected: `some of these names: ${all.map((b) => b.name).join(', ') || '(no layer of the model can have a block)'}`,
    }),
  );
}

function uniquelyNamed(chosen: ReadonlyArray<Block>, all: ReadonlyArray<Block>): E.Either<LaplaceError, ReadonlyArray<Block>> {
  // A layer of an inner model can have the same name as another layer. Factors, priors and posteriors tell layers apart by their
  // names only.
  const twin = chosen.find((block) => all.some((other) => other !== block && other.name === block.name));
  if (twin !== undefined) {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `The name of layer '${twin.name}' is not unique`,
        layer: twin.name,
        found: 'another layer of the same name',
        expected: 'a different name for each covered layer',
        remedy: 'Give the layers of inner models other names.',
      }),
    );
  }
  return E.right(chosen);
}
