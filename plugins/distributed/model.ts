/** The model of a plan. */
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { fingerprint, isLaplaceError, orThrow } from 'tfjs-laplace';
import { architectureOf, laplaceError, readNetwork } from 'tfjs-laplace/extend';
import { modelFiles } from 'tfjs-laplace/plugins/storage';

/** What tells a model from others: its weights, and what it computes with them. */
export interface Identity {
  readonly fingerprint: string;
  readonly architecture: string;
}

/** The identity of a model. Rejects with `InvalidModel` for one that does not suit the likelihood. */
export const identityOf = async (model: LayersModel, likelihood: Parameters<typeof readNetwork>[1]): Promise<Identity> => ({
  architecture: architectureOf(orThrow(readNetwork(model, likelihood))),
  fingerprint: await fingerprint(model),
});

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
