/**
 * Whether the loss that a model was compiled with is the negative log-likelihood that was named, and by which factor: training
 * gradients are of tfjs's batch mean, curvature wants gradients of one example's NLL.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { Network } from './network.js';

/** How the compiled loss relates to the likelihood. */
export type LossMatch =
  /** NLL of an example = scale · its loss + constant. */
  | { readonly _tag: 'known'; readonly scale: number }
  /** A function of the user's own: it may be the NLL, but nothing here can tell. */
  | { readonly _tag: 'custom' };

/** Compares the compiled loss with the network's likelihood; an unfitting one is an error that names the fitting ones. */
export function matchLoss(network: Network): E.Either<LaplaceError, LossMatch> {
  const { model, likelihoodOps: ops, linkInside, outputs } = network;
  const loss = singleLoss(model.loss);
  if (loss === undefined) {
    return E.left(
      laplaceError('InvalidModel', {
        what: `Model '${model.name}' is not compiled`,
        field: 'loss',
        found: 'no loss',
        expected: expectedLosses(network),
        remedy: 'Call model.compile({ optimizer, loss }) first.',
      }),
    );
  }
  // Likelihoods without a link (Gaussian) have outputs that are logits and outputs at once.
  const takes = ops.links.length === 0 || linkInside ? 'outputs' : 'logits';
  const rule = ops.losses.find((r) => r.loss === loss && r.takes === takes);
  if (rule !== undefined) return E.right({ _tag: 'known', scale: rule.scale(outputs) });
  const otherForm = ops.losses.some((r) => r.loss === loss);
  if (typeof loss === 'function' && !otherForm) return E.right({ _tag: 'custom' });
  return E.left(
    laplaceError('LossMismatch', {
      what: `The loss of model '${model.name}' is not the ${ops.name} negative log-likelihood`,
      field: 'loss',
      found: otherForm
        ? `${lossName(loss)}, which takes ${takes === 'logits' ? 'outputs after' : 'outputs before'} the link`
        : lossName(loss),
      expected: expectedLosses(network),
      remedy: 'Compile the model with that loss, or name the likelihood that it was trained for.',
    }),
  );
}

function expectedLosses({ likelihoodOps: ops, linkInside }: Network): string {
  const takes = ops.links.length === 0 || linkInside ? 'outputs' : 'logits';
  return ops.losses
    .filter((r) => r.takes === takes)
    .map((r) => lossName(r.loss))
    .join(' or ');
}

/** `compile` takes a loss, a list of one or a record of one. */
function singleLoss(loss: unknown): unknown {
  if (loss === null || loss === undefined) return undefined;
  if (typeof loss !== 'object') return loss;
  return Object.values(loss)[0];
}

/** tfjs's own functions end in an underscore inside: `softmaxCrossEntropy_`. */
const lossName = (loss: unknown): string =>
  typeof loss === 'function' ? `tf.losses.${loss.name.replace(/_+(op)?_*$/, '') || '(anonymous)'}` : `'${String(loss)}'`;
