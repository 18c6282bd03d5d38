/**
 * Whether the loss that a model was compiled with is the negative log-likelihood that was named, and by which factor: training
 * gradients are of tfjs's batch mean, curvature wants gradients of one example's NLL.
 */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { either as E, function as F } from 'fp-ts';
import { type LaplaceError, laplaceError } from '../errors.js';
import type { LossRule } from '../likelihood/index.js';
import type { Head } from './heads.js';
import { adviceFor, lossName } from './losses.js';
import type { Network } from './network.js';

/** How the compiled loss relates to the likelihood. */
export type LossMatch =
  /** NLL of an example = scale · its loss + constant; of several outputs the scale is the same, since tfjs trains on the sum of their losses. */
  | { readonly _tag: 'known'; readonly scale: number }
  /** The same for each output, but with other scales: no gradient of training is one of the sum of the NLLs. */
  | { readonly _tag: 'mixed' }
  /** A function of the user's own: it may be the NLL, but nothing here can tell. */
  | { readonly _tag: 'custom' };

/**
 * Compares the compiled loss with the network's likelihood, output by output.
 *
 * @returns `LossMismatch` for a loss of tfjs that is not this NLL: it names the losses that are, and the likelihood that the loss
 *   belongs to, or says that there is none. `InvalidModel` for a model without a loss.
 */
export const matchLoss = ({ model, heads }: Pick<Network, 'model' | 'heads'>): E.Either<LaplaceError, LossMatch> =>
  F.pipe(
    heads.map((head, i) => ({ head, loss: lossOf(model, i) })),
    E.traverseArray(({ head, loss }) => matchHead(model, head, heads.length > 1, loss)),
    E.map(together),
  );

type HeadMatch = Exclude<LossMatch, { readonly _tag: 'mixed' }>;

function together(matches: ReadonlyArray<HeadMatch>): LossMatch {
  const [first] = matches as [HeadMatch];
  const scales = matches.flatMap((match) => (match._tag === 'known' ? match.scale : []));
  if (scales.length < matches.length) return { _tag: 'custom' };
  // Equal up to the rounding of a noise variance.
  const [largest, smallest] = [Math.max(...scales), Math.min(...scales)];
  return largest - smallest <= 1e-9 * largest ? first : { _tag: 'mixed' };
}

function matchHead(model: LayersModel, head: Head, several: boolean, loss: unknown): E.Either<LaplaceError, HeadMatch> {
  const { ops, outputs, name } = head;
  const of = several ? `output '${name}' of ` : '';
  const field = several ? `loss.${name}` : 'loss';
  if (loss === undefined) {
    return E.left(
      laplaceError('InvalidModel', {
        what: of === '' ? `Model '${model.name}' is not compiled` : `There is no loss for ${of}model '${model.name}'`,
        field,
        found: 'no loss',
        expected: expectedLosses(head),
        remedy: 'Call model.compile({ optimizer, loss }) first.',
      }),
    );
  }
  const takes = taken(head);
  const rules = ops.losses.filter((r) => r.loss === loss);
  const rule = rules.find((r) => takes.includes(r.takes));
  if (rule !== undefined) return E.right({ _tag: 'known', scale: rule.scale(outputs) });
  const advice = adviceFor(loss);
  if (typeof loss === 'function' && rules.length === 0 && advice === undefined) return E.right({ _tag: 'custom' });
  const [otherForm] = rules;
  return E.left(
    laplaceError('LossMismatch', {
      what: `The loss of ${of}model '${model.name}' is not the ${ops.name} negative log-likelihood of its outputs`,
      field,
      found: otherForm
        ? `${lossName(loss)}, which takes outputs ${otherForm.takes === 'logits' ? 'before' : 'after'} the link`
        : lossName(loss),
      expected: expectedLosses(head),
      remedy: otherForm
        ? 'Compile the model with that loss.'
        : `Compile the model with that loss, or name its own likelihood: ${advice ?? ''}`,
    }),
  );
}

type Takes = LossRule['takes'];

/** What the outputs are to a loss. Log-probabilities are logits as well: softmax(log p) = p. */
function taken({ ops, link }: Head): ReadonlyArray<Takes> {
  if (ops.links.length === 0) return ['logits', 'outputs'];
  return [link === undefined || link === 'logSoftmax' ? 'logits' : 'outputs'];
}

function expectedLosses(head: Head): string {
  const { losses, ownLoss } = head.ops;
  const takes = taken(head);
  const known = losses.filter((r) => takes.includes(r.takes)).map((r) => lossName(r.loss));
  return known.join(' or ') || `a function of your own: ${ownLoss ?? 'the NLL of the outputs'}`;
}

/** Of output number i: `compile` takes one loss for all outputs, a list, or a record by name. */
function lossOf({ loss, outputNames }: LayersModel, i: number): unknown {
  if (loss === null || loss === undefined) return undefined;
  if (typeof loss !== 'object') return loss;
  return Array.isArray(loss) ? loss[i] : (loss as Readonly<Record<string, unknown>>)[outputNames[i] as string];
}
