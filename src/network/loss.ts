/**
 * Whether the loss that a model was compiled with is the negative log-likelihood that was named, and by which factor: training
 * gradients are of tfjs's batch mean, curvature wants gradients of one example's NLL.
 */
import { either as E } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import { adviceFor, lossName } from './losses.js';
import type { Network } from './network.js';

/** How the compiled loss relates to the likelihood. */
export type LossMatch =
  /** NLL of an example = scale · its loss + constant. */
  | { readonly _tag: 'known'; readonly scale: number }
  /** A function of the user's own: it may be the NLL, but nothing here can tell. */
  | { readonly _tag: 'custom' };

/**
 * Compares the compiled loss with the network's likelihood.
 *
 * @returns `LossMismatch` for a loss of tfjs that is not this NLL: it names the losses that are, and the likelihood that the loss
 *   belongs to, or says that there is none. `InvalidModel` for a model without a loss.
 */
export function matchLoss(network: Network): E.Either<LaplaceError, LossMatch> {
  const { model, likelihoodOps: ops, outputs } = network;
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
  const takes = taken(network);
  const rules = ops.losses.filter((r) => r.loss === loss);
  const rule = rules.find((r) => takes.includes(r.takes));
  if (rule !== undefined) return E.right({ _tag: 'known', scale: rule.scale(outputs) });
  const advice = adviceFor(loss);
  if (typeof loss === 'function' && rules.length === 0 && advice === undefined) return E.right({ _tag: 'custom' });
  const [otherForm] = rules;
  return E.left(
    laplaceError('LossMismatch', {
      what: `The loss of model '${model.name}' is not the ${ops.name} negative log-likelihood of its outputs`,
      field: 'loss',
      found: otherForm
        ? `${lossName(loss)}, which takes outputs ${otherForm.takes === 'logits' ? 'before' : 'after'} the link`
        : lossName(loss),
      expected: expectedLosses(network),
      remedy: otherForm
        ? 'Compile the model with that loss.'
        : `Compile the model with that loss, or name its own likelihood: ${advice ?? ''}`,
    }),
  );
}

type Takes = Network['likelihoodOps']['losses'][number]['takes'];

/** What the model's outputs are to a loss. Log-probabilities are logits as well: softmax(log p) = p. */
function taken({ likelihoodOps: ops, link }: Network): ReadonlyArray<Takes> {
  if (ops.links.length === 0) return ['logits', 'outputs'];
  return [link === undefined || link === 'logSoftmax' ? 'logits' : 'outputs'];
}

function expectedLosses(network: Network): string {
  const { losses, ownLoss } = network.likelihoodOps;
  const takes = taken(network);
  const known = losses.filter((r) => takes.includes(r.takes)).map((r) => lossName(r.loss));
  return known.join(' or ') || `a function of your own: ${ownLoss ?? 'the NLL of the outputs'}`;
}

/** `compile` takes a loss, a list of one or a record of one. */
function singleLoss(loss: unknown): unknown {
  if (loss === null || loss === undefined) return undefined;
  if (typeof loss !== 'object') return loss;
  return Object.values(loss)[0];
}
