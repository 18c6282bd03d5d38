/**
 * A batch as the user gives it, and its inputs as tensors whose shapes fit the network. Errors name the field. Labels and weights are in
 * `labels.ts`.
 */
import * as tf from '@tensorflow/tfjs-core';
import { either as E, function as F } from 'fp-ts';
import { isArrayLike } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { asTensor, type Given, isRecord, isTensor, isTensorList, type Numbers, unusable } from './arrays.js';
import type { Network } from './network.js';

/**
 * Inputs of one batch: a tensor or array [B, …], one tensor for each input of the model, or a record of tensors and arrays by input name.
 * An array is nested as its shape is. A flat array, or a typed array, is laid out row by row in the shape of the model's input. Every dtype
 * that the model takes will do: int32 from `tf.oneHot` or `tf.browser.fromPixels`, and bool.
 */
export type Inputs = Numbers | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor | Numbers>>;

/**
 * Labels of one batch: a tensor or array [B, …] of the shape that the likelihood takes. A flat array has one number for each example. For
 * a model with several outputs: a list of tensors in the model's order, or a record of tensors and arrays by output name.
 */
export type Labels = Numbers | tf.Tensor | ReadonlyArray<tf.Tensor> | Readonly<Record<string, tf.Tensor | Numbers>>;

/**
 * A batch with labels, in either spelling of tfjs (`tf.data` uses `xs` and `ys`). `weights` [B] say how often each example
 * counts: finite numbers >= 0, which need not be whole. Without weights each example counts once.
 */
export type LabelledBatch = ({ readonly x: Inputs; readonly y: Labels } | { readonly xs: Inputs; readonly ys: Labels }) & {
  readonly weights?: tf.Tensor | Numbers;
};

/** Inputs, labels and weights of a batch in either spelling. All are undefined if there is no batch. */
export function partsOf(batch: LabelledBatch | undefined): Readonly<Record<'x' | 'y' | 'weights', unknown>> {
  const { x, y, xs = x, ys = y, weights } = (batch ?? {}) as Readonly<Record<'x' | 'y' | 'xs' | 'ys' | 'weights', unknown>>;
  return { x: xs, y: ys, weights };
}

type Shape = ReadonlyArray<number | null>;

/** Inputs as tensors, in the model's order. Arrays become tensors inside the caller's `tf.tidy`. */
export function inputTensors(
  { model }: Pick<Network, 'model'>,
  inputs: unknown,
): E.Either<LaplaceError, ReadonlyArray<tf.Tensor>> {
  const expected: ReadonlyArray<Shape> = model.inputs.map((t) => t.shape);
  const wrong = (found: string, field = 'x', remedy?: string): LaplaceError =>
    laplaceError('InvalidInput', {
      what: `The inputs do not fit model '${model.name}'`,
      field,
      found: found || 'nothing',
      expected: `${expected.map(describe).join(', ')} with B >= 1`,
      ...(remedy === undefined ? {} : { remedy }),
    });
  const tensorOf = ([{ field, value }, i]: readonly [Given, number]): E.Either<LaplaceError, tf.Tensor> => {
    const bad = unusable('InvalidInput', { field, value });
    if (bad !== undefined) return E.left(bad);
    const shape = expected[i] ?? [];
    return F.pipe(
      // An array that stands for all inputs has no shape of one input.
      asTensor(value, expected.length > 1 && field === 'x' ? [] : shape.slice(1)),
      E.bimap(
        (found) => wrong(found, field),
        (t) => asColumn(t, shape),
      ),
    );
  };
  return F.pipe(
    listInputs(inputs, model.inputNames),
    E.mapLeft((found) =>
      laplaceError('InvalidInput', {
        what: `The record of inputs lacks an input of model '${model.name}'`,
        field: 'x',
        found: found || 'no input',
        expected: model.inputNames.join(', '),
        remedy: 'Name the inputs as model.inputNames does.',
      }),
    ),
    E.map((list) => list.map((own, i) => [own, i] as const)),
    E.chain(E.traverseArray(tensorOf)),
    E.filterOrElse(
      (tensors) =>
        tensors.length === expected.length &&
        tensors.every((t, i) => shapeFits(t.shape, expected[i] as Shape)) &&
        tensors.every((t) => t.shape[0] === tensors[0]?.shape[0]) &&
        (tensors[0]?.shape[0] ?? 0) > 0,
      (tensors) => wrong(tensors.map((t) => describe(t.shape)).join(', '), 'x', remedyFor(tensors, inputs, expected)),
    ),
  );
}

/** The inputs one by one. Left: the names of a record that lacks one. */
function listInputs(inputs: unknown, names: ReadonlyArray<string>): E.Either<string, ReadonlyArray<Given>> {
  if (isTensorList(inputs)) return E.right(inputs.map((value, i) => ({ field: inputs.length > 1 ? `x[${i}]` : 'x', value })));
  if (!isRecord(inputs)) return E.right([{ field: 'x', value: inputs }]);
  if (names.some((name) => !Object.hasOwn(inputs, name))) return E.left(Object.keys(inputs).join(', '));
  return E.right(names.map((name) => ({ field: `x.${name}`, value: inputs[name] })));
}

/** tfjs takes a tensor [B] for an input [B, 1]. */
const asColumn = (t: tf.Tensor, shape: Shape): tf.Tensor =>
  t.rank === 1 && shape.length === 2 && (shape[1] === 1 || shape[1] === null) ? tf.expandDims(t, 1) : t;

/** What to do about tensors whose shapes do not fit, for the mistakes that are made often. */
function remedyFor(tensors: ReadonlyArray<tf.Tensor>, inputs: unknown, expected: ReadonlyArray<Shape>): string | undefined {
  if (expected.length > 1 && isArrayLike(inputs) && !isTensorList(inputs))
    return 'Give several inputs as a list of tensors, or as a record by input name, whose values may be arrays.';
  const single = tensors.length === expected.length && tensors.every((t, i) => shapeFits([1, ...t.shape], expected[i] as Shape));
  return single && isTensor(inputs) ? 'One example needs a batch dimension too: x.expandDims(0).' : undefined;
}

const shapeFits = (found: ReadonlyArray<number>, expected: Shape): boolean =>
  found.length === expected.length && expected.every((d, i) => d === null || d === found[i]);

const describe = (shape: Shape): string => `[${shape.map((d) => d ?? 'B').join(', ')}]`;
