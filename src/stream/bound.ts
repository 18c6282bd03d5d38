/** A posterior and the model that it belongs to, checked once before anything is computed. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { laplaceError } from '../errors.js';
import { type Network, readNetwork, withBlocks } from '../network/network.js';
import { fingerprint } from '../network/weights.js';
import type { Posterior } from '../posterior/posterior.js';
import { orThrow } from './observed.js';

/** The model as a network whose blocks are the posterior's layers. Rejects with `Mismatch` when its weights are others. */
export async function bindPosterior(model: LayersModel, posterior: Posterior): Promise<Network> {
  const network = orThrow(readNetwork(model, posterior.likelihood));
  // Before its layers are looked for: another model has other weights, and says so better than by a layer that it lacks.
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
