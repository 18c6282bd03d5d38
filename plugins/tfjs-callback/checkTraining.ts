/**
 * Checks whether a model's training can be observed. The check runs before training starts, so that nobody trains for an hour in
 * vain.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import type { Curvature, LaplaceError, Likelihood } from 'tfjs-laplace';
import {
  coveredBy,
  type LossMatch,
  laplaceError,
  matchLoss,
  type Network,
  readNetwork,
  showsRows,
  takesTrainingRows,
} from 'tfjs-laplace/extend';
import { readsAllInputs } from './taps.js';

/** A training that can be observed. */
export interface CheckedTraining {
  /** The network with the layers to cover. */
  readonly network: Network;
  /**
   * The factor that turns gradients of the training loss into gradients of the NLL. Undefined if the step's own rows are not
   * taken.
   */
  readonly scale: number | undefined;
}

/** Reads the model. Fails if the model, its loss, the likelihood and the estimator do not fit each other. */
export const checkTraining = (
  model: LayersModel,
  likelihood: Likelihood,
  curvature: Curvature,
): E.Either<LaplaceError, CheckedTraining> =>
  F.pipe(
    readNetwork(model, likelihood),
    E.chain((network) => coveredBy(network, curvature)),
    E.bindTo('network'),
    E.bind('match', ({ network }) => matchLoss(network)),
    E.chain(({ network, match }) => checkRows(network, match, curvature)),
  );

/**
 * The training step shows gradients of the sum of all outputs' losses. They serve as the curvature's rows only if that sum is the
 * NLL up to one factor. Otherwise each batch gets a pass of its own, which never looks at the loss, but needs the network's
 * inputs.
 */
function checkRows(network: Network, match: LossMatch, curvature: Curvature): E.Either<LaplaceError, CheckedTraining> {
  if (!takesTrainingRows(curvature) || match._tag === 'mixed' || !showsRows(network)) {
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
    found: 'an input that is read only by a layer whose uses read different inputs',
    expected: 'for each input a layer that reads the same in all its uses',
    remedy:
      "Use kfac({ fisher: 'empirical' }), which needs no inputs without batch normalisation, or observe the trained model in a pass of its own.",
  });
