/**
 * Which layers get a curvature block. A block is one layer's weights W, with all the places where the layer is used; a layer of
 * several linear maps (a separable convolution) has a block for each.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E } from 'fp-ts';
import type { LayerSelection } from '../codec/layers.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { LARGEST_FACTOR } from '../limits.js';
import type { LinearMap } from './linear/index.js';
import { inputsOf, type Layer, type LinearOp, type Op, outputsOf, type ValueId } from './ops.js';

/** A layer with a curvature block: its weights are one matrix W [n, m] (or P of them), the bias (if any) the last row. */
export interface Block {
  /** The layer's name; 'name/part' where the layer has several blocks. */
  readonly name: string;
  readonly layer: Layer;
  readonly map: LinearMap;
  /** Every use of the layer, in running order. */
  readonly ops: ReadonlyArray<LinearOp>;
  /** P: groups of equal size, of which each has a block of its own (the channels of a depthwise convolution); 1 otherwise. */
  readonly groups: number;
  /** Rows of W: inputs of a position, plus one for the bias. */
  readonly n: number;
  /** Columns of W: outputs of a position. */
  readonly m: number;
  readonly bias: boolean;
  readonly structure: LinearMap['structure'];
}

/** What becomes of trainable layers that cannot have a Kronecker block, or whose block would be too large. */
export type Unsupported =
  /** An error that names the layer. */
  | 'error'
  /** They stay at their MAP. */
  | 'map'
  /** Layers whose factors are too large get a diagonal block; those without any block are an error. */
  | 'diagonal';

/** The part of a network that selection looks at. */
interface Source {
  readonly ops: ReadonlyArray<Op>;
  readonly model: LayersModel;
  readonly ends: ReadonlyArray<ValueId>;
}

/** A block for every linear operation, uses of one layer together, in running order. */
export function allBlocks(ops: ReadonlyArray<Op>): ReadonlyArray<Block> {
  const linear = ops.filter((op): op is LinearOp => op.kind === 'linear');
  const same = (a: LinearOp, b: LinearOp): boolean => a.layer === b.layer && a.map.part === b.map.part;
  return linear
    .filter((op, i) => linear.findIndex((other) => same(op, other)) === i)
    .map((op) => {
      const { groups, n, m, bias, structure, part } = op.map;
      const name = part === undefined ? op.layer.name : `${op.layer.name}/${part}`;
      return { name, layer: op.layer, map: op.map, ops: linear.filter((o) => same(o, op)), groups, n, m, bias, structure };
    });
}

/** Layers with trainable weights, in running order. */
export function trainableLayers({ ops, model }: Source): ReadonlyArray<Layer> {
  // The model's own list: it leaves out the layers of a frozen inner model, which don't know that they are frozen.
  const weights = new Set(model.trainableWeights);
  return [...new Set(ops.map((op) => op.layer))].filter((layer) => layer.weights.some((w) => weights.has(w)));
}

/** Whether one of the block's factors is too large. An embedding's input factor is a diagonal. */
export const tooLarge = ({ n, m, structure }: Block): boolean =>
  structure !== 'diagonal' && Math.max(structure === 'embedding' ? 0 : n, m) > LARGEST_FACTOR;

/** The blocks of a selection. */
export function selectBlocks(
  source: Source,
  layers: LayerSelection,
  unsupported: Unsupported,
): E.Either<LaplaceError, ReadonlyArray<Block>> {
  const { model, ops } = source;
  const all = allBlocks(ops);
  if (layers !== 'all' && layers !== 'last') return named(all, layers, model, unsupported);
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
  if (layers === 'last') return accepted(lastBlocks(source, known), all, unsupported);
  const foreign = trainable.find((layer) => known.every((block) => block.layer !== layer));
  if (foreign !== undefined && unsupported !== 'map') {
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
  return accepted(known, all, unsupported);
}

/** The last block of every output. */
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
  unsupported: Unsupported,
): E.Either<LaplaceError, ReadonlyArray<Block>> {
  const answers = (block: Block, name: string): boolean => block.name === name || block.layer.name === name;
  const missing = names.filter((name) => !all.some((block) => answers(block, name)));
  if (names.length > 0 && missing.length === 0) {
    return accepted(
      all.filter((block) => names.some((name) => answers(block, name))),
      all,
      unsupported,
    );
  }
  return E.left(
    laplaceError('NoBayesianLayer', {
      what: `Model '${model.name}' does not have every layer that was named`,
      field: 'layers',
      found: missing.join(', ') || 'no name',
      expected: `names out of: ${all.map((b) => b.name).join(', ') || '(no layer of the model can have a block)'}`,
    }),
  );
}

function accepted(
  chosen: ReadonlyArray<Block>,
  all: ReadonlyArray<Block>,
  unsupported: Unsupported,
): E.Either<LaplaceError, ReadonlyArray<Block>> {
  // Inner models have names of their own; factors, priors and posteriors know a layer by its name alone.
  const twin = chosen.find((block) => all.some((other) => other !== block && other.name === block.name));
  if (twin !== undefined) {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `The name of layer '${twin.name}' is not its own`,
        layer: twin.name,
        found: 'another layer of the same name',
        expected: 'a name for each covered layer',
        remedy: 'Give the layers of inner models other names.',
      }),
    );
  }
  const large = chosen.find(tooLarge);
  if (large !== undefined && unsupported === 'error') {
    return E.left(
      laplaceError('UnsupportedLayer', {
        what: `A curvature factor of layer '${large.name}' would be too large`,
        layer: large.name,
        found: `factors of ${large.n} and ${large.m} rows`,
        expected: `at most ${LARGEST_FACTOR}`,
        remedy:
          "Keep a diagonal of it (unsupported: 'diagonal'), leave it at its MAP ('map'), or cover layers: 'last'; a last layer of very many outputs by lowRank().",
      }),
    );
  }
  if (unsupported === 'map') return E.right(chosen.filter((block) => !tooLarge(block)));
  return E.right(chosen.map((block) => (tooLarge(block) ? { ...block, structure: 'diagonal' } : block)));
}
