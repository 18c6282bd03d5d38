/** Checkpoints of a training, on disk. */
import { type DecodeOptions, openFactors, orThrow, piecesOfFactors } from 'tfjs-laplace';
import {
  accepted,
  array,
  laplaceError,
  literals,
  nonNegativeInteger,
  OwnLikelihoodsCodec,
  optional,
  optionsOf,
  struct,
  type TrainingCheckpoint,
  text,
} from 'tfjs-laplace/extend';
import { aboutFactors } from './about.js';
import { within } from './failure.js';
import { loadNode } from './loadNode.js';
import { nodePlace } from './node.js';
import { readBytes } from './readFile.js';
import { writeWhole } from './writeWhole.js';

/** What `training.json` says: which files hold the sums. It is written last, so that it never names a file that is not whole. */
const Index = struct('the index of a checkpoint', {
  format: literals('tfjs-laplace training checkpoint'),
  epoch: nonNegativeInteger,
  files: array('a list of files', text),
});

const OptionsCodec = struct('options', { likelihoods: optional(OwnLikelihoodsCodec) });

/**
 * Keeps the sums of the epochs that count, after each of them, so that a training that was cut off can go on in another `fit`: for the option
 * `checkpoint` of `laplaceCallback`. tfjs does not keep the model: save it after each epoch too (`model.save`, with the optimizer if it has a
 * state), load it, and call `fit` with `initialEpoch`. At the regular end of the training the checkpoint is removed.
 *
 * A training that begins at another epoch, or with other weights, is refused with `Mismatch`. Files that are no checkpoint give `InvalidFile`,
 * and a folder that cannot be written `Storage`.
 *
 * @param where `'file://FOLDER'`, which is made if it does not exist. It should hold nothing else.
 * @throws LaplaceError `InvalidOption` for another place, or an option that is unknown
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { lastValueFrom } from 'rxjs';
 * import { everyEpoch } from 'tfjs-laplace';
 * import { trainingCheckpoint } from 'tfjs-laplace/plugins/storage';
 * import { laplaceCallback } from 'tfjs-laplace/plugins/tfjs-callback';
 *
 * const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
 * const [x, y] = [tf.randomNormal([40, 2]), tf.randomNormal([40, 1])];
 * const curvature = laplaceCallback({
 *   likelihood: 'gaussian', epochs: everyEpoch(), checkpoint: trainingCheckpoint('file://out/training'),
 * });
 * await model.fit(x, y, { epochs: 3, verbose: 0, callbacks: curvature });
 * (await lastValueFrom(curvature.factors$)).count; // => 120
 * ```
 */
export function trainingCheckpoint(where: string, options: DecodeOptions = {}): TrainingCheckpoint {
  const decoding = optionsOf('trainingCheckpoint', OptionsCodec, options);
  if (typeof where !== 'string' || !/^file:\/\/./.test(where)) throw onDiskOnly(where);
  const folder = where.slice('file://'.length).replace(/\/+$/, '');
  const index = `${folder}/training.json`;
  const find = async () => {
    const { fs } = await loadNode();
    const isThere = await fs.access(index).then(
      () => true,
      () => false,
    );
    return isThere ? indexOf(index, await readBytes(index)) : undefined;
  };
  const remove = async (files: ReadonlyArray<string>): Promise<void> => {
    for (const file of files) await nodePlace(`${folder}/${file}`, '').remove();
  };
  return {
    load: async () => {
      const found = await find();
      if (found === undefined) return undefined;
      const window = [];
      for (const file of found.files) {
        const { read } = nodePlace(`${folder}/${file}`, '');
        window.push(await read(async (bytes) => (await openFactors(bytes, { ...decoding, verify: false })).whole()));
      }
      return { epoch: found.epoch, window };
    },
    save: async ({ epoch, window }) => {
      const former = (await find())?.files ?? [];
      // New names: until the index is written, it names the former files.
      const files = window.map((_, i) => `epoch-${epoch}-${i}.safetensors`);
      for (const [i, factors] of window.entries()) {
        const pieces = orThrow(piecesOfFactors(factors));
        await nodePlace(`${folder}/${files[i]}`, '').write({ pieces, about: aboutFactors(factors, pieces.size) });
      }
      await writeWhole(index, JSON.stringify({ format: 'tfjs-laplace training checkpoint', epoch, files }));
      await remove(former.filter((file) => !files.includes(file)));
    },
    clear: async () => {
      const files = (await find())?.files ?? [];
      const { fs } = await loadNode();
      await within('write', index, () => fs.rm(index, { force: true }));
      await remove(files);
    },
  };
}

function indexOf(path: string, bytes: Uint8Array): (typeof Index)['_A'] {
  try {
    return accepted(path, Index, JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw laplaceError('InvalidFile', {
      what: `${path} is no index of a checkpoint`,
      field: 'where',
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'the file as trainingCheckpoint has written it',
      cause,
    });
  }
}

const onDiskOnly = (where: unknown) =>
  laplaceError('InvalidOption', {
    what: 'A checkpoint of a training is a folder on disk',
    field: 'where',
    found: typeof where === 'string' ? JSON.stringify(where) : typeof where,
    expected: "'file://FOLDER'",
  });
