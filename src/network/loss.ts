/**
 * Tells whether the loss that a model was compiled with is the negative log-likelihood (NLL) that was named, and by which factor
 * the two differ. tfjs trains on gradients of the batch mean of the loss; curvature needs gradients of one example's NLL.
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
  /**
   * NLL of an example = scale · its loss + constant. The scale is the same for all outputs: tfjs trains on the sum of their
   * losses.
   */
  | { readonly _tag: 'known'; readonly scale: number }
  /**
   * Each output has such a scale, but the scales differ: the training gradient is not a multiple of the summed NLL's gradient.
   */
  | { readonly _tag: 'mixed' }
  /** The loss of an output is a function that the user wrote. It may be the NLL, but nothing here can tell. */
  | { readonly _tag: 'custom' };

/**
 * Compares the compiled loss with the network's likelihood, output by output.
 *
 * @returns how they relate. `LossMismatch` for a loss of tfjs that is not this NLL: the error names the losses that are, and the
 *   likelihood that the compiled loss belongs to, if there is one. `InvalidModel` for a model without a loss.
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
  // The scales are equal up to the rounding of a noise variance.
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
        ? 'Compile the model with the expected loss.'
        : `Compile the model with the expected loss, or name the likelihood of the compiled one: ${advice ?? ''}`,
    }),
  );
}

type Takes = LossRule['takes'];

/**
 * What a loss takes a head's outputs for: values before the link, values after it, or both if there is no link. Log-probabilities
 * are values before the link as well, since softmax(log p) = p.
 */
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

/** The loss of output number i. `compile` takes one loss for all outputs, a list, or a record by name. */
function lossOf({ loss, outputNames }: LayersModel, i: number): unknown {
  if (loss === null || loss === undefined) return undefined;
  if (typeof loss !== 'object') return loss;
  return Array.isArray(loss) ? loss[i] : (loss as Readonly<Record<string, unknown>>)[outputNames[i] as string];
}
