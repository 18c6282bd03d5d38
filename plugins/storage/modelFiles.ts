/** Models on the disk of a Node process, in TensorFlow.js's own format, on any backend. */
import { io } from '@tensorflow/tfjs-core';
import { laplaceError } from 'tfjs-laplace/extend';
import { within } from './failure.js';
import { readBytes } from './readFile.js';
import { writeWhole } from './writeWhole.js';

const [MODEL, WEIGHTS] = ['model.json', 'weights.bin'] as const;

/**
 * A handler of tf.io for models on the disk: `model.json` and its weights, as `model.save('file://…')` writes them with the package
 * `@tensorflow/tfjs-node`, which this does not need. For Node.
 *
 * Files are written beside their place and renamed, the weights first. Loading takes whatever TensorFlow.js, or its converter, has written as
 * a layers model. It rejects with `Storage` for files that cannot be read or written, and with `InvalidFile` for a `model.json` that is none.
 *
 * @param where a folder, or the `model.json` in it: a path, or `file://` and a path.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import * as tf from '@tensorflow/tfjs';
 * import { modelFiles } from 'tfjs-laplace/plugins/storage';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'laplace-'));
 * await tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }).save(modelFiles(folder));
 * const model = await tf.loadLayersModel(modelFiles(`file://${folder}/model.json`));
 * model.countParams(); // => 3
 * ```
 */
export function modelFiles(where: string): io.IOHandler {
  const path = where.replace(/^file:\/\//, '');
  const json = path.endsWith('.json') ? path : `${path.replace(/\/+$/, '')}/${MODEL}`;
  const beside = (name: string): string => `${json.slice(0, json.lastIndexOf('/') + 1)}${name}`;
  return {
    save: async (artifacts) => {
      const { weightSpecs = [], weightData = new ArrayBuffer(0), ...model } = artifacts;
      const bytes = new Uint8Array(io.CompositeArrayBuffer.join(weightData));
      await writeWhole(beside(WEIGHTS), bytes);
      await writeWhole(json, JSON.stringify({ ...model, weightsManifest: [{ paths: [WEIGHTS], weights: weightSpecs }] }));
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    },
    load: async () =>
      io.getModelArtifactsForJSON(readModel(json, await readBytes(json)), async (manifest) => {
        const shards = await Promise.all(manifest.flatMap(({ paths }) => paths.map((name) => readBytes(beside(name)))));
        const whole = await within('read', json, async () =>
          io.CompositeArrayBuffer.join(
            shards.map(({ buffer, byteOffset, byteLength }) => buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer),
          ),
        );
        return [manifest.flatMap(({ weights }) => weights), whole];
      }),
  };
}

function readModel(path: string, bytes: Uint8Array): io.ModelJSON {
  const json = parsed(path, bytes);
  if (typeof json === 'object' && json !== null && 'modelTopology' in json && 'weightsManifest' in json)
    return json as io.ModelJSON;
  throw notAModel(path, 'another JSON file');
}

function parsed(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw notAModel(path, 'no JSON', cause);
  }
}

const notAModel = (path: string, found: string, cause?: unknown) =>
  laplaceError('InvalidFile', {
    what: `${path} is no layers model of TensorFlow.js`,
    field: 'where',
    found,
    expected: 'a model.json with modelTopology and weightsManifest, as model.save writes it',
    cause,
  });
