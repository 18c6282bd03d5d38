/** Checkpoints of a pass, on disk. */
import { type Checkpoint, type DecodeOptions, openFactors, orThrow, piecesOfFactors } from 'tfjs-laplace';
import {
  defaulted,
  laplaceError,
  nonNegative,
  OwnLikelihoodsCodec,
  optional,
  optionsOf,
  positiveInteger,
  struct,
} from 'tfjs-laplace/extend';
import { aboutFactors } from './about.js';
import { nodePlace } from './node.js';

/** The name of the file in a folder. */
const CHECKPOINT = 'checkpoint';

/** Options of `checkpoint`. */
export interface CheckpointOptions extends DecodeOptions {
  /** The sums are kept after every so many batches. Default 100. */
  readonly every?: number;
  /** The file is written at most once in so many seconds; the sums in between are not kept. Default 0: each time. */
  readonly seconds?: number;
}

/**
 * Keeps the sums of a long pass, so that it can go on after a crash: for the option `checkpoint` of `accumulateFactors`. The batches of the
 * second start must be those of the first, in the same order; those that are in the sums are passed over. The result is that of a pass that
 * was never cut off, bit for bit (with the same `every` and seed, on the same machine, whatever `seconds` is). At the end of the pass the checkpoint is removed.
 *
 * A pass that is given other weights or another curvature than the checkpoint ends with `Mismatch`. Bytes that are no checkpoint give
 * `InvalidFile`, and a place that cannot be written `Storage`.
 *
 * @param where `'file://PATH'`: a folder, where it is `checkpoint.safetensors`, or the path of a file with that ending
 * @throws LaplaceError `InvalidOption` for another place, an option that is unknown, or an `every` that is no integer >= 1
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { from, lastValueFrom } from 'rxjs';
 * import { accumulateFactors, batches, observe } from 'tfjs-laplace';
 * import { checkpoint } from 'tfjs-laplace/plugins/storage';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * const data = { x: tf.randomNormal([40, 2]), y: tf.randomNormal([40, 1]) };
 * const pass = checkpoint('file://out/pass', { every: 2 });
 * const factors = await lastValueFrom(
 *   from(batches(data, 4)).pipe(observe(model, 'gaussian'), accumulateFactors('kfac', { checkpoint: pass })),
 * );
 * factors.count; // => 40
 * ```
 */
export function checkpoint(where: string, options: CheckpointOptions = {}): Checkpoint {
  const { every, seconds, ...decoding } = optionsOf('checkpoint', CheckpointOptionsCodec, options);
  if (typeof where !== 'string' || !/^file:\/\/./.test(where)) throw onDiskOnly(where);
  const place = nodePlace(where.slice('file://'.length), CHECKPOINT);
  let written = Number.NEGATIVE_INFINITY;
  return {
    every,
    load: () => place.find(async (file) => (await openFactors(file, { ...decoding, verify: false })).whole()),
    save: async (factors) => {
      if (performance.now() - written < 1000 * seconds) return;
      const pieces = orThrow(piecesOfFactors(factors));
      await place.write({ pieces, about: aboutFactors(factors, pieces.size) });
      written = performance.now();
    },
    clear: () => place.remove(),
  };
}

const CheckpointOptionsCodec = struct('options', {
  every: defaulted(positiveInteger, 100),
  seconds: defaulted(nonNegative, 0),
  likelihoods: optional(OwnLikelihoodsCodec),
});

const onDiskOnly = (where: unknown) =>
  laplaceError('InvalidOption', {
    what: 'A checkpoint is a file on disk',
    field: 'where',
    found: typeof where === 'string' ? JSON.stringify(where) : typeof where,
    expected: "'file://…'",
  });
