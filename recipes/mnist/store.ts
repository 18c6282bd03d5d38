/** Saves and loads models in the format of TensorFlow.js (`model.json` and binary weights), on any backend. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { writeWhole } from 'tfjs-laplace/plugins/storage';
import { CLASSES, PIXELS } from './digits.js';

const MODEL = 'model.json';
const WEIGHTS = 'weights.bin';

/** Writes a model into a folder, which is made if it does not exist. */
export async function saveModel(model: LayersModel, folder: string): Promise<void> {
  await model.save(
    io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData = new ArrayBuffer(0) }) => {
      const bytes = Buffer.from(io.CompositeArrayBuffer.join(weightData));
      const manifest = [{ paths: [WEIGHTS], weights: weightSpecs }];
      await writeWhole(join(folder, WEIGHTS), bytes);
      await writeWhole(join(folder, MODEL), JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest }));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
}

/** The parts of a `model.json` that are read. */
interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: ReadonlyArray<{ readonly paths: ReadonlyArray<string>; readonly weights: io.WeightsManifestEntry[] }>;
}

/** Reads a model that `saveModel` or TensorFlow.js wrote. It must map 784 pixels to 10 classes. */
export async function loadModel(folder: string): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = await readJson(join(folder, MODEL));
  const shards = await Promise.all(weightsManifest.flatMap(({ paths }) => paths.map((path) => readFile(join(folder, path)))));
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const bytes = new Uint8Array(Buffer.concat(shards));
  const model = await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData: bytes.buffer }));
  const shapes = `${JSON.stringify(model.inputs.map((i) => i.shape))} to ${JSON.stringify(model.outputs.map((o) => o.shape))}`;
  const expected = `[[null,${PIXELS}]] to [[null,${CLASSES}]]`;
  if (shapes !== expected) throw new Error(`The model in ${folder} maps shape ${shapes}, expected ${expected}`);
  return model;
}

async function readJson(path: string): Promise<ModelJson> {
  const json = JSON.parse(await readFile(path, 'utf8')) as Partial<ModelJson>;
  if (json.modelTopology && json.weightsManifest) return json as ModelJson;
  throw new Error(`${path} is not a layers model with weights: it lacks modelTopology or weightsManifest`);
}
