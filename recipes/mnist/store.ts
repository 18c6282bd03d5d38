/** Saves and loads models in the format of TensorFlow.js (`model.json` and binary weights), on any backend. */
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { modelFiles } from 'tfjs-laplace/plugins/storage';
import { CLASSES, PIXELS } from './digits.js';

/** Writes a model into a folder, which is made if it does not exist. */
export async function saveModel(model: LayersModel, folder: string): Promise<void> {
  await model.save(modelFiles(folder));
}

/** Reads a model that `saveModel` or TensorFlow.js wrote. It must map 784 pixels to 10 classes. */
export async function loadModel(folder: string): Promise<LayersModel> {
  const model = await loadLayersModel(modelFiles(folder));
  const shapes = `${JSON.stringify(model.inputs.map((i) => i.shape))} to ${JSON.stringify(model.outputs.map((o) => o.shape))}`;
  const expected = `[[null,${PIXELS}]] to [[null,${CLASSES}]]`;
  if (shapes !== expected) throw new Error(`The model in ${folder} maps shape ${shapes}, expected ${expected}`);
  return model;
}
