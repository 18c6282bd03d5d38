/**
 * Holds a posterior to a model: before anything is computed, and for as long as the two are used together. The weights of a model may
 * change at any time (`setWeights`, more training), and a prediction that pairs new weights with an old posterior looks like any other.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ofKind } from '../codec/index.js';
import { type LaplaceError, laplaceError } from '../errors.js';
import { architectureOf } from '../network/architecture.js';
import { type Network, notDisposed, readNetwork, withBlocks } from '../network/network.js';
import { allWeights, fingerprint } from '../network/weights.js';
import { orThrow } from '../orThrow.js';
import { POSTERIOR } from '../posterior/kind.js';
import type { Posterior } from '../posterior/posterior.js';

/** A model that a posterior belongs to. */
export interface Bound {
  /** The model as a network whose blocks are the posterior's layers. */
  readonly network: Network;
  /**
   * Rejects with `Mismatch` if the model's weights have changed since, and with `InvalidModel` if the model is disposed. Ask before each
   * batch, and again before its result goes out. Cost: a comparison for each weight. Only if a weight was assigned, all weights are
   * downloaded: they may have been set to the values that they had.
   */
  readonly check: () => Promise<void>;
}

/** Reads the model and checks all its weights, at the cost of one download. Rejects with `Mismatch` when the model has other weights. */
export async function bindPosterior(model: LayersModel, given: Posterior): Promise<Bound> {
  const posterior = orThrow(ofKind('The posterior', POSTERIOR, given));
  const network = orThrow(readNetwork(model, posterior.likelihood));
  let known = dataOf(model);
  // Another model has other weights. Checked before the layers are looked up, since this error says more than a missing layer.
  await checkWeights(model, posterior);
  checkArchitecture(network, posterior);
  const layers = posterior.layers.flatMap(({ members }) => members);
  return {
    network: orThrow(withBlocks(network, layers)),
    check: async () => {
      orThrow(notDisposed(model));
      const present = dataOf(model);
      if (present.length === known.length && present.every((data, i) => data === known[i])) return;
      const changed = await fingerprint(model);
      if (changed !== posterior.fingerprint) throw movedWeights(model, posterior, changed);
      known = present;
    },
  };
}

/** What a posterior or factors say of the model that they were made of. */
export interface MadeOf extends Pick<Posterior, 'fingerprint' | 'likelihood'> {
  readonly architecture?: string | undefined;
}

/**
 * Rejects with `Mismatch` if a model has other weights than the one that a posterior was made of, or computes something else with them.
 * Cost: one download of the model.
 */
export async function checkModel(model: LayersModel, made: MadeOf): Promise<void> {
  const network = orThrow(readNetwork(model, made.likelihood));
  await checkWeights(model, made);
  checkArchitecture(network, made);
}

async function checkWeights(model: LayersModel, made: MadeOf): Promise<void> {
  const found = await fingerprint(model);
  if (found !== made.fingerprint) throw otherWeights(model, made, found);
}

function checkArchitecture(network: Network, { architecture }: MadeOf): void {
  const found = architecture === undefined ? undefined : architectureOf(network);
  if (found !== architecture) throw otherArchitecture(network, `${architecture}`, `${found}`);
}

/** What stands for the numbers of each weight. tfjs gives a variable a new object when it is assigned, and never writes into the old. */
const dataOf = (model: LayersModel): ReadonlyArray<object> => allWeights(model).map(({ dataId }) => dataId);

const otherWeights = (model: LayersModel, { fingerprint: expected }: MadeOf, found: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: `The posterior does not belong to the present weights of model '${model.name}'`,
    field: 'fingerprint',
    found: `weights ${found}`,
    expected: `weights ${expected}`,
    remedy:
      'Use the model that was observed, or observe it again: its weights have changed since. If a callback sets weights when training ' +
      'ends, to restore the best ones for example, put laplaceCallback behind it: last in the list of callbacks.',
  });

const otherArchitecture = ({ model }: Network, expected: string, found: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: `Model '${model.name}' has the weights of the posterior, but computes something else with them`,
    field: 'architecture',
    found: `layers, activations and wiring ${found}`,
    expected: `those of the model that was observed, ${expected}`,
    remedy: 'Build the model as it was when it was observed, or observe it again.',
  });

const movedWeights = (model: LayersModel, { fingerprint: expected }: Posterior, found: string): LaplaceError =>
  laplaceError('Mismatch', {
    what: `The weights of model '${model.name}' have changed while a posterior of its former weights was in use`,
    field: 'fingerprint',
    found: `weights ${found}`,
    expected: `weights ${expected}`,
    remedy:
      'Observe the model again and use the new posterior. To train on meanwhile, give a copy of the model that keeps these weights.',
  });
