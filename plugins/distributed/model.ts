/** The model of a plan. */
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { isLaplaceError } from 'tfjs-laplace';
import { laplaceError } from 'tfjs-laplace/extend';
import { modelFiles } from 'tfjs-laplace/plugins/storage';

/** The model at a place: a folder or a `model.json` on disk, or a URL. Rejects with `Storage` and `InvalidFile`. */
export async function modelAt(where: string): Promise<LayersModel> {
  const isWeb = /^https?:\/\//.test(where);
  try {
    return await loadLayersModel(isWeb ? where : modelFiles(where));
  } catch (error) {
    if (isLaplaceError(error)) throw error;
    throw laplaceError(isWeb ? 'Storage' : 'InvalidFile', {
      what: `The model at ${where} cannot be loaded`,
      field: 'model',
      found: error instanceof Error ? error.message : String(error),
      expected: 'a layers model of TensorFlow.js (model.json), whose layers are known',
      cause: error,
    });
  }
}
