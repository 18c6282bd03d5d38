/** Checks that a posterior belongs to a model, once and before anything is computed. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { laplaceError } from '../errors.js';
import { type Network, readNetwork, withBlocks } from '../network/network.js';
import { fingerprint } from '../network/weights.js';
import { orThrow } from '../orThrow.js';
import type { Posterior } from '../posterior/posterior.js';

/**
 * Reads the model as a network whose blocks are the posterior's layers. Rejects with `Mismatch` when the model has other weights.
 */
export async function bindPosterior(model: LayersModel, posterior: Posterior): Promise<Network> {
  const network = orThrow(readNetwork(model, posterior.likelihood));
  // Another model has other weights. Checked before the layers are looked up, since this error says more than a missing layer.
  const found = await fingerprint(model);
  if (found !== posterior.fingerprint) {
    throw laplaceError('Mismatch', {
      what: `The posterior does not belong to the present weights of model '${model.name}'`,
      field: 'fingerprint',
      found: `weights ${found}`,
      expected: `weights ${posterior.fingerprint}`,
      remedy: 'Use the model that was observed, or observe it again: its weights have changed since.',
    });
  }
  const layers = posterior.layers.flatMap(({ members }) => members);
  return orThrow(withBlocks(network, layers));
}
