/** Whether a model's training can be observed: asked before it starts, so that nobody trains for an hour to find out. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import {
  type Curvature,
  type LaplaceError,
  type Likelihood,
  type LossMatch,
  laplaceError,
  matchLoss,
  type Network,
  policyOf,
  readNetwork,
  showsRows,
  withBlocks,
} from 'tfjs-laplace';
import { readsAllInputs } from './taps.js';

/** A network with the layers to cover. */
export interface Observable {
  readonly network: Network;
  /** Takes gradients of the training loss to those of the NLL: where the training step's own rows are the curvature's. */
  readonly scale: number | undefined;
}

/** Reads the model; fails when it, its loss, the likelihood and the estimator don't fit. */
export const observable = (
  model: LayersModel,
  likelihood: Likelihood,
  curvature: Curvature,
): E.Either<LaplaceError, Observable> =>
  F.pipe(
    readNetwork(model, likelihood),
    E.chain((network) => withBlocks(network, curvature.layers, policyOf(curvature))),
    E.bindTo('network'),
    E.bind('match', ({ network }) => matchLoss(network)),
    E.chain(({ network, match }) => suits(network, match, curvature)),
  );

/**
 * The training step's own rows need to know how the loss relates to the NLL, and that it does so alike for all outputs: the step shows
 * gradients of the sum of their losses. A pass of its own over each batch never looks at the loss, but runs the network on its inputs.
 */
function suits(network: Network, match: LossMatch, curvature: Curvature): E.Either<LaplaceError, Observable> {
  const empirical = curvature._tag === 'kfac' && curvature.fisher._tag === 'empirical';
  if (!empirical || match._tag === 'mixed' || !showsRows(network)) {
    return readsAllInputs(network.model) ? E.right({ network, scale: undefined }) : E.left(inputsOutOfReach(network));
  }
  if (match._tag === 'known') return E.right({ network, scale: match.scale });
  return E.left(
    laplaceError('LossMismatch', {
      what: `The loss of model '${network.model.name}' is a function of your own`,
      field: 'loss',
      found: 'a function that may or may not be the negative log-likelihood',
      expected: 'a loss of tfjs, for curvature that is made of training gradients',
      remedy: "Use kfac({ fisher: 'monteCarlo' }), which does not look at the loss.",
    }),
  );
}

const inputsOutOfReach = ({ model }: Network): LaplaceError =>
  laplaceError('UnsupportedLayer', {
    what: `The inputs of model '${model.name}' cannot be caught during training`,
    field: 'curvature',
    found: 'an input that only a layer of several uses reads',
    expected: 'a layer for each input that reads the same in all its uses',
    remedy:
      "Use kfac({ fisher: 'empirical' }), which needs no inputs without batch normalisation, or observe the trained model in a pass of its own.",
  });
