/**
 * A hash of what a network computes with its weights: its operations and how they are wired. Equal weights do not make equal models: a
 * relu in place of a tanh, or a shortcut around a layer, leaves every weight where it was, and changes every prediction.
 *
 * The hash follows the values back from the outputs. So it depends neither on the names of layers nor on the order in which they were
 * made, and it leaves out what only training sees: dropout, regularisers, initialisers, and the likelihood's own link.
 */
import { isRecord } from '../codec/index.js';
import type { Network } from './network.js';
import { inputsOf, type Op, outputsOf, type ValueId } from './ops.js';

/** Settings of layers that change no prediction. */
const NO_PREDICTION =
  /^(name|dtype|trainable|updatable|implementation|momentum|rate|dropout|recurrentDropout|stddev|seed|noiseShape|batchInputShape|inputShape|inputDType|inputLength|.*(Initializer|Regularizer|Constraint))$/;

/** The hash of a network, 64 bits in hexadecimal. */
export function architectureOf({ ops, uses, inputs, ends }: Pick<Network, 'ops' | 'uses' | 'inputs' | 'ends'>): string {
  const makers = new Map(ops.flatMap((op) => outputsOf(op).map((id) => [id, op] as const)));
  const known = new Map<ValueId, string>(inputs.map((id, i) => [id, `input ${i}`]));
  // An activation that follows a layer is an operation of its own.
  const followed = new Set(uses.flatMap(({ activation, ops: own }) => (activation === undefined ? [] : own)));
  const hashOf = (id: ValueId): string => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const op = makers.get(id) as Op;
    const read = inputsOf(op).map(hashOf);
    const own = hash(JSON.stringify([described(op, followed.has(op)), outputsOf(op).indexOf(id), read]));
    known.set(id, own);
    return own;
  };
  return hash(ends.map(hashOf).join());
}

/** An operation in words. The name of an activation says everything; a layer has settings. */
function described(op: Op, isFollowed: boolean): unknown {
  const form = op.kind === 'linear' ? op.layer.getClassName() : op.form;
  if (/^[a-z]/.test(form)) return form;
  const { activation, ...rest } = op.layer.getConfig();
  const own = op.kind === 'linear' && (isFollowed || activation === 'linear') ? rest : { activation, ...rest };
  return [op.kind, form, settings(own)];
}

/** The settings that change a prediction, in alphabetical order. Settings that are off are as good as absent. */
function settings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settings);
  if (!isRecord(value)) return typeof value === 'function' ? undefined : value;
  return Object.entries(value)
    .filter(([key, part]) => !NO_PREDICTION.test(key) && part !== null && part !== undefined && part !== false)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => [key, settings(part)]);
}

/** Two FNV-1a hashes with different offsets. Not meant for security. */
function hash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (unit + i), 0x01000193);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return [a, b].map((h) => (h >>> 0).toString(16).padStart(8, '0')).join('');
}
