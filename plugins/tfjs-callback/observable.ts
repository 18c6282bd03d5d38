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
  readNetwork,
  withBlocks,
} from 'tfjs-laplace';
import { isTapped, readsAllInputs } from './taps.js';

/** A network with the layers to cover, and what its loss has to do with the likelihood. */
export interface Observable {
  readonly network: Network;
  readonly match: LossMatch;
  /** Whether the training step's own gradients are the rows. */
  readonly byProduct: boolean;
}

/** Reads the model; fails when it, its loss, the likelihood and the estimator don't fit. */
export const observable = (
  model: LayersModel,
  likelihood: Likelihood,
  curvature: Curvature,
): E.Either<LaplaceError, Observable> =>
  F.pipe(
    readNetwork(model, likelihood),
    E.chain((network) => withBlocks(network, curvature.layers, curvature.unsupported)),
    E.bindTo('network'),
    E.bind('match', ({ network }) => matchLoss(network)),
    E.let('byProduct', ({ network }) => curvature._tag === 'empirical' && network.blocks.every(isTapped)),
    E.chain(suits),
  );

/**
 * `empirical` needs to know how the loss relates to the NLL; the others never look at it, but run the network on its inputs. So does
 * `empirical` where a covered layer does not show its rows in the step.
 */
function suits(found: Observable): E.Either<LaplaceError, Observable> {
  const { network, byProduct } = found;
  if (!byProduct) return readsAllInputs(network.model) ? E.right(found) : E.left(inputsOutOfReach(network));
  if (found.match._tag === 'known') return E.right(found);
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
      "Use kfac({ fisher: 'empirical' }) on layers of one use, which needs no inputs, or observe the trained model in a pass of its own.",
  });
